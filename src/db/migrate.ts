/** Brings a database to the newest version: each migration in one transaction with its number, or in steps before it. */
import { setTimeout } from 'node:timers/promises';
import type { QueryExecutorProvider } from 'kysely';
import { StartError } from '../errors.ts';
import { engineOf } from './engine.ts';
import type { Db } from './schema.ts';
import { transact } from './transact.ts';

/**
 * What changes on each engine. A new one is the next number's file in `migrations/` and the next entry of `MIGRATIONS`:
 * SQL as text alone, with its own copy of whatever it needs of ours, and never changed once released, so that it does
 * the same in ten years.
 */
export type Migration = PerEngine<Promise<void>> & {
  /**
   * Does a part of what takes long, and says whether there is more; it keeps in the database how far it has come. Each part
   * is saved by itself, so that whoever migrates next goes on where this one was ended.
   */
  step?: PerEngine<Promise<boolean>>;
};

type PerEngine<T> = { sqlite(trx: QueryExecutorProvider): T; postgres(trx: QueryExecutorProvider): T };

/** A small database is brought up to date in one transaction, and in a large one no transaction is long, in milliseconds. */
const LONG = 1_000;
/** In milliseconds. */
const TURN_OF_OTHERS = 50;

/** Runs what is missing of `migrations`; the first has number 1. Several processes may do so at once. */
export async function migrate(db: Db, migrations: readonly Migration[], long = LONG): Promise<void> {
  const engine = engineOf(db);
  for (const [index, migration] of migrations.entries()) {
    let isLong = false;
    while ((await engine.readVersion(db)) <= index) {
      // Another process that waits for its turn asks every few milliseconds.
      if (isLong) await setTimeout(TURN_OF_OTHERS);
      await transact(db, async (trx) => {
        // Read again inside the transaction: another process may have run this migration while we waited for our turn.
        if ((await engine.lockVersion(trx)) > index) return;
        const until = performance.now() + long;
        while (await migration.step?.[engine.name](trx)) {
          if (performance.now() < until) continue;
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
