/** The access link of someone: an administrator makes it, sees it, sends it by mail, and withdraws it. */

import type { FastifyReply } from 'fastify';
import { done, nothingDone } from '../auth/idempotency-store.ts';
import { runCommand } from '../auth/run-command.ts';
import type { User } from '../db/schema.ts';
import { readFields } from '../lib/forms.ts';
import { named } from '../lib/text.ts';
import { getUser } from '../users/queries.ts';
import { listBefore, type Request, userAddress, userIdFrom } from '../users/request.ts';
import { mailtoOf } from './access-mail.ts';
import { makeLink, withdrawLink } from './commands.ts';
import { findFormLink, keyIn, linkAddress, mailLink, tokensFor } from './form-link.ts';

/** There it takes the password: the browser may have been left alone. */
const OWN = 'Your own password is changed here.';

export async function make(request: Request, reply: FastifyReply) {
  const { server } = request;
  const key = keyIn(request.body);
  const id = userIdFrom(request);
  const answer = await runCommand(request, async (trx, actor) => {
    const { kind, user } = await makeLink(trx, actor, id, tokensFor(request, key), server.clock());
    const name = named(user.username);
    if (kind === 'own') return nothingDone('/account', OWN);
    return kind === 'made'
      ? done(linkAddress(id, request, key), `Access link for ${name} created!`)
      : nothingDone(
          userAddress(id, request),
          `No access link was made: ${name} must be active, and more than a member.`,
        );
  });
  return reply.answer(answer);
}

export async function showLink(request: Request, reply: FastifyReply) {
  const { server, query } = request;
  const { key } = query;
  const user = await getUser(server.db, userIdFrom(request));
  // By Enter in the address of the form that was refused, say.
  if (!key) return reply.redirect(userAddress(user.id, request), 302);
  const found = await findFormLink(request, user, key);
  if (found === undefined) return sayItIsGone(reply, user);
  const { link, endsAt, letter, mail } = found;
  reply.header('cache-control', 'no-store');
  return reply.render('invitations/link', {
    user,
    from: listBefore(request),
    key,
    link,
    endsAt,
    mailto: mailtoOf(letter),
    // Of two clicks one knows of no outcome before the mail is sent.
    mail: (await server.mailer?.findUnderWay(link)) ?? mail,
    canSend: server.mailer !== undefined,
    isForOthers: server.config.origin !== undefined,
    isInvited: query.invited === '1',
  });
}

export async function sendByMail(request: Request, reply: FastifyReply) {
  const { link: key = '', invited } = readFields(request.body, ['link', 'invited']);
  const user = await getUser(request.server.db, userIdFrom(request));
  const mail = await mailLink(request, user, key);
  if (mail === undefined) return sayItIsGone(reply, user);
  // Nothing has to be kept: what became of the mail stands in the history, and the same page tells it.
  return reply.seeOther(linkAddress(user.id, request, key, invited === '1'));
}

async function sayItIsGone(reply: FastifyReply, { id, username }: User) {
  const name = named(username);
  const sentence = `The access link of ${name} is shown only to whoever has made it, until they sign in again, or until it is used, replaced, withdrawn or too old. If ${name} still needs one, create a new link on the page of user ${id}; an earlier one then no longer works.`;
  const link = { href: `/users/${id}`, text: `Look at user ${id}` };
  return reply.renderError({ title: 'Shown no longer', sentence, link }, 404);
}

export async function withdraw(request: Request, reply: FastifyReply) {
  const id = userIdFrom(request);
  const answer = await runCommand(request, async (trx, actor) => {
    const { kind, user } = await withdrawLink(trx, actor, id, request.server.clock());
    const [to, name] = [userAddress(id, request), named(user.username)];
    return kind === 'withdrawn'
      ? done(to, `The access link of ${name} is withdrawn.`)
      : nothingDone(to, `There was no access link of ${name} any more.`);
  });
  return reply.answer(answer);
}
