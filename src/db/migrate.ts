/** Brings a database to the newest version: each migration in a transaction of its own, with its number. */
import type { Db, Trx } from './schema.ts';

export type Migration = { up(trx: Trx): Promise<void> };

/** How an engine remembers the number of the last migration. */
export type VersionStore = {
  read(db: Db): Promise<number>;
  write(trx: Trx, version: number): Promise<void>;
};

/** Runs what is missing of `migrations`; the first has number 1. Several processes may do so at once. */
export async function migrate(
  db: Db,
  migrations: readonly Migration[],
  versions: VersionStore,
): Promise<void> {
  for (const [index, migration] of migrations.entries()) {
    if ((await versions.read(db)) > index) continue;
    await db.transaction().execute(async (trx) => {
      // Read again inside the transaction: another process may have run this migration while we waited for our turn.
      if ((await versions.read(trx)) > index) return;
      await migration.up(trx);
      await versions.write(trx, index + 1);
    });
  }
}
