/** Every file that Roster makes, beside the list of tables in `tables.ts`: what becomes of somebody in it who is erased. */
import { readdirSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Config } from '../config.ts';
import { besideFile } from '../database-url.ts';
import { ownerOf } from '../imports/folder.ts';
import { ignoreErrors } from '../lib/make-file.ts';
import type { Erasure } from './queries.ts';

/**
 * `overwritten`: in its bytes, before it is said that they are gone. `gone`: removed, or without a name from the start.
 * `nobody`: holds nothing of anybody. `copy`: keeps them, for it is of before; the page says so while it lies beside the database.
 * `any copy`: the same, but may be of long before it was written, as where an old one had been put back.
 * `backup`: keeps them for as long as it is kept; the page says that there may be some.
 */
type Fate = 'overwritten' | 'gone' | 'nobody' | 'copy' | 'any copy' | 'backup';

/** `name`: without what the database or the key is called, where it begins with that. */
type OfFile = { name: RegExp; fate: Fate };

/** What is made once is made under another name first (`lib/make-file.ts`), in a folder that bears it, too. */
const ONCE = String.raw`(\.new(-\w{6})?(\.room)?)?`;
const PARTS = '(-wal|-shm|-journal)?';
/** Of a command that was killed: the next one removes it (`backup/draft-folder.ts`). */
const DRAFT = String.raw`\.new-[\w-]{8}-\d+`;
const STAMP = String.raw`\d{4}-\d\d-\d\dT\d\d-\d\d-\d\dZ`;

function named(pattern: string, fate: Fate): OfFile {
  return { name: new RegExp(`^${pattern}$`), fate };
}

/** Beside the database, after its name: the file’s, or with a server the key’s and the database’s. */
const BESIDE: readonly OfFile[] = [
  named(PARTS, 'overwritten'),
  named(String.raw`\.(erased\.jsonl|imports)`, 'nobody'),
  // A new one, or one that is being restored where there was none.
  named(`${ONCE}${PARTS}`, 'any copy'),
  named(String.raw`\.before-version-\d+(\.\d+)?${ONCE}${PARTS}`, 'copy'),
  named(String.raw`\.before-restore-${STAMP}(\.new|${PARTS})`, 'any copy'),
  named(String.raw`\.restoring(${DRAFT})?`, 'any copy'),
];

/** After the name of the file with the key: what it was before is called by its fingerprint. */
const KEYS: readonly OfFile[] = [named(String.raw`(\.next|\.[\da-f]{16})?${ONCE}`, 'nobody')];

/** Anywhere: in the folder of imports, on their way to whoever exports them, in the folders of commands, among backups. */
const OTHERS: readonly OfFile[] = [
  named(`identity${ONCE}`, 'nobody'),
  named(String.raw`roster-[\da-f-]{36}\.tmp`, 'gone'),
  named(String.raw`permissions-\w{6}`, 'nobody'),
  named(`restored\\.db${PARTS}`, 'any copy'),
  named(`roster-${STAMP}\\.db${PARTS}`, 'backup'),
  named('export', 'backup'),
  named(`(backup|compact)\\.db${ONCE}${PARTS}`, 'backup'),
  named(`(roster-${STAMP}|backup|compact)\\.db\\.key`, 'nobody'),
  named(String.raw`(roster-${STAMP}\.db\.)?erased\.jsonl`, 'nobody'),
  // Of a backup, or of an export, whatever whoever asks for it calls that.
  named(`.+${DRAFT}`, 'backup'),
];

/** `database`: what its file is called, or what those begin with that lie beside the key; `key`: what the key is called. */
export type Names = Readonly<Record<'database' | 'key', string>>;

/** @returns undefined for a file that nobody has thought of */
export function fateOfFile(name: string, { database, key }: Names): Fate | undefined {
  if (ownerOf(name) !== undefined) return 'gone';
  const found = [fateIn(BESIDE, name, database), fateIn(KEYS, name, key), fateIn(OTHERS, name, '')];
  return found.find((fate) => fate !== undefined);
}

function fateIn(files: readonly OfFile[], name: string, prefix: string): Fate | undefined {
  if (!name.startsWith(prefix)) return undefined;
  return files.find((one) => one.name.test(name.slice(prefix.length)))?.fate;
}

/** The names of copies of before beside the database that may still hold somebody, until they are removed. */
export function copiesWith(
  { created_at, gone_at }: Erasure,
  { databaseUrl, secretKeyFile }: Config,
): string[] {
  const beside = besideFile(databaseUrl, secretKeyFile, '');
  const names = { database: basename(beside), key: basename(secretKeyFile) };
  return (ignoreErrors(['ENOENT'], () => readdirSync(dirname(beside))) ?? []).filter((name) => {
    const fate = fateOfFile(name, names);
    const at = statSync(join(dirname(beside), name), { throwIfNoEntry: false })?.mtimeMs ?? 0;
    const isOfBefore = fate === 'any copy' || (fate === 'copy' && at <= (gone_at ?? at));
    return isOfBefore && at >= created_at;
  });
}
