/** What PostgreSQL's errors mean to Roster: https://www.postgresql.org/docs/18/errcodes-appendix.html */
import { DatabaseError } from 'pg';
import {
  ContendedError,
  DamagedError,
  type DatabaseFailure,
  LockedError,
  NotUniqueError,
  TooBroadError,
  UnavailableError,
} from '../../errors.ts';

export const QUERY_CANCELED = '57014';
const LOCK_NOT_AVAILABLE = '55P03';

/** States in which the server ends the connection, or does not know itself what became of a statement. */
const LOST = /^(08|57P|58|XX|25P03|25P04|40003)/;

/** States of a server that is well and cannot do it now: out of room, too slow. */
const UNAVAILABLE = /^(53|57014)/;

const DAMAGED = /^XX00[12]/;

/** Whether the server goes on answering. By the state, since servers translate the severity. */
export function isRefusal(error: unknown): error is DatabaseError {
  if (!(error instanceof DatabaseError)) return false;
  const { code = '' } = error;
  return DAMAGED.test(code) || !LOST.test(code);
}

/** Whether a standby speaks: so it answers who asks how far the primary is, and who writes. To others 25006 is a rule of our own. */
export function isOfStandby(error: unknown, isWriting: boolean): boolean {
  if (!(error instanceof DatabaseError)) return false;
  return error.code === '55000' || (isWriting && error.code === '25006');
}

function isCanceled(error: unknown): boolean {
  return error instanceof UnavailableError && (error.cause as { code?: string })?.code === QUERY_CANCELED;
}

/** @throws TooBroadError in the place of what the server says when it has taken too long for a question. */
export async function asTooBroad<T>(question: () => Promise<T>): Promise<T> {
  try {
    return await question();
  } catch (error) {
    if (!isCanceled(error)) throw error;
    throw new TooBroadError('The database took too long to find it.', { cause: error });
  }
}

/** Whether another server may well answer the same question. One that has taken too long would take others as long, and what a replica has locked is mostly locked on the primary as well. */
export function isServersFault(error: unknown): error is DatabaseFailure {
  if (error instanceof DamagedError) return true;
  return error instanceof UnavailableError && !(error instanceof LockedError) && !isCanceled(error);
}

export function translated(error: unknown): unknown {
  if (!isRefusal(error)) return new UnavailableError('the connection was lost', { cause: error });
  const { code = '', message } = error;
  if (code === '23505') return new NotUniqueError(message, { cause: error });
  if (code === '40001' || code === '40P01') return new ContendedError(message, { cause: error });
  if (code === LOCK_NOT_AVAILABLE) return new LockedError(message, { cause: error });
  if (DAMAGED.test(code))
    return new DamagedError(
      `The database is damaged (${message}): stop Roster, keep its files as they are, and put back a backup`,
      {
        cause: error,
        reason: 'it is damaged',
      },
    );
  if (code === '53100') return new UnavailableError(message, { cause: error, reason: 'its disk is full' });
  return UNAVAILABLE.test(code) ? new UnavailableError(message, { cause: error }) : error;
}
