/** Backups, as `backup` makes them, and databases that have gone on since. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { commandLine } from '../../src/auth/actor.ts';
import { setCode } from '../../src/auth/credentials.ts';
import { sealSecret } from '../../src/auth/second-factor-secrets.ts';
import { loadKey } from '../../src/auth/secret-key.ts';
import type { Finding } from '../../src/check/finding.ts';
import { findFaults } from '../../src/check/run.ts';
import { keyFileOf } from '../../src/database-url.ts';
import { openDatabase } from '../../src/db/database.ts';
import type { Db } from '../../src/db/schema.ts';
import { transact } from '../../src/db/transact.ts';
import { eraseUser } from '../../src/erasure/commands.ts';
import { deleteUser } from '../../src/users/commands.ts';
import { runCommand } from '../command.ts';
import { addPerson, CODE_SECRET } from '../people.ts';
import { keyOf } from '../roster.ts';
import { addUsers, temporaryFolder } from '../support.ts';

/** Opens it, does something, and closes it again, as a Roster that is stopped. */
export async function within<T>(url: string, act: (db: Db) => Promise<T>): Promise<T> {
  const db = await openDatabase(url);
  try {
    return await act(db);
  } finally {
    await db.destroy();
  }
}

/** The path of the key of a database. */
export function keyPathOf(url: string): string {
  return keyOf({ DATABASE_URL: url }).SECRET_KEY_FILE ?? keyFileOf(url);
}

/** An administrator, an editor with a second factor that is sealed with the database's key, and three members. */
export async function fill(url: string): Promise<void> {
  await within(url, async (db) => {
    await addPerson(db, 'ann', 'admin');
    const { id } = await addPerson(db, 'ed', 'editor');
    const { key } = await loadKey(db, keyPathOf(url));
    const sealed = sealSecret(key, id, CODE_SECRET);
    await transact(db, (trx) => setCode(trx, id, { sealed, step: 1, recoveryHashes: ['one'] }));
    await addUsers(db, ['ada', 'bob', 'cem']);
  });
}

/** @returns the path of the backup, in a folder of its own */
export async function backUp(url: string, ...args: string[]): Promise<string> {
  return backUpInto(temporaryFolder(), url, ...args);
}

/** @returns the path of the first backup there is then */
export async function backUpInto(folder: string, url: string, ...args: string[]): Promise<string> {
  const { code, error } = await runCommand(['backup', folder, ...args], { DATABASE_URL: url });
  if (code !== 0) throw new Error(error);
  return backedUpIn(folder);
}

/** The path of the first of those in a folder. */
export function backedUpIn(folder: string): string {
  return join(folder, String(readdirSync(folder).find((name) => name.endsWith('.db'))));
}

export function restore(url: string, file: string, ...args: string[]) {
  return runCommand(['restore', file, ...args], { DATABASE_URL: url });
}

/** Deletes and erases a user. */
export async function erase(db: Db, id: number, now = Date.now()): Promise<void> {
  await transact(db, (trx) => deleteUser(trx, commandLine, id, now));
  await transact(db, (trx) => eraseUser(trx, commandLine, id, now));
}

export async function usernamesIn(db: Db): Promise<string[]> {
  const users = await db.selectFrom('users').select('username').orderBy('id').execute();
  return users.map(({ username }) => username);
}

/** What is wrong in it. */
export async function faultsIn(url: string): Promise<Finding[]> {
  const db = await openDatabase(url);
  onTestFinished(() => db.destroy());
  const found: Finding[] = [];
  for await (const finding of findFaults(db, {})) found.push(finding);
  return found;
}
