/** Brings a database to the newest version: each migration in one transaction with its number, or in steps before it. */
import { setTimeout } from 'node:timers/promises';
import type { QueryExecutorProvider } from 'kysely';
import { StartError } from '../errors.ts';
import { Deadline } from '../lib/deadline.ts';
import { engineOf } from './engine.ts';
import type { Db } from './schema.ts';
import { transact } from './transact.ts';

/** SQL as text, never changed once released, with its own copy of what it needs of ours: see `README.md`. */
export type Migration = PerEngine<Promise<void>> & {
  /** Does a part of what takes long, saved by itself with how far it has come; says whether there is more. */
  step?: PerEngine<Promise<boolean>>;
};

type PerEngine<T> = { sqlite(trx: QueryExecutorProvider): T; postgres(trx: QueryExecutorProvider): T };

const LONG_TRANSACTION_MS = 1_000;
const TURN_OF_OTHERS_MS = 50;

/** Runs what is missing of `migrations`; the first has number 1. Several processes may do so at once. */
export async function migrate(
  db: Db,
  migrations: readonly Migration[],
  longMs = LONG_TRANSACTION_MS,
): Promise<void> {
  const engine = engineOf(db);
  for (const [index, migration] of migrations.entries()) {
    let isLong = false;
    while ((await engine.readVersion(db)) <= index) {
      // Another process that waits for its turn asks every few milliseconds.
      if (isLong) await setTimeout(TURN_OF_OTHERS_MS);
      await transact(db, async (trx) => {
        // Another process may have run this migration while we waited for our turn.
        if ((await engine.lockVersion(trx)) > index) return;
        const deadline = Deadline.in(longMs);
        while (await migration.step?.[engine.name](trx)) {
          if (!deadline.isPast) continue;
          isLong = true;
          return;
        }
        await migration[engine.name](trx);
        await engine.writeVersion(trx, index + 1);
      });
    }
    // All rows may be new ones: everything is saved by now, and this only helps later queries.
    if (isLong) await engine.finishBulkLoad(db).catch(() => {});
  }
}

/** @throws StartError when it was written by a Roster that knows more migrations. */
export function refuseNewer(name: string, version: number, newestVersion: number): void {
  if (version > newestVersion) {
    throw new StartError(
      `${name} was written by a newer Roster (version ${version}, this one knows ${newestVersion}); update Roster.`,
    );
  }
}
