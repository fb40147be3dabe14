/** Migrates a database and stops, for good, in the middle of one more migration; says so on standard output. */
import { sql } from 'kysely';
import { openDatabase } from '../../src/db/database.ts';
import { type Migration, migrate } from '../../src/db/migrate.ts';
import { MIGRATIONS } from '../../src/db/migration-list.ts';
import type { Trx } from '../../src/db/schema.ts';

async function half(trx: Trx): Promise<void> {
  await sql`create table half (a integer)`.execute(trx);
  console.log('half done');
  setInterval(() => {}, 1000);
  await new Promise(() => {});
}

const none = async () => {};
const db = await openDatabase(String(process.argv[2]));
const ours = { sqlite: none, postgres: none };
const migrations: Migration[] = [...MIGRATIONS.map(() => ours), { sqlite: half, postgres: half }];
await migrate(db, migrations);
