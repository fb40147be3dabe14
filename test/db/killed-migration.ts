/** Migrates a database file and stops, for good, in the middle of the second migration; says so on standard output. */
import { Kysely, sql } from 'kysely';
import { sqliteVersion } from '../../src/db/database.ts';
import { migrate } from '../../src/db/migrate.ts';
import type { Schema, Trx } from '../../src/db/schema.ts';
import { sqliteDialect } from '../../src/db/sqlite/dialect.ts';

const db = new Kysely<Schema>({ dialect: sqliteDialect(String(process.argv[2])) });
const one = { up: async (trx: Trx) => void (await sql`create table one (a integer) strict`.execute(trx)) };
const half = {
  async up(trx: Trx) {
    await sql`create table half (a integer) strict`.execute(trx);
    console.log('half done');
    setInterval(() => {}, 1000);
    await new Promise(() => {});
  },
};

await migrate(db, [one, half], sqliteVersion);
