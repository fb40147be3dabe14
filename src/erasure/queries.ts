/** Who was erased, and whose values may still be in the files of the database. */
import type { Selectable } from 'kysely';
import type { Db, ErasuresTable, Trx } from '../db/schema.ts';
import { KINDS } from '../history/kinds.ts';
import { chunksOf } from '../lib/chunks.ts';

const BATCH = 1_000;

export type Erasure = Selectable<ErasuresTable>;

export async function findErasure(db: Db, userId: number): Promise<Erasure | undefined> {
  return db.selectFrom('erasures').selectAll().where('user_id', '=', userId).executeTakeFirst();
}

export async function findErasuresAfter(db: Db, userId: number, limit: number): Promise<Erasure[]> {
  const after = db.selectFrom('erasures').selectAll().where('user_id', '>', userId);
  return after.orderBy('user_id').limit(limit).execute();
}

export async function findPending(db: Db): Promise<Erasure[]> {
  const pending = db.selectFrom('erasures').selectAll().where('gone_at', 'is', null);
  return pending.orderBy('user_id').execute();
}

export async function insertErasures(trx: Trx, erasures: readonly Erasure[]): Promise<void> {
  for (const some of chunksOf(erasures, BATCH)) await trx.insertInto('erasures').values(some).execute();
}

export async function noteGone(trx: Trx, erasures: readonly Erasure[], now: number): Promise<void> {
  for (const some of chunksOf(erasures, BATCH)) {
    const ids = some.map(({ user_id }) => user_id);
    await trx.updateTable('erasures').set({ gone_at: now }).where('user_id', 'in', ids).execute();
  }
}

export async function readIdentity(db: Db): Promise<string> {
  const row = db.selectFrom('secrets').select('value').where('name', '=', 'identity');
  return (await row.executeTakeFirstOrThrow()).value;
}

/** Of its backup: whoever is erased from one of them is erased from the other. */
export async function writeIdentity(trx: Trx, value: string): Promise<void> {
  await trx.updateTable('secrets').set({ value }).where('name', '=', 'identity').execute();
}

const COPIED_FROM = 'copied from ';

export async function readFormerIdentities(db: Db): Promise<string[]> {
  const rows = await db
    .selectFrom('secrets')
    .select('value')
    .where('name', 'like', `${COPIED_FROM}%`)
    .orderBy('value')
    .execute();
  return rows.map(({ value }) => value);
}

/** Also of those that it was copied from: a backup of theirs may be put back in its place. */
export async function readNames(db: Db): Promise<string[]> {
  return [await readIdentity(db), ...(await readFormerIdentities(db))];
}

export async function writeFormerIdentities(trx: Trx, identities: readonly string[]): Promise<void> {
  const rows = identities.map((value) => ({ name: `${COPIED_FROM}${value}`, value }));
  if (rows.length > 0) await trx.insertInto('secrets').values(rows).execute();
}

/** Whether its history holds no more than that it begins: nothing was done since the database was given its identity. */
export async function hasJustBegun(db: Db): Promise<boolean> {
  const last = db.selectFrom('change_sets').select('kind').orderBy('id', 'desc').limit(1);
  return (await last.executeTakeFirst())?.kind === KINDS.began;
}
