/** Databases as earlier Rosters have left them: `README.md` says which. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { Kysely } from 'kysely';
import pg from 'pg';
import { inject, onTestFinished } from 'vitest';
import { postgresDialect } from '../../../src/db/postgres/dialect.ts';
import { openPool } from '../../../src/db/postgres/pool.ts';
import type { Db, Schema } from '../../../src/db/schema.ts';
import { sqliteDialect } from '../../../src/db/sqlite/dialect.ts';
import { temporaryUrl } from '../../support.ts';

/** The address of a database of a version. */
export async function restoreVersion(version: number, engine = inject('engine')): Promise<string> {
  const url = await temporaryUrl(engine);
  const path = pathOf(url);
  if (path !== undefined) writeFileSync(path, saved(`${version}.db.gz`));
  else await send(url, saved(`${version}.sql.gz`).toString());
  return url;
}

/** Opens a database at the version it has. */
export function openAsItIs(url: string): Db {
  const path = pathOf(url);
  const dialect = path !== undefined ? sqliteDialect(path) : postgresDialect(openPool(url));
  const db = new Kysely<Schema>({ dialect });
  onTestFinished(() => db.destroy());
  return db;
}

function pathOf(url: string): string | undefined {
  return url.startsWith('sqlite:') ? url.slice('sqlite:'.length) : undefined;
}

function saved(name: string): Buffer {
  return gunzipSync(readFileSync(join(import.meta.dirname, name)));
}

async function send(url: string, statements: string): Promise<void> {
  const client = new pg.Client(url);
  await client.connect();
  await client.query('create extension if not exists pg_trgm');
  const { rows } = await client.query(
    `select extnamespace::regnamespace as name from pg_extension where extname = 'pg_trgm'`,
  );
  // Where it was when the statements were written down, and where it is.
  await client.query(statements.replaceAll('"public"', rows[0].name));
  await client.end();
}
