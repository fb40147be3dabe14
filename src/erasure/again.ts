/** A database that was put back from a copy may hold people who were erased since: they are erased again before it is served. */
import { commandLine } from '../auth/actor.ts';
import { engineOf } from '../db/engine.ts';
import type { Db, Trx } from '../db/schema.ts';
import { transact } from '../db/transact.ts';
import { LastAdministratorError, StartError } from '../errors.ts';
import { unpackValues } from '../history/fields.ts';
import { findChangeSet, findDeleted } from '../history/queries.ts';
import { recordErasure } from '../history/record.ts';
import { deleteUser } from '../users/commands.ts';
import { findUser } from '../users/queries.ts';
import { eraseUser } from './commands.ts';
import { appendToLedger, type LedgerEntry, readLedger } from './ledger.ts';
import { type Erasure, findErasure, findErasuresAfter, insertErasures, readIdentity } from './queries.ts';

const ALL = Number.MAX_SAFE_INTEGER;

/** @returns how many were. @throws StartError where the ledger is another database's. */
export async function eraseAgain(db: Db, path: string, now: number): Promise<number> {
  const missing = await findMissing(db, path);
  if (missing.users.length > 0)
    await transact(db, async (trx) => {
      for (const entry of missing.users) await eraseOne(trx, entry, now);
      await raiseLastId(trx, missing.lastId);
    }).catch(explain);
  // Also of a copy, or where Roster was killed before it was written.
  await writeLedger(db, path, await findErasuresAfter(db, 0, ALL));
  return missing.users.length;
}

/** Of whom the database does not know that they were erased. @throws StartError */
export async function findMissing(db: Db, path: string): Promise<{ users: LedgerEntry[]; lastId: number }> {
  const lines = readLedger(path);
  const identity = await readIdentity(db);
  const own = lines.filter(({ database }) => database === identity);
  if (lines.length > 0 && own.length === 0 && (await engineOf(db).readLastId(db)) > 0)
    throw new StartError(
      `${path} says who was erased from another database than the one that is beside it: move that file away if this is the right database.`,
    );
  const users: LedgerEntry[] = [];
  for (const entry of own.flatMap((line) => line.users))
    if ((await findErasure(db, entry.user_id)) === undefined && (await isTheirs(db, entry)))
      users.push(entry);
  return { users, lastId: Math.max(0, ...own.map(({ lastId }) => lastId)) };
}

/** Nobody else: a database that was put back may have given the number to somebody new. */
async function isTheirs(db: Db, { user_id, created_at }: LedgerEntry): Promise<boolean> {
  const user = await findUser(db, user_id);
  const deleted = await findDeleted(db, user_id);
  const found = user ?? (deleted && unpackValues(deleted.fields));
  return found === undefined || found.created_at === created_at;
}

async function eraseOne(trx: Trx, { user_id, created_at }: LedgerEntry, now: number): Promise<void> {
  if (await findUser(trx, user_id)) await deleteUser(trx, commandLine, user_id, now);
  if (await findDeleted(trx, user_id)) {
    await eraseUser(trx, commandLine, user_id, now);
    return;
  }
  // The copy is of a time before they came.
  const set_id = await recordErasure(trx, commandLine, { id: user_id, version: 0 }, now);
  await insertErasures(trx, [{ user_id, created_at, set_id, gone_at: null }]);
}

async function raiseLastId(trx: Trx, lastId: number): Promise<void> {
  const engine = engineOf(trx);
  if ((await engine.readLastId(trx)) < lastId) await engine.writeLastId(trx, lastId);
}

/** Those of whom it knows already are left out. */
export async function writeLedger(db: Db, path: string, erasures: readonly Erasure[]): Promise<void> {
  const database = await readIdentity(db);
  const lines = readLedger(path);
  const own = lines.filter((line) => line.database === database);
  const known = new Set(own.flatMap((line) => line.users.map(({ user_id }) => user_id)));
  const users: LedgerEntry[] = [];
  for (const { user_id, created_at, set_id } of erasures)
    if (!known.has(user_id))
      users.push({ user_id, created_at, erased_at: (await findChangeSet(db, set_id))?.at ?? 0 });
  const isStranger = lines.length > 0 && own.length === 0;
  if (users.length > 0 || isStranger)
    appendToLedger(path, { database, lastId: await engineOf(db).readLastId(db), users });
}

function explain(error: unknown): never {
  if (!(error instanceof LastAdministratorError)) throw error;
  throw new StartError(
    'Somebody who was erased is in this database again, as its last administrator: make another one first, with: npm run roster -- admin alice --email alice@example.com',
  );
}
