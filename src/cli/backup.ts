/** `npm run roster -- backup FILE|FOLDER`: everything of one moment in one file, while Roster runs. */
import { constants, setPriority } from 'node:os';
import { isMainThread } from 'node:worker_threads';
import { lookForKey, nextKeyFile } from '../auth/key-rotation.ts';
import { chooseDestination, type Destination, sentenceOf } from '../backup/destination.ts';
import { removeOlder } from '../backup/folder.ts';
import { type MadeBackup, makeBackup, type Source } from '../backup/make.ts';
import { type Config, readConfig } from '../config.ts';
import { filePathOf } from '../database-url.ts';
import { openToRead } from '../db/database.ts';
import { engineOf } from '../db/engine.ts';
import { ledgerOf } from '../erasure/ledger.ts';
import { StartError } from '../errors.ts';
import { bytesOf, usersOf } from '../lib/formats.ts';
import { ignoreErrors, whereLies } from '../lib/make-file.ts';
import { noteRun } from '../maintenance/note-run.ts';
import { readArguments } from './arguments.ts';
import { openUpToDate, refuseErased } from './named-database.ts';
import { StatusLine } from './status-line.ts';

const USAGE =
  'Say where to: npm run roster -- backup /srv/backups, or a file that is not there yet, such as roster.db; with --with-key, --compact, or in a folder --keep 14';

export async function backup(env: NodeJS.ProcessEnv, args: readonly string[]): Promise<void> {
  const { values, positionals } = readArguments(args, ['keep', 'run'], ['with-key', 'compact', 'force']);
  const [path, ...rest] = positionals;
  if (path === undefined || rest.length > 0) throw new StartError(USAGE);
  const { DATABASE_URL, SECRET_KEY_FILE } = env;
  const config = readConfig({ DATABASE_URL, SECRET_KEY_FILE });
  const isForced = values.force ?? false;
  giveWayToOthers();
  const withKey = values['with-key'] ?? false;
  const destination = chooseDestination(path, { now: Date.now(), isForced, withKey, own: filesOf(config) });
  const keep = readKeep(values.keep, destination);
  const refuseOrphaned = values.run === undefined ? () => {} : watchOwner();
  // It is written to where it can be: what becomes of the backup is noted there.
  const db = await openUpToDate(config.databaseUrl).catch(() => openToRead(config.databaseUrl));
  try {
    await refuseErased(db, config.databaseUrl, ledgerOf(config.databaseUrl, config.secretKeyFile));
    const options = { withKey, isCompact: values.compact ?? false };
    const work = async () => {
      const made = await make({ ...config, db }, destination, { ...options, refuseOrphaned });
      const { file, size, users } = made;
      return { result: made, ended: { outcome: 'good' as const, file, size, users } };
    };
    // By the number by which Roster itself has noted that it begins.
    const made = await noteRun(db, 'backup', work, { id: Number(values.run) || undefined });
    report(made, config);
    if (keep !== undefined) prune(made.file, keep);
    for (const line of await engineOf(db).adviseOnBackups(db)) console.log(line);
  } finally {
    await db.destroy();
  }
}

/** A Roster that has it made keeps the input open as long as it lives: another one makes it anew. @returns refuses to go on once it is gone */
function watchOwner(): () => void {
  let isGone = false;
  process.stdin.once('end', () => {
    isGone = true;
  });
  // It is not waited for; a file would not be in any case.
  process.stdin.resume().unref?.();
  return () => {
    if (isGone) throw new StartError('The process of Roster that had it made has ended meanwhile.');
  };
}

/** Also those of another Roster's on the machine. */
function giveWayToOthers(): void {
  // In a thread, as in tests, it would be for the rest of its life.
  if (isMainThread) ignoreErrors(['EPERM', 'EACCES'], () => setPriority(constants.priority.PRIORITY_LOW));
}

function filesOf({ databaseUrl, secretKeyFile }: Config): string[] {
  const file = filePathOf(databaseUrl);
  // SQLite keeps its own beside the file itself, wherever a symbolic link to that is.
  const database =
    file === undefined ? [] : [file, ...['', '-wal', '-shm'].map((end) => whereLies(file) + end)];
  return [...database, secretKeyFile, nextKeyFile(secretKeyFile), ledgerOf(databaseUrl, secretKeyFile)];
}

function readKeep(given: string | undefined, { isDated }: Destination): number | undefined {
  if (given === undefined) return undefined;
  const keep = Number(given);
  if (!isDated || !/^\d{1,5}$/.test(given) || keep < 1)
    throw new StartError('--keep says how many backups stay in a folder, such as --keep 14.');
  return keep;
}

type Wishes = { withKey: boolean; isCompact: boolean; refuseOrphaned: () => void };

async function make(
  source: Source,
  destination: Destination,
  { refuseOrphaned, ...wishes }: Wishes,
): Promise<MadeBackup> {
  const line = new StatusLine();
  const say = (what: string) => {
    refuseOrphaned();
    line.say(what);
  };
  try {
    return await makeBackup({ ...source, destination, ...wishes, say });
  } catch (error) {
    throw sentenceOf(destination.file, error);
  } finally {
    line.clear();
  }
}

function report({ file, size, users, took, key, faults, fingerprint }: MadeBackup, config: Config): void {
  const { secretKeyFile } = config;
  const seconds = (took / 1_000).toFixed(1);
  console.log(`${file}: ${usersOf(users)}, ${bytesOf(size)}, checked, in ${seconds} s`);
  const missing = fingerprint && lookForKey(secretKeyFile, fingerprint);
  if (missing) console.warn(`Warning: without the secret key. ${missing.what} ${missing.todo}`);
  else console.log(key === undefined ? withoutKey(secretKeyFile) : withKey(key));
  for (const fault of faults) console.warn(`Warning: in the database, and so in its backup: ${fault}`);
  if (faults.length > 0) console.warn('What to do about it says: npm run roster -- check');
}

function withoutKey(secretKeyFile: string): string {
  return `Without the secret key: whoever restores it on another machine needs ${secretKeyFile}, too, or second factors do not work there. Keep a copy of that elsewhere.`;
}

function withKey(key: string): string {
  return `The secret key is beside it, in ${key}: whoever has both has the secrets of all second factors.`;
}

function prune(newest: string, keep: number): void {
  try {
    const gone = removeOlder(newest, keep, Date.now());
    if (gone.length > 0) console.log(`Removed, as ${keep} are kept: ${gone.join(', ')}`);
  } catch (error) {
    console.warn(`Warning: older backups could not be removed: ${(error as Error).message}.`);
  }
}
