/** Somebody with a name that can be found again in the bytes of files. */
import { createReadStream, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { sql } from 'kysely';
import { filePathOf } from '../../src/database-url.ts';
import type { Db } from '../../src/db/schema.ts';

/** Nobody else has such a letter, so that the search index keeps three in a row of them as they are. */
export const NAME = 'ჟღჭჯჰჶ ჲჳჴჵ';
export const TRIGRAMS = ['ჟღჭ', 'ღჭჯ', 'ჭჯჰ', 'ჯჰჶ', 'ჲჳჴ', 'ჳჴჵ'];

/** Everything that lies in the folder of a database of SQLite’s. */
export function bytesOf(url: string): Buffer {
  return bytesIn(dirname(filePathOf(url) ?? ''));
}

/** Everything that lies in a folder, with the names of its files, and in those in it. */
export function bytesIn(folder: string): Buffer {
  return Buffer.concat(filesIn(folder).flatMap((path) => [Buffer.from(path), readFileSync(path)]));
}

export function filesIn(folder: string): string[] {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
}

/** Of files that may be larger than memory: which words are in any of them, and how many bytes these are. */
export async function foundInFiles(paths: readonly string[], words: readonly string[]) {
  const missing = new Map(words.map((word) => [word, needleOf(word)]));
  const longest = Math.max(...[...missing.values()].map(({ length }) => length));
  let bytes = 0;
  for (const path of paths) {
    let end: Buffer = Buffer.alloc(0);
    for await (const chunk of createReadStream(path, { highWaterMark: 8 * 1024 * 1024 })) {
      bytes += chunk.length;
      // A word may begin in one part and end in the next.
      const part = Buffer.concat([end, chunk]);
      for (const [word, needle] of missing) if (part.includes(needle)) missing.delete(word);
      end = part.subarray(-longest);
    }
  }
  return { found: words.filter((word) => !missing.has(word)), bytes };
}

export function found(text: Buffer | string, words: readonly string[]): string[] {
  if (typeof text === 'string') return words.filter((word) => text.includes(word));
  return words.filter((word) => text.includes(needleOf(word)));
}

/** The first two bytes of each letter of NAME, in UTF-8. */
const ALPHABET = Buffer.from('ჟ').subarray(0, 2);

/**
 * Of a term FTS5 keeps only what differs from the one before it (https://sqlite.org/fts5.html#fts5_data_structures): of all but one
 * of those that begin with these letters, what follows the bytes that are the same in each.
 */
function needleOf(word: string): Buffer {
  const bytes = Buffer.from(word);
  return bytes.subarray(bytes.indexOf(ALPHABET) === 0 ? ALPHABET.length : 0);
}

/** What the search index holds, in its own tables. */
export function bytesOfIndex(url: string): Buffer {
  const db = new Sqlite(filePathOf(url) ?? '', { readonly: true });
  try {
    return Buffer.concat(db.prepare('select block from users_search_0_data').pluck().all() as Buffer[]);
  } finally {
    db.close();
  }
}

/** Of all tables, their indexes and what is kept beside them, statistics among it; not the write-ahead log. */
export async function filesOfPostgres(db: Db): Promise<Buffer> {
  const folder = await folderOfPostgres(db);
  return Buffer.concat(readdirSync(folder).map((name) => readFileSync(join(folder, name))));
}

/** In which they lie, as they are by now. */
export async function folderOfPostgres(db: Db): Promise<string> {
  await sql`checkpoint`.execute(db);
  const { rows } = await sql<{ folder: string }>`
    select current_setting('data_directory') || '/base/' || oid as folder from pg_database where datname = current_database()`.execute(
    db,
  );
  return rows[0]?.folder ?? '';
}
