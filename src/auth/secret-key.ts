/** The key of a database's secrets. The database keeps its fingerprint alone, so that another or no key is noticed. */
import { hkdfSync } from 'node:crypto';
import { engineOf } from '../db/engine.ts';
import type { Db, Trx } from '../db/schema.ts';
import { StartError, UnavailableError } from '../errors.ts';
import { chunksOf } from '../lib/chunks.ts';
import { makeKeyFile, readKeyFile } from './key-file.ts';
import { fingerprintOf, lookForKey, type MissingKey, readKeyFinishingChange } from './key-rotation.ts';
import { GIVEN_UP, openSecret, sealSecret } from './second-factor-secrets.ts';
import { newToken } from './tokens.ts';

const FINGERPRINT = 'key fingerprint';
const OWN_FINGERPRINT = 'own key fingerprint';
const DATABASE_ID = 'database id';
/** Secrets were sealed with it before there was a file: a key beside what it protects. */
const KEY_INSIDE = 'sealing key';
const ROWS_PER_STATEMENT = 500;

/** `key` is made of `master`, which is in the file: databases that share a file open nothing of each other. */
export type LoadedKey = { master: Buffer; key: Buffer; databaseId: string };

/** A database that has no key yet, and only that, takes the one in the file, or a new one. @throws StartError */
export async function loadKey(db: Db, path: string): Promise<LoadedKey & { newlySealed: number }> {
  const fingerprint = await readFingerprint(db);
  if (fingerprint !== undefined)
    return { ...(await ownKey(db, readKeyFinishingChange(path, fingerprint))), newlySealed: 0 };
  return engineOf(db).overwrite(db, async (trx) => {
    // Of several that start at once one makes the key.
    await trx.selectFrom('secrets').select('name').where('name', '=', KEY_INSIDE).forUpdate().execute();
    const made = await readFingerprint(trx);
    if (made !== undefined)
      return { ...(await ownKey(trx, readKeyFinishingChange(path, made))), newlySealed: 0 };
    await trx.insertInto('secrets').values({ name: DATABASE_ID, value: newToken() }).execute();
    const loaded = await ownKey(trx, readKeyFile(path) ?? makeKeyFile(path));
    return { ...loaded, newlySealed: await sealClearSecrets(trx, loaded) };
  });
}

/** HKDF (RFC 5869) of the key in a file, with what no other database has. */
async function ownKey(db: Db, master: Buffer): Promise<LoadedKey> {
  const databaseId = (await readSecret(db, DATABASE_ID)) ?? '';
  const key = Buffer.from(hkdfSync('sha256', master, databaseId, 'Roster', master.length));
  return { master, key, databaseId };
}

export async function readFingerprint(db: Db): Promise<string | undefined> {
  return readSecret(db, FINGERPRINT);
}

export async function findMissingKey(db: Db, path: string): Promise<MissingKey | undefined> {
  const fingerprint = await readFingerprint(db);
  return fingerprint === undefined ? undefined : lookForKey(path, fingerprint);
}

async function readSecret(db: Db, name: string): Promise<string | undefined> {
  const row = db.selectFrom('secrets').select('value').where('name', '=', name);
  return (await row.executeTakeFirst())?.value;
}

/** @throws UnavailableError where the database has another key by now: what is sealed with this one is lost. */
export async function refuseFormerKey(db: Db, key: Buffer): Promise<void> {
  const current = await readSecret(db, OWN_FINGERPRINT);
  if (current !== undefined && current !== fingerprintOf(key))
    throw new UnavailableError('The key has been changed: this Roster has to be started again.');
}

export async function reseal(trx: Trx, from: Buffer, to: Buffer): Promise<number> {
  const current = trx.selectFrom('secrets').select('value').where('name', '=', FINGERPRINT).forUpdate();
  if ((await current.executeTakeFirst())?.value !== fingerprintOf(from))
    throw new StartError(
      'The key has been changed by somebody else at this moment; nothing was changed here.',
    );
  const [before, after] = [await ownKey(trx, from), await ownKey(trx, to)];
  const count = await changeSecrets(trx, (userId, stored) => {
    const secret = openSecret(before.key, userId, stored);
    return secret === undefined ? stored : sealSecret(after.key, userId, secret);
  });
  await writeFingerprint(trx, to);
  return count;
}

export async function writeFingerprint(trx: Trx, master: Buffer): Promise<void> {
  const { key } = await ownKey(trx, master);
  await trx.deleteFrom('secrets').where('name', 'in', [FINGERPRINT, OWN_FINGERPRINT, KEY_INSIDE]).execute();
  await trx
    .insertInto('secrets')
    .values([
      { name: FINGERPRINT, value: fingerprintOf(master) },
      { name: OWN_FINGERPRINT, value: fingerprintOf(key) },
    ])
    .execute();
}

/** Where nothing is sealed with it: the next start takes the key that is there, or makes one. */
export async function forgetKey(trx: Trx): Promise<void> {
  const names = [FINGERPRINT, OWN_FINGERPRINT, KEY_INSIDE, DATABASE_ID];
  await trx.deleteFrom('secrets').where('name', 'in', names).execute();
}

async function sealClearSecrets(trx: Trx, { master, key }: LoadedKey): Promise<number> {
  const all = await trx.selectFrom('credentials').selectAll().orderBy('user_id').execute();
  // All of the table is given up first: between the rows of a page lie remains of those that were moved.
  await trx.deleteFrom('credentials').execute();
  const sealed = all.map((row) => {
    const { user_id, code_secret } = row;
    return isClear(code_secret) ? { ...row, code_secret: sealSecret(key, user_id, code_secret) } : row;
  });
  for (const some of chunksOf(sealed, ROWS_PER_STATEMENT))
    await trx.insertInto('credentials').values(some).execute();
  await writeFingerprint(trx, master);
  return all.filter(({ code_secret }) => isClear(code_secret)).length;
}

function isClear(secret: string | null): secret is string {
  return secret !== null && secret !== GIVEN_UP;
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
