/** All that is read of history, with the indexes in which both databases find it. */
import { type CompiledQuery, sql } from 'kysely';
import type { Actor } from '../../src/auth/actor.ts';
import { findFirstSince, findGaps } from '../../src/bulk/history-snapshot.ts';
import { seedUsers } from '../../src/cli/seed.ts';
import type { Db } from '../../src/db/schema.ts';
import { transact } from '../../src/db/transact.ts';
import { findDeleted, findDeletedAfter } from '../../src/history/deleted-queries.ts';
import { describeSets, visibilityFor } from '../../src/history/descriptions.ts';
import { KINDS, ROLE_CHANGED } from '../../src/history/kinds.ts';
import { type HistoryCursor, type HistoryFilter, readHistory } from '../../src/history/list.ts';
import {
  findBeginning,
  findChangeSet,
  findChangeSetsAfter,
  findChangesAfter,
  findChangesInSet,
  findChangesPast,
} from '../../src/history/queries.ts';
import { readStateAt } from '../../src/history/state-at.ts';
import { readTimeline } from '../../src/history/timeline.ts';
import { findUndoing } from '../../src/history/undos.ts';

const ROWS = 20_000;
/** The first user has been changed very often, the first set has changed very many, and the second actor did nearly all. */
const OFTEN = 50;
const MIDDLE = 10_000;

/** Change sets, changes, facts and deleted users by the thousands; of each kind, and by each actor. */
export async function addHistory(db: Db): Promise<void> {
  await seedUsers(db, ROWS);
  await transact(db, async (trx) => {
    await sql`
      insert into change_sets (id, at, actor_id, subject_id, users, kind, via, actor_kind, event)
      select 10 + n, n, case when n % 100 = 0 then 1 else 2 end, case when n % 10 = 0 then 1 + n % 300 / 200 end, 1,
        case when n % 10 = 0 then ${sql.lit(KINDS.access)} else 1 + n % 6 end, 1, 1, case when n % 10 = 0 then 'x' end
      from ${numbers}`.execute(trx);
    // Of roles that were changed with those of others: nine for each of the other facts.
    await sql`
      insert into change_sets (id, at, subject_id, users, kind, via, actor_kind, event)
      select 100000 + n, n, 1000 + n, 1, ${sql.lit(KINDS['own role'])}, 1, 1, ${sql.lit(ROLE_CHANGED)}
      from ${numbers} where n % 10 > 0`.execute(trx);
    await sql`
      insert into changes (user_id, version, set_id, fields)
      select case when n < ${sql.lit(OFTEN)} then 1 when n % 7 = 0 then 100000 + n else n end, case when n < ${sql.lit(OFTEN)} then n + 2 else 2 end,
        case when n % 2 = 0 then 10 + n else 10 end, '{"3":[null,"x"]}'
      from ${numbers}`.execute(trx);
    await sql`
      insert into deleted_users (id, version, set_id, fields)
      select 100000 + n, 2, 10 + n, '{"1":"gone"}' from ${numbers}`.execute(trx);
    await sql`
      insert into jobs (kind, state, set_id, params, cursor, total, done, left_out, notes, leased_until)
      select 'undo', 'done', 10 + n, '{}', 0, 1, 1, 0, '[]', 0 from ${numbers}`.execute(trx);
  });
}

const numbers = sql`
  (with recursive counted (n) as (select 0 union all select n + 1 from counted where n < ${sql.lit(ROWS - 1)}) select n from counted) as numbers`;

export type HistoryRead = {
  what: string;
  read: (db: Db) => Promise<unknown>;
  indexes: readonly string[];
  /** In the order of the index, so that what is not shown need not be read. */
  isInOrder: boolean;
};

const OF_USER = ['change_sets_pkey', 'change_sets_subject', 'changes_pkey'];
const OF_SETS = [
  'change_sets_pkey',
  'change_sets_undoes',
  'changes_set',
  'deleted_users_pkey',
  'jobs_set_id_key',
  'users_pkey',
];
const OWN: HistoryFilter['own'] = { id: 1, kinds: ['access', 'own role'] };
const LISTS: [what: string, filter: Partial<HistoryFilter>, indexes: string[]][] = [
  ['of everyone', {}, ['change_sets_kind']],
  ['of one kind', { kinds: ['deleted'] }, ['change_sets_kind']],
  ['of some days', { from: 10, before: MIDDLE }, ['change_sets_kind']],
  ['by someone', { actorId: 1 }, ['change_sets_actor']],
  [
    'of one kind, by someone, on some days',
    { kinds: ['deleted'], actorId: 2, from: 10 },
    ['change_sets_actor'],
  ],
  ['of everyone’s access, beside many roles', { kinds: ['access', 'role'] }, ['change_sets_kind']],
  ['of everyone and of one’s own access', { own: OWN }, ['change_sets_kind', 'change_sets_subject']],
  ['of one’s own access, by someone', { kinds: [], own: OWN, actorId: 2 }, ['change_sets_subject']],
  ['of one’s own', { kinds: ['changed'], userId: 1, own: OWN }, OF_USER],
  ['of one user', { userId: 1 }, OF_USER],
  [
    'of one user, of one kind, by someone, on some days',
    { kinds: ['access'], userId: 1, actorId: 2, from: 10 },
    OF_USER,
  ],
];
const CURSORS: Record<string, HistoryCursor | undefined> = {
  'from the start': undefined,
  'further back': { side: 'older', at: MIDDLE, id: MIDDLE + 10 },
  'nearer to now': { side: 'newer', at: MIDDLE, id: MIDDLE + 10 },
};
const ADMIN: Actor = { user: undefined, role: 'admin', via: 'form', address: undefined, note: () => {} };
const EDITOR: Actor = { ...ADMIN, role: 'editor' };

export const HISTORY_READS: readonly HistoryRead[] = [
  ...LISTS.flatMap(([what, some, indexes]) =>
    Object.entries(CURSORS).map(([from, cursor]) => ({
      what: `the list ${what}, ${from}`,
      read: (db: Db) => readHistory(db, { kinds: ['created', 'changed', 'access'], ...some }, cursor, 50),
      indexes,
      isInOrder: indexes !== OF_USER && some.own === undefined,
    })),
  ),
  {
    what: 'what is shown of sets',
    read: async (db) => describeSets(db, await findChangeSetsAfter(db, MIDDLE, 50), visibilityFor(ADMIN)),
    indexes: OF_SETS,
    isInOrder: true,
  },
  {
    what: 'beside which sets an editor finds Undo',
    read: async (db) => describeSets(db, await findChangeSetsAfter(db, MIDDLE, 50), visibilityFor(EDITOR)),
    indexes: OF_SETS,
    isInOrder: true,
  },
  {
    what: 'a user’s timeline, and the next page of it',
    read: async (db) => {
      const options = { limit: 10, seesAccess: true, seesAll: true };
      await readTimeline(db, { id: 1, version: OFTEN + 1 }, options);
      await readTimeline(
        db,
        { id: 1, version: OFTEN + 1 },
        { ...options, from: { version: 40, at: MIDDLE, id: MIDDLE } },
      );
    },
    indexes: OF_USER,
    isInOrder: true,
  },
  {
    what: 'what a user was',
    read: async (db) => readStateAt(db, { id: 1, version: OFTEN + 1, set_id: 10, fields: '{}' }, -1),
    indexes: ['change_sets_kind', 'change_sets_pkey', 'changes_pkey'],
    // All of it is read.
    isInOrder: false,
  },
  {
    what: 'with what someone arrived',
    read: (db) => findBeginning(db, 5),
    indexes: ['change_sets_kind'],
    isInOrder: true,
  },
  {
    what: 'one set, and a page of what it changed',
    read: async (db) => {
      await findChangeSet(db, 10);
      await findChangesInSet(db, 10, { user_id: MIDDLE, version: 1 }, 51);
    },
    indexes: ['change_sets_pkey', 'changes_set'],
    isInOrder: true,
  },
  {
    what: 'what was done after a set',
    read: async (db) => {
      await findChangesPast(db, { set_id: MIDDLE, user_id: MIDDLE, version: 1 }, 250);
      await findChangesPast(db, { set_id: 10, user_id: MIDDLE, version: 1 }, 250, 10);
    },
    indexes: ['changes_set'],
    isInOrder: true,
  },
  {
    what: 'who of some users was changed after a set',
    read: (db) => findFirstSince(db, [1, 2, 3], { set: MIDDLE, growing: [[10, 0]], gaps: [[20, 30]] }),
    indexes: ['changes_pkey'],
    // All that was done to them is read.
    isInOrder: false,
  },
  {
    what: 'which numbers no set has',
    read: (db) => findGaps(db, MIDDLE),
    indexes: ['change_sets_pkey'],
    isInOrder: true,
  },
  {
    what: 'which sets are undone, and by which',
    read: (db) => findUndoing(db, [10, 11, 12]),
    indexes: ['change_sets_undoes'],
    isInOrder: true,
  },
  {
    what: 'a deleted user',
    read: (db) => findDeleted(db, 100_001),
    indexes: ['deleted_users_pkey'],
    isInOrder: true,
  },
  {
    what: 'everything, to copy it',
    read: async (db) => {
      await findChangeSetsAfter(db, MIDDLE, 500);
      await findChangesAfter(db, { user_id: 1, version: 100 }, 500);
      await findDeletedAfter(db, MIDDLE, 500);
    },
    indexes: ['change_sets_pkey', 'changes_pkey', 'deleted_users_pkey'],
    isInOrder: true,
  },
];

/** The queries by which something is read, those among them that are built once, too. */
export async function queriesOf(db: Db, read: HistoryRead['read']): Promise<CompiledQuery[]> {
  const queries: CompiledQuery[] = [];
  const executor = db.getExecutor();
  const noting = db.withPlugin({
    transformQuery: ({ node, queryId }) => {
      const query = executor.compileQuery(node, queryId);
      if (!isOnlyBuilt(query)) queries.push(query);
      return node;
    },
    transformResult: async ({ result }) => result,
  });
  noting.executeQuery = (query) => {
    queries.push(query as CompiledQuery);
    return db.executeQuery(query);
  };
  await read(noting);
  return queries;
}

/** For values that come later. */
function isOnlyBuilt({ parameters }: CompiledQuery): boolean {
  return parameters.some((value) => typeof value === 'object' && value !== null && !Array.isArray(value));
}
