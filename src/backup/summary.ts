/** What is in a database, as somebody looks at it who is to choose between two: also in one of another version, and in a damaged one. */
import { commandLine } from '../auth/actor.ts';
import { engineOf, NUMBERED_TABLES, type NumberedTable } from '../db/engine.ts';
import { readRevision } from '../db/revision.ts';
import type { ChangeSet, Db } from '../db/schema.ts';
import type { Person } from '../erasure/database-identity.ts';
import type { LedgerLine } from '../erasure/ledger.ts';
import { readLines } from '../erasure/ledger-replay.ts';
import { readIdentity } from '../erasure/queries.ts';
import { describeSets, visibilityFor } from '../history/descriptions.ts';
import { whoDid, wordsOf } from '../history/words.ts';
import { findLastRun } from '../maintenance/queries.ts';
import {
  countAdministrators,
  countByActive,
  countSetsAfter,
  findFirstUsers,
  findLastSet,
} from './queries.ts';

export type LastChange = Pick<ChangeSet, 'id' | 'at'> & { what: string };

/** What cannot be read is undefined. */
export type Summary = {
  version: number | undefined;
  /** When the last backup was begun of which it does not know the end: it is that itself, where it is one. */
  begunAt: number | undefined;
  identity: string | undefined;
  users: { active: number; inactive: number } | undefined;
  administrators: number | undefined;
  lastChange: LastChange | undefined;
  /** Some of the users: a copy of it is recognised by them. */
  people: readonly Person[];
  erased: LedgerLine[] | undefined;
  lastIds: Readonly<Record<NumberedTable, number>>;
  revision: number;
  changesSince: number | undefined;
};

export const UNREADABLE: Summary = {
  version: undefined,
  begunAt: undefined,
  identity: undefined,
  people: [],
  users: undefined,
  administrators: undefined,
  lastChange: undefined,
  erased: undefined,
  lastIds: { users: 0, change_sets: 0, jobs: 0, imports: 0, maintenance_runs: 0 },
  revision: 0,
  changesSince: undefined,
};

const MOST_PEOPLE = 1_000;

/** @param since the number of a change after which they are counted */
export async function summarize(db: Db, since = 0): Promise<Summary> {
  const lastIds = NUMBERED_TABLES.map(async (table) => {
    return [table, (await tried(() => engineOf(db).readLastId(db, table))) ?? 0] as const;
  });
  return {
    version: await tried(() => engineOf(db).readVersion(db)),
    begunAt: await tried(() => readOpenBackup(db)),
    identity: await tried(() => readIdentity(db)),
    people: (await tried(() => findFirstUsers(db, MOST_PEOPLE))) ?? [],
    users: await tried(() => countByActive(db)),
    administrators: await tried(() => countAdministrators(db)),
    lastChange: await tried(() => readLastChange(db)),
    erased: await tried(() => readLines(db)),
    lastIds: Object.fromEntries(await Promise.all(lastIds)) as Summary['lastIds'],
    revision: (await tried(() => readRevision(db))) ?? 0,
    changesSince: await tried(() => countSetsAfter(db, since)),
  };
}

async function readOpenBackup(db: Db): Promise<number | undefined> {
  const run = await findLastRun(db, 'backup');
  return run?.ended_at === null ? run.begun_at : undefined;
}

async function readLastChange(db: Db): Promise<LastChange | undefined> {
  const set = await findLastSet(db);
  if (set === undefined) return undefined;
  const { id, at } = set;
  return { id, at, what: (await tried(() => describe(db, set))) ?? 'something' };
}

async function describe(db: Db, set: ChangeSet): Promise<string> {
  const [shown] = await describeSets(db, [set], visibilityFor(commandLine));
  const { done, of } = wordsOf(set, shown?.fields ?? {});
  const parts = [shown?.who?.name ?? whoDid(set), done, shown?.whom && of, shown?.whom?.name];
  return parts.filter(Boolean).join(' ');
}

async function tried<T>(read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch {
    return undefined;
  }
}
