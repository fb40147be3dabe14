/** The access link of someone: an administrator makes it, sees it, sends it by mail, and withdraws it. */

import type { FastifyReply } from 'fastify';
import { findCredentials } from '../auth/credentials.ts';
import { runCommand } from '../auth/run-command.ts';
import type { User } from '../db/schema.ts';
import { named } from '../lib/text.ts';
import { getUser } from '../users/queries.ts';
import { listBefore, type Request, userAddress, userIdFrom } from '../users/request.ts';
import { makeLink, removeSecondFactor, withdrawLink } from './commands.ts';
import { findFormLink, keyIn, linkAddress, mailLink, tokensFor } from './form-link.ts';
import { mailtoOf } from './letter.ts';
import { MAIL_OUTCOMES } from './mailer.ts';

/** There it takes the password: the browser may have been left alone. */
const OWN = 'Your own password and second factor are changed here.';

export async function make(request: Request, reply: FastifyReply) {
  const { server } = request;
  const key = keyIn(request.body);
  const { kind, user } = await runCommand(request, (trx, actor) =>
    makeLink(trx, actor, userIdFrom(request), tokensFor(request, key), server.clock()),
  );
  if (kind === 'own') return reply.seeOther('/account', OWN);
  if (kind === 'cannot sign in')
    return reply.seeOther(
      userAddress(user.id, request),
      `No access link was made: ${named(user.username)} must be active, and more than a member.`,
    );
  return reply.seeOther(
    linkAddress(user.id, request, { key }),
    `Access link for ${named(user.username)} created!`,
  );
}

export async function showLink(request: Request, reply: FastifyReply) {
  const { server, query } = request;
  const { key } = query;
  const user = await getUser(server.db, userIdFrom(request));
  // By Enter in the address of the form that was refused, say.
  if (!key) return reply.redirect(userAddress(user.id, request), 302);
  const found = await findFormLink(request, user, key);
  if (found === undefined) return sayItIsGone(reply, user);
  const { link, endsAt, letter } = found;
  reply.header('cache-control', 'no-store');
  return reply.render('invitations/link', {
    user,
    from: listBefore(request),
    key,
    link,
    endsAt,
    mailto: mailtoOf(letter),
    mail: MAIL_OUTCOMES.find((outcome) => outcome === query.mail),
    canSend: server.mailer !== undefined,
    isForOthers: server.config.origin !== undefined,
    isNew: (await findCredentials(server.db, user.id)) === undefined,
  });
}

export async function sendByMail(request: Request, reply: FastifyReply) {
  const key = keyIn(request.body);
  const user = await getUser(request.server.db, userIdFrom(request));
  const mail = await mailLink(request, user, key);
  return mail ? reply.seeOther(linkAddress(user.id, request, { key, mail })) : sayItIsGone(reply, user);
}

async function sayItIsGone(reply: FastifyReply, { id, username }: User) {
  const sentence = `The access link of ${named(username)} is shown only to whoever has made it, until it is used, replaced, withdrawn or too old.`;
  const link = { href: `/users/${id}`, text: `Look at user ${id}` };
  return reply.renderError({ title: 'Shown no longer', sentence, link }, 404);
}

export async function withdraw(request: Request, reply: FastifyReply) {
  const { kind, user } = await runCommand(request, (trx, actor) =>
    withdrawLink(trx, actor, userIdFrom(request), request.server.clock()),
  );
  const name = named(user.username);
  const sentence =
    kind === 'withdrawn'
      ? `The access link of ${name} is withdrawn.`
      : `There was no access link of ${name} any more.`;
  return reply.seeOther(userAddress(user.id, request), sentence);
}

export async function removeCode(request: Request, reply: FastifyReply) {
  const { kind, user } = await runCommand(request, (trx, actor) =>
    removeSecondFactor(trx, actor, userIdFrom(request), request.server.clock()),
  );
  if (kind === 'own') return reply.seeOther('/account', OWN);
  return reply.seeOther(
    userAddress(user.id, request),
    `The second factor of ${named(user.username)} is removed.`,
  );
}
