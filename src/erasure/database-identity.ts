/** Of which database one is a copy that was given its identity when it was brought up to date: before version 9 there was none. */
import type { Db } from '../db/schema.ts';
import { transact } from '../db/transact.ts';
import { findDeleted } from '../history/deleted-queries.ts';
import { unpackValues } from '../history/fields.ts';
import { findUser } from '../users/queries.ts';
import type { LedgerEntry } from './ledger.ts';
import { hasJustBegun, readIdentity, writeIdentity } from './queries.ts';

/** `created_at` makes the number somebody's: another database gives the same numbers to others. */
export type Person = Pick<LedgerEntry, 'user_id' | 'created_at'>;

export type KnownDatabase = { database: string; users: readonly Person[] };

/** By anybody who is in both. @returns the identity that it has then */
export async function recogniseDatabase(db: Db, databases: readonly KnownDatabase[]): Promise<string> {
  const identity = await readIdentity(db);
  const isKnown = databases.some(({ database }) => database === identity);
  const copied = isKnown || !(await hasJustBegun(db)) ? undefined : await findOriginal(db, databases);
  if (copied === undefined) return identity;
  await transact(db, (trx) => writeIdentity(trx, copied));
  return copied;
}

async function findOriginal(db: Db, databases: readonly KnownDatabase[]): Promise<string | undefined> {
  for (const { database, users } of databases)
    for (const { user_id, created_at } of users)
      if ((await readCreatedAt(db, user_id)) === created_at) return database;
  return undefined;
}

export async function readCreatedAt(db: Db, id: number): Promise<number | undefined> {
  const user = await findUser(db, id);
  const deleted = user ? undefined : await findDeleted(db, id);
  return (user ?? (deleted && unpackValues(deleted.fields)))?.created_at;
}
