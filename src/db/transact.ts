/** Transactions: all of what a piece of work writes is saved, or nothing. */
import { setTimeout } from 'node:timers/promises';
import { ContendedError } from '../errors.ts';
import type { Db, Trx } from './schema.ts';

const MOST_ATTEMPTS = 5;
/** No attempt begins later than this after the first one, in milliseconds. */
const PATIENCE = 2_000;
/** The longest wait before the second attempt, in milliseconds; before each further one it is twice as long. */
const PAUSE = 20;

/**
 * Runs `work` in a transaction that may write, and again where the database asked for that: `work` may run several
 * times, and what it writes is saved once.
 * @throws NotUniqueError, UnavailableError when nothing was saved, and OutcomeUnknownError.
 */
export async function transact<T>(db: Db, work: (trx: Trx) => Promise<T>): Promise<T> {
  const until = performance.now() + PATIENCE;
  for (let attempt = 1; ; attempt++) {
    const followUps: (() => void)[] = [];
    try {
      const result = await db.transaction().execute((trx) => {
        followUpsOf.set(trx, followUps);
        return work(trx);
      });
      for (const followUp of followUps) followUp();
      return result;
    } catch (error) {
      if (!(error instanceof ContendedError) || attempt === MOST_ATTEMPTS || performance.now() > until)
        throw error;
      // At random: those who met here would otherwise meet again.
      await setTimeout(Math.random() * PAUSE * 2 ** (attempt - 1));
    }
  }
}

/** Of each transaction that is under way. */
const followUpsOf = new WeakMap<Trx, (() => void)[]>();

/** Has something done once all of a transaction is saved, and not at all if it is not. */
export function afterCommit(trx: Trx, followUp: () => void): void {
  const followUps = followUpsOf.get(trx);
  if (followUps === undefined) throw new Error('Only `transact` knows when a transaction is saved.');
  followUps.push(followUp);
}

/** Runs `work` in a transaction that reads all of the database as it is at its first query. */
export async function readSnapshot<T>(db: Db, work: (trx: Trx) => Promise<T>): Promise<T> {
  return db.transaction().setIsolationLevel('repeatable read').setAccessMode('read only').execute(work);
}
