/** What became of the mails about a link: facts in the history, which outlast a restart and are there for every Roster. */
import type { Actor } from '../auth/actor.ts';
import type { Db, Trx, User } from '../db/schema.ts';
import { KINDS } from '../history/kinds.ts';
import { recordAccess } from '../history/record.ts';
import { MAIL_OUTCOMES, type MailOutcome } from './mailer.ts';

const SENT = 'access link sent by mail';
const NOT_SENT = 'access link not sent by mail';
const MOST_LOOKED_AT = 1_000;

export async function recordMail(
  trx: Trx,
  actor: Actor,
  user: Pick<User, 'id' | 'username'>,
  outcome: MailOutcome,
  now: number,
): Promise<void> {
  if (outcome === 'sent') await recordAccess(trx, actor, SENT, user, now);
  else await recordAccess(trx, actor, NOT_SENT, user, now, outcome);
}

export async function findMailOutcome(
  db: Db,
  userId: number,
  madeAt: number,
): Promise<MailOutcome | undefined> {
  const last = await db
    .selectFrom('change_sets')
    .select(['event', 'detail'])
    .where('subject_id', '=', userId)
    .where('at', '>=', madeAt)
    .where('event', 'in', [SENT, NOT_SENT])
    .orderBy('at', 'desc')
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst();
  return last?.event === SENT ? 'sent' : MAIL_OUTCOMES.find((outcome) => outcome === last?.detail);
}

/** Of all of them, the last that was sent and the last that was not, among what was done last to anybody's access. */
export async function findLastMails(db: Db): Promise<{ sent?: number; notSent?: number }> {
  const recent = db
    .selectFrom('change_sets')
    .select(['event', 'at'])
    .where('kind', '=', KINDS.access)
    .orderBy('at', 'desc')
    .limit(MOST_LOOKED_AT);
  const events = await recent.execute();
  const sent = events.find(({ event }) => event === SENT)?.at;
  const notSent = events.find(({ event }) => event === NOT_SENT)?.at;
  return { ...(sent !== undefined && { sent }), ...(notSent !== undefined && { notSent }) };
}
