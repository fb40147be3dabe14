/** Brings a database to the newest version: each migration in a transaction of its own, with its number. */
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
export type Migration = {
  sqlite(trx: QueryExecutorProvider): Promise<void>;
  postgres(trx: QueryExecutorProvider): Promise<void>;
};

/** Runs what is missing of `migrations`; the first has number 1. Several processes may do so at once. */
export async function migrate(db: Db, migrations: readonly Migration[]): Promise<void> {
  const engine = engineOf(db);
  for (const [index, migration] of migrations.entries()) {
    if ((await engine.readVersion(db)) > index) continue;
    await transact(db, async (trx) => {
      // Read again inside the transaction: another process may have run this migration while we waited for our turn.
      if ((await engine.lockVersion(trx)) > index) return;
      await migration[engine.name](trx);
      await engine.writeVersion(trx, index + 1);
    });
  }
}

/**
 * @param database what to call it in a sentence.
 * @throws StartError when it was written by a Roster that knows more migrations.
 */
export function refuseNewer(database: string, version: number, newestVersion: number): void {
  if (version > newestVersion) {
    throw new StartError(
      `${database} was written by a newer Roster (version ${version}, this one knows ${newestVersion}); update Roster.`,
    );
  }
}
