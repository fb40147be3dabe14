/** All that a database holds, moved into another, empty one: for another server, or as a backup in a file. */
import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { commandLine } from '../auth/actor.ts';
import { type Access, findAccessAfter, insertAccess } from '../auth/credentials.ts';
import { GIVEN_UP, openSecret, sealSecret } from '../auth/second-factor-secrets.ts';
import { bulkLoadUsers, type UserLoader } from '../db/bulk-load.ts';
import { engineOf, NUMBERED_TABLES } from '../db/engine.ts';
import { raiseRevision, readRevision } from '../db/revision.ts';
import type { Db, Trx, User } from '../db/schema.ts';
import { readSnapshot } from '../db/transact.ts';
import {
  type Erasure,
  findErasuresAfter,
  insertErasures,
  readIdentity,
  writeIdentity,
} from '../erasure/queries.ts';
import { StartError } from '../errors.ts';
import {
  type Change,
  type ChangeSet,
  type DeletedUser,
  findChangeSetsAfter,
  findChangesAfter,
  findDeletedAfter,
} from '../history/queries.ts';
import { insertHistory, recordLoad } from '../history/record.ts';
import {
  type Absent,
  findAbsentAfter,
  findImportsAfter,
  type Import,
  insertAbsentOfAll,
  insertImports,
} from '../imports/queries.ts';
import { findJobsAfter, insertJobs, isAnyRunning, type Job } from '../jobs/queries.ts';
import { giveWay, type Progress } from '../lib/progress.ts';
import { findMadeUp, markMadeUp } from '../made-up-people/queries.ts';
import { findRunsAfter, insertRuns, type Run } from '../maintenance/queries.ts';
import { findRolesWithCode, requireCode } from '../roles/queries.ts';
import { readCounts, sumByStatus } from '../users/counts.ts';
import { findUsersAfter } from '../users/queries.ts';

const ROWS_PER_STATEMENT = 1_000;
const REPORT_EVERY = 50_000;

/** Also in a database that is another one from then on. */
const NUMBERED = ['users', 'change_sets'] as const;

/** What secrets are sealed with, on either side; where there is no key yet they are in clear. */
export type Keys = { from: Buffer | undefined; to: Buffer | undefined };

export type How = {
  progressOf?: (what: string, count: number) => Progress;
  /** It stays the same database: what is under way in it goes along, as in a copy of its file. */
  isBackup?: boolean;
};

/**
 * In one transaction, of one moment: whatever stops it leaves the target empty. @returns how many users there are.
 * @throws StartError when the target has users, or they do not read back from it as they are in the source.
 */
export async function copyEverything(
  source: Db,
  target: Db,
  keys: Keys,
  { progressOf = () => () => {}, isBackup = false }: How = {},
): Promise<number> {
  return readSnapshot(source, async (from) => {
    // In another database nobody would go on with it; a backup, which is to be made each night, does not wait for it.
    if (!isBackup && (await isAnyRunning(from)))
      throw new StartError('Something is still under way in the source: let Roster finish it first.');
    const counts = await readCounts(from);
    const { active, inactive } = sumByStatus(counts);
    const expected = active + inactive;
    const load = async (loader: UserLoader) => {
      const to = loader.trx;
      const [someone] = await findUsersAfter(to, 0, 1);
      const [something] = await findChangeSetsAfter(to, 0, 1);
      if (someone ?? something)
        throw new StartError('There are users in the target already, or were; give --to an empty database.');
      const copying = progressOf('copied', expected);
      const users = await sumUp(usersIn(from), (some) => loader.insertCopies(some), copying);
      const sets = await sumUp(setsIn(from), (some) => insertHistory(to, { change_sets: [...some] }));
      const changes = await sumUp(changesIn(from), (some) => insertHistory(to, { changes: [...some] }));
      const deleted = await sumUp(deletedIn(from), (some) => insertHistory(to, { deleted_users: [...some] }));
      const access = await sumUpAccess(from, keys.from, (some) => insertAccess(to, sealed(some, keys.to)));
      await markMadeUp(to, await findMadeUp(from));
      const erasures = await sumUp(erasuresIn(from), (some) => insertErasures(to, some));
      for (const role of await findRolesWithCode(from)) await requireCode(to, role, true);
      const rest = isBackup ? await copyRest(from, to) : undefined;
      for (const table of isBackup ? NUMBERED_TABLES : NUMBERED)
        await engineOf(to).writeLastId(to, await engineOf(from).readLastId(from, table), table);
      return { users, sets, changes, deleted, access, erasures, rest };
    };
    const { users } = await bulkLoadUsers(target, load, async (to, sent) => {
      const arrived = {
        users: await sumUp(usersIn(to), undefined, progressOf('compared', expected)),
        sets: await sumUp(setsIn(to)),
        changes: await sumUp(changesIn(to)),
        deleted: await sumUp(deletedIn(to)),
        access: await sumUpAccess(to, keys.to),
        erasures: await sumUp(erasuresIn(to)),
        rest: isBackup ? await sumUpRest(to) : undefined,
      };
      if (!isDeepStrictEqual(arrived, sent) || !isDeepStrictEqual(await readCounts(to), counts))
        throw new StartError('What arrived is not what was sent; nothing was copied.');
      const ids = { first_id: 1, last_id: await engineOf(to).readLastId(to) };
      const load = { at: Date.now(), kind: 'copied', users: sent.users.total, ...ids } as const;
      if (!isBackup) await recordLoad(to, commandLine, load);
      await raiseRevision(to, await readRevision(from));
    });
    return users.total;
  });
}

/** What is of one database alone, and of its backup. */
async function copyRest(from: Trx, to: Trx): Promise<unknown> {
  await writeIdentity(to, await readIdentity(from));
  return {
    jobs: await sumUp(jobsIn(from), (some) => insertJobs(to, some)),
    imports: await sumUp(importsIn(from), (some) => insertImports(to, some)),
    absent: await sumUp(absentIn(from), (some) => insertAbsentOfAll(to, some)),
    runs: await sumUp(runsIn(from), (some) => insertRuns(to, some)),
  };
}

async function sumUpRest(db: Db): Promise<unknown> {
  return {
    jobs: await sumUp(jobsIn(db)),
    imports: await sumUp(importsIn(db)),
    absent: await sumUp(absentIn(db)),
    runs: await sumUp(runsIn(db)),
  };
}

/** Goes through all rows in their order: how many there are, and a digest of every value of theirs. */
async function sumUp<R extends object>(
  after: (last: R | undefined) => Promise<R[]>,
  each: (rows: readonly R[]) => Promise<void> = async () => {},
  progress: Progress = () => {},
): Promise<{ total: number; digest: string }> {
  const hash = createHash('sha256');
  let total = 0;
  let last: R | undefined;
  for (;;) {
    await giveWay();
    const rows = await after(last);
    if (rows.length === 0) return { total, digest: hash.digest('hex') };
    await each(rows);
    for (const row of rows) hash.update(JSON.stringify(Object.entries(row).sort()));
    last = rows.at(-1);
    total += rows.length;
    if (total % REPORT_EVERY === 0) progress(total);
  }
}

const usersIn = (db: Db) => (last?: User) => findUsersAfter(db, last?.id ?? 0, ROWS_PER_STATEMENT);
const setsIn = (db: Db) => (last?: ChangeSet) => findChangeSetsAfter(db, last?.id ?? 0, ROWS_PER_STATEMENT);
const changesIn = (db: Db) => (last?: Change) =>
  findChangesAfter(db, last ?? { user_id: 0, version: 0 }, ROWS_PER_STATEMENT);
const deletedIn = (db: Db) => (last?: DeletedUser) => findDeletedAfter(db, last?.id ?? 0, ROWS_PER_STATEMENT);
const erasuresIn = (db: Db) => (last?: Erasure) =>
  findErasuresAfter(db, last?.user_id ?? 0, ROWS_PER_STATEMENT);

const jobsIn = (db: Db) => (last?: Job) => findJobsAfter(db, last?.id ?? 0, ROWS_PER_STATEMENT);
const importsIn = (db: Db) => (last?: Import) => findImportsAfter(db, last?.id ?? 0, ROWS_PER_STATEMENT);
const absentIn = (db: Db) => (last?: Absent) =>
  findAbsentAfter(db, last ?? { import_id: 0, first_id: 0 }, ROWS_PER_STATEMENT);
const runsIn = (db: Db) => (last?: Run) => findRunsAfter(db, last?.id ?? 0, ROWS_PER_STATEMENT);

/** The same for what people sign in with, as it is without the key; sessions and links are left behind. */
async function sumUpAccess(
  db: Db,
  key: Buffer | undefined,
  each: (access: Access) => Promise<void> = async () => {},
): Promise<string> {
  const hash = createHash('sha256');
  let last = 0;
  for (;;) {
    await giveWay();
    const access = opened(await findAccessAfter(db, last, ROWS_PER_STATEMENT), key);
    await each(access);
    for (const row of [...access.credentials, ...access.recoveryCodes])
      hash.update(JSON.stringify(Object.entries(row).sort()));
    const end = access.credentials.at(-1);
    if (end === undefined) return hash.digest('hex');
    last = end.user_id;
  }
}

function opened(access: Access, key: Buffer | undefined): Access {
  if (key === undefined) return access;
  return withSecrets(access, (userId, stored) => openSecret(key, userId, stored) ?? GIVEN_UP);
}

function sealed(access: Access, key: Buffer | undefined): Access {
  if (key === undefined) return access;
  return withSecrets(access, (userId, secret) =>
    secret === GIVEN_UP ? GIVEN_UP : sealSecret(key, userId, secret),
  );
}

function withSecrets(
  { credentials, recoveryCodes }: Access,
  change: (userId: number, secret: string) => string,
): Access {
  const changed = credentials.map((row) => ({
    ...row,
    code_secret: row.code_secret === null ? null : change(row.user_id, row.code_secret),
  }));
  return { credentials: changed, recoveryCodes };
}
