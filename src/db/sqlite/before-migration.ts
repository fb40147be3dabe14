/** What a file was before it is brought to another version is kept beside it: an older Roster refuses what a newer one has written. */
import { chmodSync, constants, copyFileSync, readdirSync, realpathSync, rmSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import Sqlite from 'better-sqlite3';
import { StartError } from '../../errors.ts';
import { roomBeside } from '../../lib/disk-space.ts';
import { bytesOf } from '../../lib/formats.ts';
import { isThere, makeFileOnce, syncFile } from '../../lib/make-file.ts';
import { isWhole } from '../backup-file.ts';
import { backfill } from './checkpoint.ts';
import { migrationOf } from './generation.ts';
import { GroupCommit, retryWhileBusy } from './group-commit.ts';
import { headerAt } from './header.ts';
import { readUserVersion, Statements } from './statements.ts';

const LOOK_AGAIN_AFTER_MS = 50;
/** What the migrations themselves may take. */
const ROOM_TO_MIGRATE = 16 * 1024 * 1024;

export type Kept = { path: string; size: number; version: number; earlier: string[] };

/** @returns nothing where none is wanted, or the good one was kept before @throws StartError where there is no room for it */
export async function keepBeforeMigration(path: string, newest: number): Promise<Kept | undefined> {
  const real = realpathSync(path);
  const inFile = migrationOf(headerAt(real)?.version ?? 0);
  // 0: it is new. The log has no lower one.
  if (inFile === 0 || inFile >= newest) return undefined;
  const open = () => new Statements(new Sqlite(real, { timeout: 0 }));
  const [writer, other] = [open(), open()];
  try {
    // Nobody changes anything until it is copied; and nothing of this process has the file open, whose locks the end of that takes away.
    await retryWhileBusy(() => writer.run('begin immediate'), GroupCommit.deadline());
    const version = readUserVersion(writer);
    removeUnfinished(real);
    // Of one that is half made there is nothing to go back to: its first start was ended, or another Roster is at it.
    const isWanted = migrationOf(version) < newest && isUsed(writer);
    const name = isWanted ? nameFor(real, newest, version, writer) : undefined;
    if (name === undefined) return undefined;
    await saveLog(other, path);
    makeFileOnce(name, (draft) => copyFile(real, draft, name));
    const { size } = statSync(name);
    return { path: name, size, version: migrationOf(version), earlier: othersBeside(real, name) };
  } finally {
    writer.db.close();
    other.db.close();
  }
}

/** Undefined where it is there. @param writer has the file open */
function nameFor(real: string, newest: number, version: number, writer: Statements): string | undefined {
  for (let count = 1; ; count++) {
    const name = `${real}.before-version-${newest}${count === 1 ? '' : `.${count}`}`;
    if (!isThere(name)) return name;
    const kept = headerAt(name)?.version;
    if (kept !== undefined && !isWhole(name)) continue;
    // What is no database stands for a copy that somebody has made elsewhere.
    if (kept === undefined || kept === version) return undefined;
    if (migrationOf(kept) < migrationOf(version) && isItsBeginning(name, writer)) return undefined;
  }
}

/** Whether migrations alone came between both: whoever works with a database gives numbers, to sessions at the least. */
function isItsBeginning(kept: string, writer: Statements): boolean {
  try {
    const file = new Statements(new Sqlite(kept));
    try {
      const now = lastNumbers(writer);
      // Tables that migrations have made or removed since tell nothing.
      return [...lastNumbers(file)].every(([table, last]) => (now.get(table) ?? 0) === last);
    } finally {
      file.db.close();
    }
  } catch {
    return false;
  }
}

function isUsed(writer: Statements): boolean {
  return [...lastNumbers(writer).values()].some((last) => last > 0);
}

/** Of each table the highest number that was ever given in it, 0 where none was. */
function lastNumbers(statements: Statements): Map<string, number> {
  const { rows } = statements.run<{ name: string; last: number }>(
    `select name, coalesce(seq, 0) as last from sqlite_schema left join sqlite_sequence using (name) where type = 'table'`,
  );
  return new Map(rows.map(({ name, last }) => [name, last]));
}

/** By whoever was killed: all others wait for the lock that is held here. */
function removeUnfinished(real: string): void {
  const prefix = `${basename(real)}.before-version-`;
  for (const name of readdirSync(dirname(real)))
    if (name.startsWith(prefix) && /^\d+(\.\d+)?\.new-\w{6}$/.test(name.slice(prefix.length)))
      rmSync(join(dirname(real), name), { recursive: true, force: true });
}

async function saveLog(other: Statements, path: string): Promise<void> {
  other.execute('pragma synchronous = FULL');
  for (const deadline = GroupCommit.deadline(); !backfill(other); await setTimeout(LOOK_AGAIN_AFTER_MS))
    if (deadline.isPast)
      throw new StartError(
        `${path} is to be brought to a newer version, and another program is reading it: wait until that has ended.`,
      );
}

function copyFile(real: string, draft: string, name: string): void {
  try {
    copyFileSync(real, draft, constants.COPYFILE_FICLONE_FORCE);
  } catch {
    const needed = statSync(real).size + ROOM_TO_MIGRATE;
    if (roomBeside(real) < needed)
      throw new StartError(
        `${real} is to be brought to a newer version, and there is no room to keep a copy of it as it is (${bytesOf(needed)}): make room, or copy it elsewhere while no Roster runs, and make an empty file ${name}. Nothing was changed.`,
      );
    copyFileSync(real, draft);
  }
  chmodSync(draft, 0o600);
  syncFile(draft);
}

function othersBeside(real: string, kept: string): string[] {
  const names = readdirSync(dirname(real)).filter((name) =>
    name.startsWith(`${basename(real)}.before-version-`),
  );
  const paths = names
    .filter((name) => /\.before-version-\d+(\.\d+)?$/.test(name))
    .map((name) => join(dirname(real), name));
  return paths.filter((path) => path !== kept).sort();
}
