/** Brings a database to the newest version: each migration in a transaction of its own, with its number. */
import type { QueryExecutorProvider } from 'kysely';
import { StartError } from '../errors.ts';
import { engineOf } from './engine.ts';
import type { Db } from './schema.ts';
import { transact } from './transact.ts';

export type Migration = {
  sqlite(trx: QueryExecutorProvider): Promise<void>;
  postgres(trx: QueryExecutorProvider): Promise<void>;
};

/** Several processes may do this at once. */
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

/** @throws StartError when it was written by a Roster that knows more migrations. */
export function refuseNewer(name: string, version: number, newestVersion: number): void {
  if (version > newestVersion) {
    throw new StartError(
      `${name} was written by a newer Roster (version ${version}, this one knows ${newestVersion}); update Roster.`,
    );
  }
}
