/** What the databases' own ways of loading a file take, into a table with the same unique keys and nothing else. */
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import type { Engine } from '../workspace.ts';

const TABLE =
  'create table bare (username text unique, email text unique, full_name text, status text, role text)';

type Where = { folder: string; file: string; url: string };

export async function timeBareTable(engine: Engine, where: Where): Promise<string> {
  return engine === 'postgres' ? byCopy(where) : byShell(where);
}

/** In a temporary folder that the server, which may be another user of the machine, can read. */
async function byCopy({ folder, file, url }: Where): Promise<string> {
  chmodSync(folder, 0o755);
  const client = new pg.Client(url);
  await client.connect();
  await client.query(TABLE);
  const begun = performance.now();
  await client.query(`copy bare from '${file}' with (format csv, header)`);
  const seconds = (performance.now() - begun) / 1000;
  await client.query('drop table bare');
  await client.end();
  return `${seconds.toFixed(1)} s by copy`;
}

function byShell({ folder, file }: Where): string {
  const path = join(folder, 'bare.db');
  if (spawnSync('sqlite3', [path, `pragma journal_mode = wal; ${TABLE}`]).error)
    return 'not measured, for there is no sqlite3';
  const begun = performance.now();
  execFileSync('sqlite3', [path, '.mode csv', `.import --skip 1 ${file} bare`]);
  return `${((performance.now() - begun) / 1000).toFixed(1)} s by .import`;
}
