/** The access link that a form has asked for: how it is made, where it is shown, and the mail with it. */

import type { FastifyRequest } from 'fastify';
import { derivedToken, isToken, newToken } from '../auth/tokens.ts';
import type { User } from '../db/schema.ts';
import { transact } from '../db/transact.ts';
import type { Fields } from '../lib/forms.ts';
import { addressFor } from '../lib/url-for.ts';
import { fromParameter } from '../users/list/address.ts';
import { findUser } from '../users/queries.ts';
import { listBefore, type Request } from '../users/request.ts';
import { accessMailTo } from './access-mail.ts';
import { findMailOutcome, recordMail } from './mail-outcomes.ts';
import type { MailOutcome } from './mailer.ts';
import { findLink, type TokenOf } from './queries.ts';

/** The idempotency key of a form, of which its link is made. A new one for what is sent without. */
export function keyIn(body: unknown): string {
  const { key = '' } = (body ?? {}) as Fields;
  return isToken(key) ? key : newToken();
}

/** So the link is kept nowhere, and its page shows it again to the session that has made it. */
export function tokensFor({ server, session }: FastifyRequest, key: string): TokenOf {
  return (userId, madeAt) => derivedToken(server.secretKey, 'access link', session?.id, key, userId, madeAt);
}

/** @param isInvited by the form that invites, from which others may be invited */
export function linkAddress(userId: number, request: Request, key: string, isInvited = false): string {
  const from = fromParameter(listBefore(request)).replace('?', '&');
  return `/users/${userId}/invitation?key=${key}${isInvited ? '&invited=1' : ''}${from}`;
}

export async function findFormLink(request: FastifyRequest, user: User, key: string) {
  const { server, session, headers } = request;
  const tokenOf = tokensFor(request, key);
  const found = await findLink(server.db, user.id, server.clock(), tokenOf);
  const from = session && (await findUser(server.db, session.user_id));
  if (found === undefined || from === undefined) return undefined;
  const path = `/invitations/${tokenOf(user.id, found.madeAt)}`;
  const link = addressFor(server.config.origin, headers.host, path);
  const { endsAt, madeAt } = found;
  const mail = await findMailOutcome(server.db, user.id, madeAt);
  return { link, endsAt, mail, letter: accessMailTo(user, { link, endsAt, from }) };
}

/** Call it after the link is saved. Undefined where there is none any more, or no mail server. */
export async function mailLink(
  request: FastifyRequest,
  user: User,
  key: string,
): Promise<MailOutcome | undefined> {
  const { server, actor } = request;
  const { mailer, db, clock } = server;
  if (mailer === undefined) return undefined;
  const found = await findFormLink(request, user, key);
  if (found === undefined || actor === undefined) return undefined;
  if (found.mail === 'sent') return found.mail;
  // Known to this Roster alone: where several serve, another one that is asked before it is noted sends the link once more.
  const underWay = mailer.findUnderWay(found.link);
  if (underWay) return underWay;
  const outcome = await mailer.send(found.link, found.letter, request.log);
  // It is on its way, noted or not.
  await transact(db, (trx) => recordMail(trx, actor, user, outcome, clock())).catch((err) =>
    request.log.warn({ err }, 'what became of a mail could not be noted'),
  );
  return outcome;
}
