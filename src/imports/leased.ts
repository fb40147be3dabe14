/** An import that this process is at: what it writes of it, as long as nobody else is. */
import { randomUUID } from 'node:crypto';
import { LEASE, type Lease } from '../db/lease.ts';
import type { Db, Trx } from '../db/schema.ts';
import { transact } from '../db/transact.ts';
import { LONGEST_PAUSE } from '../jobs/failures.ts';
import type { Clock } from '../lib/clock.ts';
import type { Mutex } from '../lib/mutex.ts';
import type { Folder } from './folder.ts';
import { type Import, lockLeased, saveImport } from './queries.ts';

/** `warn` is told each error that an import has met; `alone` is shared with the jobs that are done in the same thread. */
export type ImportRunner = {
  db: Db;
  alone: Mutex;
  folder: Folder;
  clock: Clock;
  warn: (imported: number, error: unknown) => void;
};

/** Somebody wants it read differently, or not at all; or Roster is ending, and goes on later. */
export class AbandonedError extends Error {
  override name = 'AbandonedError';
}

export function leaseOf({ clock }: Pick<ImportRunner, 'clock'>): Lease {
  const now = clock();
  return { owner: randomUUID(), now, until: now + LEASE, latest: now + LONGEST_PAUSE };
}

export async function save(
  runner: ImportRunner,
  imported: Import,
  values: Parameters<typeof saveImport>[2],
): Promise<void> {
  await whileLeased(runner, imported, (trx) => saveImport(trx, imported.id, values));
}

/** Once it is somebody else's, nothing more is written. @throws AbandonedError */
export async function whileLeased<T>(
  { db }: ImportRunner,
  imported: Import,
  work: (trx: Trx) => Promise<T>,
): Promise<T> {
  return transact(db, async (trx) => {
    if (await lockLeased(trx, imported)) return work(trx);
    throw new AbandonedError('It is not wanted any more as it was.');
  });
}
