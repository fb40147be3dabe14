/**
 * The key of a database's secrets. The database keeps its fingerprint alone, so that it is known when another key, or
 * none, lies where the right one should: a new one would open nothing.
 */
import { hash } from 'node:crypto';
import { linkSync, renameSync } from 'node:fs';
import { engineOf } from '../db/engine.ts';
import type { Db, Trx } from '../db/schema.ts';
import { StartError, UnavailableError } from '../errors.ts';
import { makeKeyFile, readKeyFile, syncFolder } from './key-file.ts';
import { openSecret, sealSecret } from './second-factor-secrets.ts';

const FINGERPRINT = 'key fingerprint';
/** What secrets were sealed with before there was a file: a key beside what it protects. */
const KEY_INSIDE = 'sealing key';
/** In one statement. */
const ROWS = 500;

/** Of a key, which is random itself: 16 hex digits. */
export function fingerprintOf(key: Buffer): string {
  return hash('sha256', Buffer.concat([Buffer.from('Roster key '), key]), 'hex').slice(0, 16);
}

/**
 * The key of a database, from its file. A database that has none yet, and only that, takes the one in the file, or a new one.
 * @returns also how many secrets were in clear until now.
 * @throws StartError when the right key is not there.
 */
export async function loadKey(db: Db, path: string): Promise<{ key: Buffer; sealed: number }> {
  const known = await readFingerprint(db);
  if (known !== undefined) return { key: checkedKey(path, known), sealed: 0 };
  return engineOf(db).overwrite(db, async (trx) => {
    // Of several that start at once one makes the key.
    await trx.selectFrom('secrets').select('name').where('name', '=', KEY_INSIDE).forUpdate().execute();
    const made = await readFingerprint(trx);
    if (made !== undefined) return { key: checkedKey(path, made), sealed: 0 };
    const key = readKeyFile(path) ?? makeKeyFile(path);
    return { key, sealed: await takeUp(trx, key) };
  });
}

/** The fingerprint of the key; undefined before the first start. */
export async function readFingerprint(db: Db): Promise<string | undefined> {
  const row = db.selectFrom('secrets').select('value').where('name', '=', FINGERPRINT);
  return (await row.executeTakeFirst())?.value;
}

/** @throws UnavailableError where a key is the database's no longer: what is sealed with it is lost. */
export async function refuseFormer(db: Db, key: Buffer): Promise<void> {
  const known = await readFingerprint(db);
  if (known !== undefined && known !== fingerprintOf(key))
    throw new UnavailableError('The key has been changed: this Roster has to be started again.');
}

/** Seals everything with another key, in the transaction that makes it the database's; how many secrets there were. */
export async function reseal(trx: Trx, from: Buffer, to: Buffer): Promise<number> {
  const known = trx.selectFrom('secrets').select('value').where('name', '=', FINGERPRINT).forUpdate();
  if ((await known.executeTakeFirst())?.value !== fingerprintOf(from))
    throw new StartError(
      'The key has been changed by somebody else at this moment; nothing was changed here.',
    );
  const count = await changeSecrets(trx, (userId, stored) => {
    const secret = openSecret(from, userId, stored);
    // What was given up stays so.
    return secret === undefined ? stored : sealSecret(to, userId, secret);
  });
  await writeFingerprint(trx, to);
  return count;
}

export async function writeFingerprint(trx: Trx, key: Buffer): Promise<void> {
  await trx.deleteFrom('secrets').where('name', 'in', [FINGERPRINT, KEY_INSIDE]).execute();
  await trx
    .insertInto('secrets')
    .values({ name: FINGERPRINT, value: fingerprintOf(key) })
    .execute();
}

/** Seals what an earlier Roster has kept in clear. */
async function takeUp(trx: Trx, key: Buffer): Promise<number> {
  const all = await trx.selectFrom('credentials').selectAll().orderBy('user_id').execute();
  // All of the table is given up first: between the rows of a page lie remains of those that were moved.
  await trx.deleteFrom('credentials').execute();
  const sealed = all.map((row) => {
    const { user_id, code_secret } = row;
    return code_secret === null ? row : { ...row, code_secret: sealSecret(key, user_id, code_secret) };
  });
  for (let from = 0; from < sealed.length; from += ROWS)
    await trx
      .insertInto('credentials')
      .values(sealed.slice(from, from + ROWS))
      .execute();
  await writeFingerprint(trx, key);
  return all.filter(({ code_secret }) => code_secret !== null).length;
}

async function changeSecrets(trx: Trx, change: (userId: number, stored: string) => string): Promise<number> {
  const rows = await trx
    .selectFrom('credentials')
    .select(['user_id', 'code_secret'])
    .where('code_secret', 'is not', null)
    .orderBy('user_id')
    .forUpdate()
    .execute();
  for (const { user_id, code_secret } of rows)
    await trx
      .updateTable('credentials')
      .set({ code_secret: change(user_id, code_secret ?? '') })
      .where('user_id', '=', user_id)
      .execute();
  return rows.length;
}

function checkedKey(path: string, known: string): Buffer {
  const key = readKeyFile(path);
  if (key && fingerprintOf(key) === known) return key;
  // A change of the key that was stopped just before its end, or ends just now.
  if (isKeyIn(nextOf(path), known)) takePlace(path, key);
  const now = readKeyFile(path);
  if (now && fingerprintOf(now) === known) return now;
  const former = formerOf(path, known);
  const what = isKeyIn(former, known)
    ? `does not hold it: it is in ${former}`
    : now
      ? 'holds another key'
      : 'is not there';
  throw new StartError(
    `Secrets in the database are sealed with the key ${known}, and ${path} ${what}. Put the file with that key there, or set SECRET_KEY_FILE to where it is. If it is lost for good: npm run roster -- give-up-key ${known}`,
  );
}

/** Where a key waits that is to be the database's. */
export function nextOf(path: string): string {
  return `${path}.next`;
}

/** Where a key is kept that was the database's before: it opens earlier backups. */
export function formerOf(path: string, fingerprint: string): string {
  return `${path}.${fingerprint}`;
}

export function isKeyIn(path: string, fingerprint: string): boolean {
  const key = readKeyFile(path);
  return key !== undefined && fingerprintOf(key) === fingerprint;
}

/** Puts the next key in its place; several may do so at once. */
export function takePlace(path: string, before: Buffer | undefined): void {
  // First a second name, which is never given to another key: at no moment is either of them nowhere.
  if (before) unless('EEXIST', () => linkSync(path, formerOf(path, fingerprintOf(before))));
  unless('ENOENT', () => renameSync(nextOf(path), path));
  syncFolder(path);
}

function unless(code: string, act: () => void): void {
  try {
    act();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== code) throw error;
  }
}
