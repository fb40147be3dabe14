/** Somebody with a name that can be found again in the bytes of files. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { sql } from 'kysely';
import { filePathOf } from '../../src/database-url.ts';
import type { Db } from '../../src/db/schema.ts';

/** Nobody else has such a letter, so that the search index keeps three in a row of them as they are. */
export const NAME = 'ჟღჭჯჰჶ ჲჳჴჵ';
export const TRIGRAMS = ['ჟღჭ', 'ღჭჯ', 'ჭჯჰ', 'ჯჰჶ', 'ჲჳჴ', 'ჳჴჵ'];

/** Everything that lies in the folder of a database of SQLite’s. */
export function bytesOf(url: string): Buffer {
  const folder = dirname(filePathOf(url) ?? '');
  return Buffer.concat(readdirSync(folder).map((name) => readFileSync(join(folder, name))));
}

export function found(bytes: Buffer | string, words: readonly string[]): string[] {
  return words.filter((word) => bytes.includes(word));
}

/** Of all tables, their indexes and what is kept beside them, statistics among it; not the write-ahead log. */
export async function filesOfPostgres(db: Db): Promise<Buffer> {
  await sql`checkpoint`.execute(db);
  const { rows } = await sql<{ folder: string }>`
    select current_setting('data_directory') || '/base/' || oid as folder from pg_database where datname = current_database()`.execute(
    db,
  );
  const folder = rows[0]?.folder ?? '';
  return Buffer.concat(readdirSync(folder).map((name) => readFileSync(join(folder, name))));
}
