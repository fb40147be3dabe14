/** Somebody with a name that can be found again in the bytes of files. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { filePathOf } from '../../src/database-url.ts';

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
