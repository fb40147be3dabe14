/** What a database is made of: tables, and whatever is on them; and whether that is what Roster makes. */
import SqliteFile from 'better-sqlite3';
import { Kysely, SqliteDialect } from 'kysely';
import { engineOf } from './engine.ts';
import { MIGRATIONS } from './migration-list.ts';
import type { Db, Schema } from './schema.ts';
import type { SchemaDrift } from './schema-parts.ts';

/** Of one that is up to date. A trigger would act on whatever Roster writes, and a table that is not there fails much later. */
export async function findSchemaDrift(db: Db): Promise<SchemaDrift[]> {
  const model = new Kysely<Schema>({
    dialect: new SqliteDialect({ database: new SqliteFile(':memory:') }),
  });
  try {
    for (const { step, sqlite } of MIGRATIONS) {
      while (await step?.sqlite(model));
      await sqlite(model);
    }
    return await engineOf(db).compareSchema(db, model);
  } finally {
    await model.destroy();
  }
}
