/** Transactions: all of what a piece of work writes is saved, or nothing. */
import { setTimeout } from 'node:timers/promises';
import type { CompiledQuery } from 'kysely';
import { ContendedError } from '../errors.ts';
import { Deadline } from '../lib/deadline.ts';
import { engineOf } from './engine.ts';
import type { Db, Trx } from './schema.ts';

const MOST_ATTEMPTS = 5;
const LAST_ATTEMPT_WITHIN_MS = 2_000;
const LONGEST_FIRST_PAUSE_MS = 20;

/** Saves once, though `work` may run again, until `deadline`. @throws NotUniqueError, OutcomeUnknownError, UnavailableError: nothing saved */
export async function transact<T>(
  db: Db,
  work: (trx: Trx) => Promise<T>,
  deadline = Deadline.in(LAST_ATTEMPT_WITHIN_MS),
): Promise<T> {
  let lockFirst: Lock | undefined;
  for (let attempt = 1; ; attempt++) {
    const ends: Ends = { lastWrites: new Set(), followUps: [], lockFirst: undefined };
    try {
      const result = await db.transaction().execute(async (trx) => {
        endsOf.set(trx, ends);
        await lockFirst?.(trx);
        const worked = await work(trx);
        const last = [...ends.lastWrites].flatMap((write) => write(trx));
        await engineOf(trx).writeTogether(trx, last);
        return worked;
      });
      for (const followUp of ends.followUps) followUp();
      return result;
    } catch (error) {
      if (!(error instanceof ContendedError) || attempt === MOST_ATTEMPTS || deadline.isPast) throw error;
      lockFirst = ends.lockFirst;
      // At random: those who met here would otherwise meet again.
      await setTimeout(Math.random() * LONGEST_FIRST_PAUSE_MS * 2 ** (attempt - 1));
    }
  }
}

type LastWrites = (trx: Trx) => CompiledQuery[];
type Lock = (trx: Trx) => Promise<unknown>;
type Ends = { lastWrites: Set<LastWrites>; followUps: (() => void)[]; lockFirst: Lock | undefined };

const endsOf = new WeakMap<Trx, Ends>();

/** Behind all else, in one journey to the server: for rows that others wait for. The same function is called once. */
export function writeLast(trx: Trx, writes: LastWrites): void {
  getEnds(trx).lastWrites.add(writes);
}

export function afterCommit(trx: Trx, followUp: () => void): void {
  getEnds(trx).followUps.push(followUp);
}

/** If this attempt is rolled back for others' sake, the next one begins with this, and holds nothing while it waits for it. */
export function lockFirstNextTime(trx: Trx, lock: Lock): void {
  getEnds(trx).lockFirst = lock;
}

function getEnds(trx: Trx): Ends {
  const ends = endsOf.get(trx);
  if (ends === undefined) throw new Error('Only `transact` knows when a transaction is saved.');
  return ends;
}

/** All that `work` reads is as it was at its first query. */
export async function readSnapshot<T>(db: Db, work: (trx: Trx) => Promise<T>): Promise<T> {
  return db.transaction().setIsolationLevel('repeatable read').setAccessMode('read only').execute(work);
}
