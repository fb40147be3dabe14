/** Which numbers were given, outside of the database: one that is put back from a copy gives none of them again. */
import { engineOf, NUMBERED_TABLES } from '../db/engine.ts';
import type { Db, Trx } from '../db/schema.ts';
import { transact } from '../db/transact.ts';
import {
  appendToLedger,
  isAnyHigher,
  type LastIds,
  lastIdsIn,
  lastIdsOfLine,
  ownIn,
  reachIn,
  readLedger,
} from './ledger.ts';
import { readIdentity, readNames } from './queries.ts';

/** So that a copy of before gives none of the numbers again: a line where there is a higher one. @throws StartError */
export async function noteLastIds(db: Db, path: string): Promise<void> {
  const lines = readLedger(path);
  const lastIds = await readLastIds(db);
  for (const database of await readNames(db))
    if (isAnyHigher(lastIds, lastIdsIn(ownIn(lines, database))))
      appendToLedger(path, { database, ...lastIdsOfLine(lastIds), users: [] });
}

/** So that nobody is given the number of somebody who was erased, whoever opens the database first. @throws StartError */
export async function raiseLastIdsToLedger(db: Db, path: string): Promise<void> {
  await raiseLastIds(db, reachIn(ownIn(readLedger(path), await readIdentity(db))));
}

export async function readLastIds(db: Db): Promise<LastIds> {
  const found: [string, number][] = [];
  for (const table of NUMBERED_TABLES) found.push([table, await engineOf(db).readLastId(db, table)]);
  return Object.fromEntries(found) as LastIds;
}

/** Each by itself: nobody waits for one table while another one is held. */
export async function raiseLastIds(db: Db, lastIds: LastIds): Promise<void> {
  const current = await readLastIds(db);
  for (const table of NUMBERED_TABLES.filter((one) => lastIds[one] > current[one]))
    await transact(db, async (trx) => {
      await engineOf(trx).lockVersion(trx);
      await engineOf(trx).raiseLastId(trx, lastIds[table], table);
    });
}

export async function raiseAllLastIds(trx: Trx, lastIds: LastIds): Promise<void> {
  for (const table of NUMBERED_TABLES) await engineOf(trx).raiseLastId(trx, lastIds[table], table);
}
