/** Statements that may take longer than a page waits for anything: for the server, and for the client that asks it. */
import type { CompiledQuery } from 'kysely';
import type pg from 'pg';
import type { Deadline } from '../../lib/deadline.ts';
import type { Db } from '../schema.ts';
import { QUERY_CANCELED } from './errors.ts';
import { REQUEST_LIMITS, REQUEST_TIMEOUTS } from './timeouts.ts';

const USUAL = REQUEST_LIMITS.statement_timeout;
/** In milliseconds. Whatever the deadline: a server that has lost its client may go on for so long. */
const LONGEST = 600_000;
/** A server that is silent for so much longer counts as lost. */
const SILENCE = REQUEST_TIMEOUTS.query_timeout - USUAL;
const LOOK_EVERY = 500;

/** `limit`: the time that it has, where that is another than usual, in milliseconds; `deadline`: where that is longer. */
export type LongQuery = CompiledQuery & { limit?: number; deadline?: Deadline };

/** In a transaction all statements may take as long from then on. @param patience in milliseconds */
export async function askWithin<R>(
  db: Db,
  query: CompiledQuery<R>,
  patience: number,
  deadline: Deadline,
): Promise<R[]> {
  const limit = Math.min(patience, LONGEST);
  const patient = { ...query, limit, ...(limit > USUAL && { deadline }) };
  return (await db.executeQuery<R>(patient)).rows;
}

/** Given up as soon as the deadline is past, which it may be sooner than was thought: nobody waits for it any more. */
export async function askUntil(
  client: Pick<pg.Client, 'query' | 'end'>,
  query: { text: string; values: unknown[] },
  deadline: Deadline,
): Promise<pg.QueryResult> {
  let isGivenUp = false;
  const timer = setInterval(() => {
    isGivenUp = deadline.left < -SILENCE;
    if (isGivenUp) void client.end();
  }, LOOK_EVERY);
  const patient = { ...query, query_timeout: Math.min(deadline.left, LONGEST) + SILENCE };
  try {
    return await client.query(patient);
  } catch (error) {
    if (isGivenUp) throw Object.assign(new Error('Nobody waits for it.'), { code: QUERY_CANCELED });
    throw error;
  } finally {
    clearInterval(timer);
  }
}
