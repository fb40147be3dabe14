/** Every file that Roster makes, beside the list of tables in `places.ts`: what becomes of somebody in it who is erased. */
import { readdirSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { filePathOf } from '../database-url.ts';
import { unless } from '../lib/make-file.ts';
import type { Erasure } from './queries.ts';

/**
 * `overwritten`: in its bytes, before it is said that they are gone. `gone`: removed, or without a name from the start.
 * `nobody`: holds nothing of anybody. `copy`: keeps them, for it is of before; the page says so while it lies beside the database.
 * `backup`: keeps them for as long as it is kept; the page says that there may be some.
 */
type Fate = 'overwritten' | 'gone' | 'nobody' | 'copy' | 'backup';

/** `name`: without what the database is called, where it begins with that. */
type OfFile = { name: RegExp; fate: Fate };

/** Beside the database, after its name. */
const BESIDE: readonly OfFile[] = [
  { name: /^(-wal|-shm|-journal)?$/, fate: 'overwritten' },
  { name: /^\.(erased\.jsonl|imports)$/, fate: 'nobody' },
  { name: /^\.before-version-\d+(\.\d+)?$/, fate: 'copy' },
  { name: /^\.before-restore-[\dT-]+Z$/, fate: 'copy' },
  // Of a command that was killed; the next one removes it.
  { name: /^\.(restoring|before-version-\d+(\.\d+)?\.new-.+)$/, fate: 'copy' },
];

/** Anywhere: the key, the folder of imports and what lies in it, exports on their way, backups. */
const OTHERS: readonly OfFile[] = [
  { name: /^secret\.key(\.new-.+)?$/, fate: 'nobody' },
  { name: /^identity(\.new-.+)?$/, fate: 'nobody' },
  { name: /^[\da-f-]{36}\.(csv|upload|stage|stage\.new|stage-journal)$/, fate: 'gone' },
  { name: /^roster-[\da-f-]{36}\.tmp$/, fate: 'gone' },
  { name: /^roster-[\dT-]+Z\.db(\.new-.+)?$/, fate: 'backup' },
  { name: /^(roster-[\dT-]+Z\.db\.key|erased\.jsonl)$/, fate: 'nobody' },
];

/** @param database what its file is called @returns undefined for a file that nobody has thought of */
export function fateOfFile(name: string, database: string): Fate | undefined {
  const rest = name.startsWith(database) ? name.slice(database.length) : undefined;
  const own = BESIDE.find((one) => rest !== undefined && one.name.test(rest));
  return (own ?? OTHERS.find((one) => one.name.test(name)))?.fate;
}

/** The names of copies of before beside the database that may still hold somebody, until they are removed. */
export function copiesWith({ created_at, gone_at }: Erasure, databaseUrl: string): string[] {
  const path = filePathOf(databaseUrl);
  if (path === undefined) return [];
  const names = unless(['ENOENT'], () => readdirSync(dirname(path))) ?? [];
  return names.filter((name) => {
    if (fateOfFile(name, basename(path)) !== 'copy') return false;
    const at = statSync(join(dirname(path), name), { throwIfNoEntry: false })?.mtimeMs ?? 0;
    return at >= created_at && at <= (gone_at ?? Number.POSITIVE_INFINITY);
  });
}
