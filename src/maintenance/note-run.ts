/** A run of a backup or a check that is noted, where the database can be written; it is done either way, and wanted all the more. */
import type { Db, Trx } from '../db/schema.ts';
import { transact } from '../db/transact.ts';
import { beginRun, endRun, type Run } from './queries.ts';

type Ended = Parameters<typeof endRun>[2];

/** `id`: by which it is noted already that it begins. `endOf`: what is noted of what `work` throws. */
type RunOptions = { id?: number | undefined; isQuick?: boolean; endOf?: (message: string) => Ended };

/** @throws what `work` throws, which is noted */
export async function noteRun<T>(
  db: Db,
  kind: Run['kind'],
  work: () => Promise<{ result: T; ended: Ended }>,
  { id: given, isQuick, endOf = (message) => ({ outcome: 'bad', problem: message }) }: RunOptions = {},
): Promise<T> {
  const id = given ?? (await note(db, (trx) => beginRun(trx, kind, Date.now(), isQuick)));
  const end = async (ended: Ended) =>
    id !== undefined && note(db, (trx) => endRun(trx, id, ended, Date.now()));
  try {
    const { result, ended } = await work();
    await end(ended);
    return result;
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    await end(endOf(message));
    throw error;
  }
}

async function note<T>(db: Db, work: (trx: Trx) => Promise<T>): Promise<T | undefined> {
  try {
    return await transact(db, work);
  } catch (error) {
    console.warn(
      `Warning: the database cannot be written, so nothing is noted there (${(error as Error).message}).`,
    );
    return undefined;
  }
}
