/** Tickets: each stands for the right password while someone looks for their telephone, and begins one session. */

import type { Db, Trx } from '../db/schema.ts';
import { isWithin } from '../lib/clock.ts';
import type { Credentials } from './credentials.ts';
import { hashOf, newToken } from './tokens.ts';

export const TICKET_LASTS = 5 * 60_000;

export async function insertTicket(trx: Trx, credentials: Credentials, now: number): Promise<string> {
  const token = newToken();
  const ticket = { token_hash: hashOf(token), user_id: credentials.user_id, created_at: now };
  await trx
    .insertInto('tickets')
    .values({ ...ticket, credentials_hash: hashOf(credentials.password_hash) })
    .execute();
  return token;
}

export async function findTicketHolder(db: Db, token: string, now: number): Promise<Credentials | undefined> {
  const found = await db
    .selectFrom('tickets')
    .innerJoin('credentials', 'credentials.user_id', 'tickets.user_id')
    .selectAll('credentials')
    .select(['tickets.credentials_hash', 'tickets.created_at'])
    .where('tickets.token_hash', '=', hashOf(token))
    .executeTakeFirst();
  if (found === undefined) return undefined;
  const { credentials_hash, created_at, ...credentials } = found;
  const isGood =
    isWithin(created_at, TICKET_LASTS, now) && credentials_hash === hashOf(credentials.password_hash);
  return isGood ? credentials : undefined;
}

export async function redeemTicket(trx: Trx, token: string): Promise<boolean> {
  const { numDeletedRows } = await trx
    .deleteFrom('tickets')
    .where('token_hash', '=', hashOf(token))
    .executeTakeFirstOrThrow();
  return numDeletedRows > 0n;
}
