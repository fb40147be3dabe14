/** All that a database holds, moved into another, empty one: for another server, or as a backup in a file. */
import { isDeepStrictEqual } from 'node:util';
import { commandLine } from '../auth/actor.ts';
import { bulkLoadUsers, type UserLoader } from '../db/bulk-load.ts';
import { engineOf, NUMBERED_TABLES } from '../db/engine.ts';
import { raiseRevision, readRevision } from '../db/revision.ts';
import type { Db, Trx, User } from '../db/schema.ts';
import { readSnapshot } from '../db/transact.ts';
import {
  readFormerIdentities,
  readIdentity,
  writeFormerIdentities,
  writeIdentity,
} from '../erasure/queries.ts';
import { StartError } from '../errors.ts';
import { findChangeSetsAfter } from '../history/queries.ts';
import { recordLoad } from '../history/record.ts';
import { isAnyRunning } from '../jobs/queries.ts';
import type { Progress } from '../lib/progress.ts';
import { findMadeUp, markMadeUp } from '../made-up-people/queries.ts';
import { findRolesWithCode, requireCode } from '../roles/queries.ts';
import { readCounts, sumByStatus } from '../users/counts.ts';
import { findUsersAfter } from '../users/queries.ts';
import { goThrough, type Sum } from './checksums.ts';
import { copyAccess, type Keys, sumUpAccess } from './credentials.ts';
import { ROWS_AT_ONCE, tablesOf } from './tables.ts';

/** Also in a database that is another one from then on. */
const NUMBERED = ['users', 'change_sets'] as const;

type CopyOptions = {
  progressOf?: (what: string, count: number) => Progress;
  /** It stays the same database: what is under way in it goes along, as in a copy of its file. */
  isBackup?: boolean;
};

type Sums = { users: Sum; tables: Sum[]; access: string };

/** In one transaction, of one moment. @returns how many users there are @throws StartError where the target has users, or reads back otherwise: it is left empty */
export async function copyEverything(
  source: Db,
  target: Db,
  keys: Keys,
  { progressOf = () => () => {}, isBackup = false }: CopyOptions = {},
): Promise<number> {
  const tables = tablesOf(isBackup);
  return readSnapshot(source, async (from) => {
    // In another database nobody would go on with it; a backup, which is to be made each night, does not wait for it.
    if (!isBackup && (await isAnyRunning(from)))
      throw new StartError('Something is still under way in the source: let Roster finish it first.');
    const counts = await readCounts(from);
    const { active, inactive } = sumByStatus(counts);
    const expected = active + inactive;
    const load = async (loader: UserLoader): Promise<Sums> => {
      const to = loader.trx;
      await refuseUsedTarget(to);
      const insert = (some: readonly User[]) => loader.insertCopies(some);
      const users = await goThrough(usersIn(from), insert, progressOf('copied', expected));
      const moved = await mapSeries(tables, ({ copy }) => copy(from, to));
      const access = await copyAccess(from, to, keys);
      await copyRest(from, to, isBackup);
      return { users, tables: moved, access };
    };
    const { users } = await bulkLoadUsers(target, load, async (to, sent) => {
      const arrived: Sums = {
        users: await goThrough(usersIn(to), undefined, progressOf('compared', expected)),
        tables: await mapSeries(tables, ({ sumUp }) => sumUp(to)),
        access: await sumUpAccess(to, keys.to),
      };
      if (!isDeepStrictEqual(arrived, sent) || !isDeepStrictEqual(await readCounts(to), counts))
        throw new StartError('What arrived is not what was sent; nothing was copied.');
      if (!isBackup) await recordCopy(to, sent.users.total);
      await raiseRevision(to, await readRevision(from));
    });
    return users.total;
  });
}

const usersIn = (db: Db) => (last?: User) => findUsersAfter(db, last?.id ?? 0, ROWS_AT_ONCE);

async function mapSeries<T, R>(all: readonly T[], work: (one: T) => Promise<R>): Promise<R[]> {
  const done: R[] = [];
  for (const one of all) done.push(await work(one));
  return done;
}

async function refuseUsedTarget(to: Trx): Promise<void> {
  const [someone] = await findUsersAfter(to, 0, 1);
  const [something] = await findChangeSetsAfter(to, 0, 1);
  if (someone ?? something)
    throw new StartError('There are users in the target already, or were; give --to an empty database.');
}

async function copyRest(from: Trx, to: Trx, isBackup: boolean): Promise<void> {
  await markMadeUp(to, await findMadeUp(from));
  for (const role of await findRolesWithCode(from)) await requireCode(to, role, true);
  await copyIdentity(from, to, isBackup);
  for (const table of isBackup ? NUMBERED_TABLES : NUMBERED)
    await engineOf(to).writeLastId(to, await engineOf(from).readLastId(from, table), table);
}

async function copyIdentity(from: Trx, to: Trx, isBackup: boolean): Promise<void> {
  const [own, former] = [await readIdentity(from), await readFormerIdentities(from)];
  await writeFormerIdentities(to, isBackup ? former : [own, ...former]);
  if (isBackup) await writeIdentity(to, own);
}

async function recordCopy(to: Trx, users: number): Promise<void> {
  const ids = { first_id: 1, last_id: await engineOf(to).readLastId(to) };
  await recordLoad(to, commandLine, { at: Date.now(), kind: 'copied', users, ...ids });
}
