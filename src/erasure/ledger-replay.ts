/** A database that was put back from a copy may hold people who were erased since: they are erased again before it is served. */
import { type Actor, commandLine } from '../auth/actor.ts';
import { engineOf } from '../db/engine.ts';
import type { Db, Trx } from '../db/schema.ts';
import { transact } from '../db/transact.ts';
import { LastAdministratorError, StartError } from '../errors.ts';
import { findDeleted } from '../history/deleted-queries.ts';
import { findChangeSet } from '../history/queries.ts';
import { recordErasure } from '../history/record.ts';
import { deleteUser } from '../users/commands.ts';
import { findUser } from '../users/queries.ts';
import { eraseUser } from './commands.ts';
import { readCreatedAt, recogniseDatabase } from './database-identity.ts';
import { raiseLastIds, readLastIds } from './last-ids.ts';
import {
  appendToLedger,
  checkLedger,
  isAnyHigher,
  type LastIds,
  type LedgerEntry,
  type LedgerLine,
  lastIdsIn,
  lastIdsOfLine,
  ownIn,
  reachIn,
  readLedger,
} from './ledger.ts';
import {
  type Erasure,
  findErasure,
  findErasuresAfter,
  insertErasures,
  readIdentity,
  readNames,
} from './queries.ts';

const ALL = Number.MAX_SAFE_INTEGER;

/** @returns how many were. @throws StartError where the ledger is another database's, or cannot be written. */
export async function eraseAgain(db: Db, path: string): Promise<number> {
  checkLedger(path);
  await recogniseDatabase(db, readLedger(path));
  const erased = await eraseAll(db, await findMissing(db, path)).catch(explain);
  // Also of a copy, or where Roster was killed before it was written.
  await writeLedger(db, path, await findErasuresAfter(db, 0, ALL));
  return erased;
}

/** The same from what several files say, of which any may be another database's. @throws LastAdministratorError */
export async function eraseKnown(db: Db, paths: readonly string[]): Promise<number> {
  const identity = await readIdentity(db);
  const own = ownIn(paths.flatMap(readLedger), identity);
  return eraseAll(db, await missingIn(db, own));
}

export async function isAnyMissing(db: Db, paths: readonly string[]): Promise<boolean> {
  const own = ownIn(paths.flatMap(readLedger), await readIdentity(db));
  return (await missingIn(db, own)).users.length > 0;
}

/** `lastIds`: that were given; `reach`: that may have been. */
export type Missing = { users: LedgerEntry[]; lastIds: LastIds; reach: LastIds };

async function eraseAll(db: Db, { users, reach }: Missing): Promise<number> {
  // First of all: what is done to erase them has a number, too.
  await raiseLastIds(db, reach);
  let erased = 0;
  if (users.length > 0)
    await transact(db, async (trx) => {
      // Of two Rosters that start, the second finds nothing left to do.
      await engineOf(trx).lockVersion(trx);
      erased = 0;
      for (const entry of users) if (await eraseOne(trx, entry)) erased++;
    });
  return erased;
}

/** Of whom the database does not know that they were erased. @throws StartError */
export async function findMissing(db: Db, path: string): Promise<Missing> {
  const lines = readLedger(path);
  const identity = await readIdentity(db);
  const own = ownIn(lines, identity);
  const isOthers = own.length === 0 && lines.some((line) => line.users.length > 0);
  if (isOthers && (await engineOf(db).readLastId(db)) > 0)
    throw new StartError(
      `${path} says who was erased from another database than the one that is beside it: move that file away if this is the right database.`,
    );
  return missingIn(db, own);
}

async function missingIn(db: Db, own: readonly LedgerLine[]): Promise<Missing> {
  const users: LedgerEntry[] = [];
  for (const entry of own.flatMap((line) => line.users))
    if ((await findErasure(db, entry.user_id)) === undefined && (await isTheirs(db, entry)))
      users.push(entry);
  return { users, lastIds: lastIdsIn(own), reach: reachIn(own) };
}

/** Nobody else: a database that was put back may have given the number to somebody new. */
async function isTheirs(db: Db, { user_id, created_at }: LedgerEntry): Promise<boolean> {
  const found = await readCreatedAt(db, user_id);
  return found === undefined || found === created_at;
}

async function eraseOne(
  trx: Trx,
  { user_id, created_at, erased_at, erased_by }: LedgerEntry,
): Promise<boolean> {
  if (await findErasure(trx, user_id)) return false;
  const actor: Actor =
    erased_by === null ? commandLine : { ...commandLine, via: 'form', user: { id: erased_by, username: '' } };
  if (await findUser(trx, user_id)) await deleteUser(trx, commandLine, user_id, erased_at);
  if (await findDeleted(trx, user_id)) {
    await eraseUser(trx, actor, user_id, erased_at);
    return true;
  }
  // The copy is of a time before they came.
  const set_id = await recordErasure(trx, actor, { id: user_id, version: 0 }, erased_at);
  await insertErasures(trx, [{ user_id, created_at, set_id, gone_at: null }]);
  return true;
}

/** Those of whom it knows already are left out. @throws StartError */
export async function writeLedger(db: Db, path: string, erasures: readonly Erasure[]): Promise<void> {
  const lines = readLedger(path);
  const numbers = lastIdsOfLine(await readLastIds(db));
  for (const database of await readNames(db)) {
    const own = ownIn(lines, database);
    const inLedger = knownIn(own);
    const users: LedgerEntry[] = [];
    for (const erasure of erasures)
      if (!inLedger.has(nameOf(erasure))) users.push(await entryOf(db, erasure));
    const isStranger = lines.length > 0 && own.length === 0;
    if (users.length > 0 || isStranger) appendToLedger(path, { database, ...numbers, users });
  }
}

export async function readLines(db: Db): Promise<LedgerLine[]> {
  const erasures = await findErasuresAfter(db, 0, ALL);
  const users = await Promise.all(erasures.map((erasure) => entryOf(db, erasure)));
  const numbers = lastIdsOfLine(await readLastIds(db));
  return (await readNames(db)).map((database) => ({ database, ...numbers, users }));
}

/** Also where nobody was erased: beside entries of others alone a database would not start. @throws StartError */
export function noteLine(path: string, line: LedgerLine): void {
  const own = ownIn(readLedger(path), line.database);
  const inLedger = knownIn(own);
  const users = line.users.filter((entry) => !inLedger.has(nameOf(entry)));
  if (users.length > 0 || own.length === 0 || isAnyHigher(lastIdsIn([line]), lastIdsIn(own)))
    appendToLedger(path, { ...line, users });
}

function knownIn(lines: readonly LedgerLine[]): Set<string> {
  return new Set(lines.flatMap(({ users }) => users.map(nameOf)));
}

/** A number may have been given twice, where a copy was put back. */
function nameOf({ user_id, created_at }: Pick<LedgerEntry, 'user_id' | 'created_at'>): string {
  return `${user_id} ${created_at}`;
}

async function entryOf(db: Db, { user_id, created_at, set_id }: Erasure): Promise<LedgerEntry> {
  const set = await findChangeSet(db, set_id);
  return { user_id, created_at, erased_at: set?.at ?? 0, erased_by: set?.actor_id ?? null };
}

function explain(error: unknown): never {
  if (!(error instanceof LastAdministratorError)) throw error;
  throw new StartError(
    'Somebody who was erased is in this database again, as its last administrator: make another one first, with: npm run roster -- admin alice --email alice@example.com',
  );
}
