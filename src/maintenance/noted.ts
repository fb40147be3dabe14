/** A run of a backup or a check that is noted, where the database takes a note; it is done either way. */
import type { Db } from '../db/schema.ts';
import { transact } from '../db/transact.ts';
import { beginRun, endRun, type Run } from './queries.ts';

type Ended = Parameters<typeof endRun>[2];

/** @throws what `work` throws, which is noted as bad */
export async function noted<T>(
  db: Db,
  kind: Run['kind'],
  work: () => Promise<{ result: T; ended: Ended }>,
): Promise<T> {
  const id = await transact(db, (trx) => beginRun(trx, kind, Date.now())).catch(sayThatItCannot);
  const note = async (ended: Ended) => {
    if (id !== undefined)
      await transact(db, (trx) => endRun(trx, id, ended, Date.now())).catch(sayThatItCannot);
  };
  try {
    const { result, ended } = await work();
    await note(ended);
    return result;
  } catch (error) {
    await note({ outcome: 'bad', problem: `It could not be done: ${(error as Error).message}.` });
    throw error;
  }
}

function sayThatItCannot(error: Error): undefined {
  console.warn(`The database takes no note of this: ${error.message}.`);
}
