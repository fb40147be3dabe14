/** A backup: everything of one moment in one file, which has its name once it is whole, on the disk and looked through. */
import { renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { writeKey } from '../auth/key-file.ts';
import { readKeyFinishingChange } from '../auth/key-rotation.ts';
import { loadKey, readFingerprint } from '../auth/secret-key.ts';
import { filePathOf } from '../database-url.ts';
import { compactFile, copyFile, makeWhole } from '../db/backup-file.ts';
import { openDatabase } from '../db/database.ts';
import { engineOf } from '../db/engine.ts';
import type { Db } from '../db/schema.ts';
import { ledgerOf } from '../erasure/ledger.ts';
import { StartError } from '../errors.ts';
import { freeBytes } from '../lib/disk-space.ts';
import { number } from '../lib/formats.ts';
import { syncFile, syncFolder } from '../lib/make-file.ts';
import { copyEverything } from './database-copy.ts';
import type { Destination } from './destination.ts';
import { type FreeBytes, requireRoomForBackup, watchLog } from './disk-space.ts';
import { makeDraftFolder, removeLeftOvers } from './draft-folder.ts';
import { keyBeside, ledgerBeside } from './file-names.ts';
import { bringLedger } from './ledger.ts';
import { type Verified, verify } from './verify.ts';

export type Source = { db: Db; databaseUrl: string; secretKeyFile: string };

export type Options = Source & {
  destination: Destination;
  withKey?: boolean;
  /** Without anything that was deleted; takes longer, and twice the room meanwhile. */
  isCompact?: boolean;
  free?: FreeBytes;
  say?: (what: string) => void;
};

/** `size` in bytes, `took` in milliseconds, `faults`: what is wrong in the database itself, a sentence each. */
export type MadeBackup = {
  file: string;
  size: number;
  users: number;
  took: number;
  key?: string;
  faults: string[];
  fingerprint: string | undefined;
};

/** @throws StartError and what a disk refuses: there is nothing of it then, and what was there before stays. */
export async function makeBackup(options: Options): Promise<MadeBackup> {
  const { db, destination, isCompact = false, free = freeBytes } = options;
  const began = performance.now();
  removeLeftOvers(destination.file);
  requireRoomForBackup(
    dirname(destination.file),
    (await engineOf(db).readSize(db)) * (isCompact ? 2 : 1),
    free,
  );
  const folder = makeDraftFolder(destination.file);
  try {
    const draft = await write(options, folder);
    options.say?.('checking it');
    const found = await verify(draft);
    syncFile(draft);
    const key = options.withKey ? keyOf(options.secretKeyFile, found) : undefined;
    const ledger = ledgerOf(options.databaseUrl, options.secretKeyFile);
    // An older one may be put back from a folder alone, which holds them all.
    await bringLedger(db, ledger, ledgerBeside(destination.file), destination.isDated);
    const { users, faults, fingerprint } = found;
    const made = { file: destination.file, size: statSync(draft).size, users, faults, fingerprint };
    const keyFile = putInPlace(draft, destination.file, key);
    return { ...made, took: performance.now() - began, ...(keyFile && { key: keyFile }) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function write(options: Options, folder: string): Promise<string> {
  const [draft, compact] = [join(folder, 'backup.db'), join(folder, 'compact.db')];
  const file = filePathOf(options.databaseUrl);
  if (file === undefined) await writePortable(options, draft);
  else await writeCopy(file, draft, options);
  makeWhole(draft);
  if (!options.isCompact) return draft;
  options.say?.('leaving out what was deleted');
  makeEmpty(compact);
  await compactFile(draft, compact);
  rmSync(draft);
  return compact;
}

async function writeCopy(file: string, draft: string, { free = freeBytes, say }: Options): Promise<void> {
  const refuseLog = watchLog(file, free);
  makeEmpty(draft);
  await copyFile(file, draft, (part) => {
    refuseLog();
    say?.(`copied ${Math.floor(part * 100)} %`);
  });
}

async function writePortable({ db, secretKeyFile, say }: Options, draft: string): Promise<void> {
  const hasKey = (await readFingerprint(db)) !== undefined;
  const from = hasKey ? (await loadKey(db, secretKeyFile)).key : undefined;
  const target = await openDatabase(`sqlite:${draft}`);
  try {
    // One that has no key yet is given none.
    const to = hasKey ? (await loadKey(target, secretKeyFile)).key : undefined;
    const progressOf = (what: string, count: number) => (done: number) =>
      say?.(`${what} ${number.format(done)} of ${number.format(count)} users`);
    await copyEverything(db, target, { from, to }, { progressOf, isBackup: true });
  } finally {
    await target.destroy();
  }
}

function keyOf(secretKeyFile: string, { fingerprint }: Verified): Buffer {
  if (fingerprint === undefined)
    throw new StartError(
      'The database has no key yet, which the first start of Roster with it makes: leave out --with-key.',
    );
  return readKeyFinishingChange(secretKeyFile, fingerprint);
}

/** The key first: a backup that is to have one is never there without. @returns the path of the key */
function putInPlace(draft: string, file: string, key: Buffer | undefined): string | undefined {
  const beside = keyBeside(file);
  if (key) {
    writeKey(`${draft}.key`, key);
    renameSync(`${draft}.key`, beside);
  }
  renameSync(draft, file);
  syncFolder(file);
  return key && beside;
}

/** For its owner alone from its first byte on, whatever the process makes its files for. */
function makeEmpty(path: string): void {
  writeFileSync(path, '', { mode: 0o600, flag: 'wx' });
}
