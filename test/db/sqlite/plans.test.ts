import { type Compilable, type CompiledQuery, sql } from 'kysely';
import { beforeAll, describe, expect, test } from 'vitest';
import { isLastAdministrator } from '../../../src/auth/administrators.ts';
import { seedUsers } from '../../../src/cli/seed.ts';
import type { Db, Trx } from '../../../src/db/schema.ts';
import { transact } from '../../../src/db/transact.ts';
import { usersByIds } from '../../../src/db/users-by-ids.ts';
import { countJobs, isAnyRunning, leaseJob } from '../../../src/jobs/queries.ts';
import { countUnchanged } from '../../../src/made-up-people/queries.ts';
import { absentUsers } from '../../../src/users/list/absent-users.ts';
import { inBounds } from '../../../src/users/list/conditions.ts';
import { lastSignIns, signInsByNumber } from '../../../src/users/list/sign-ins.ts';
import { giveRoles, sharedDatabase, temporaryDatabase } from '../../support.ts';
import { addHistory, HISTORY_READS, queriesOf } from '../history-reads.ts';
import { type ListSlice, listSlices } from '../list-slices.ts';

/** How the index that has filter and order is walked. */
function walkOf({ status, role, hasRange, isFar }: ListSlice): RegExp {
  if (role) return /^SEARCH users USING (COVERING )?INDEX users_role_created_at \(role=\?.*\)$/;
  if (hasRange) return /^SEARCH users USING (INDEX|INTEGER PRIMARY KEY).*[<>=]\?\)$/;
  // From one end of the status, or of all: no row is compared with the other end.
  if (isFar)
    return status
      ? /^(SCAN|SEARCH) users USING COVERING INDEX users_status\S*( \(is_active[<>]\?\))?$/
      : /^SCAN users USING COVERING INDEX \S+$/;
  return status
    ? /^SEARCH users USING INDEX users_status\S* \(is_active=\?\)$/
    : /^SCAN users( USING INDEX \S+)?$/;
}

test('every order, with and without a status or a role, walks one index and sorts only what is shown', async () => {
  const db = await temporaryDatabase();
  await seedUsers(db, 5000);
  await giveRoles(db);
  await transact(db, (trx) => sql`analyze`.execute(trx));
  for (const window of listSlices(db)) {
    const sqlOfPlan = `explain query plan ${window.query.sql}`;
    const { rows } = await db.executeQuery<{ detail: string }>({ ...window.query, sql: sqlOfPlan });
    const plan = rows.map(({ detail }) => detail).join('\n');
    const [walked = '', joined] = plan.split('SCAN shown');
    expect(walked.trim().split('\n').at(-1), `${window.query.sql}\n${plan}`).toMatch(walkOf(window));
    expect(walked, plan).not.toContain('TEMP B-TREE');
    if (window.isFar) expect(joined, plan).toContain('SEARCH users USING INTEGER PRIMARY KEY (rowid=?)');
    else expect(joined).toBeUndefined();
  }
});

test('who has a role is found in its index, and whatever else is asked of a few in the rows of those few', async () => {
  const db = await temporaryDatabase();
  await seedUsers(db, 5000);
  await giveRoles(db);
  await expectPlans();
  await transact(db, (trx) => sql`analyze`.execute(trx));
  await expectPlans();

  async function expectPlans() {
    const ofRole = db
      .selectFrom('users')
      .select('id')
      .where(inBounds({ role: 'editor' }))
      .limit(10_001);
    expect(await planOf(db, ofRole)).toEqual([
      'SEARCH users USING COVERING INDEX users_role_created_at (role=?)',
    ]);
    const asked = inBounds({ status: true, role: 'editor', createdAfter: 0, createdBefore: 2e12 });
    const among = await planOf(db, usersByIds(db, [1, 2, 3]).select('users.id').where(asked));
    expect(among.filter((step) => step.startsWith('SEARCH'))).toEqual([
      'SEARCH users USING INTEGER PRIMARY KEY (rowid=?)',
    ]);
  }
});

test('the last administrator is looked for among those with that role', async () => {
  const db = await temporaryDatabase();
  await seedUsers(db, 5000);
  await giveRoles(db);
  await expectPlan();
  await transact(db, (trx) => sql`analyze`.execute(trx));
  await expectPlan();

  async function expectPlan() {
    const [query] = await queriesOf(db, (some) => isLastAdministrator(some, 1));
    const plan = await planOf(db, { compile: () => query as CompiledQuery });
    expect(plan[0]).toBe('SEARCH users USING INDEX users_role_created_at (role=?)');
  }
});

test('made-up people are looked up one by one, however many others there are', async () => {
  const db = await temporaryDatabase();
  await seedUsers(db, 5000);
  const [query] = await queriesOf(db, countUnchanged);
  await expectPlan();
  await transact(db, (trx) => sql`analyze`.execute(trx));
  await expectPlan();

  async function expectPlan() {
    const plan = await planOf(db, { compile: () => query as CompiledQuery });
    expect(plan.slice(0, 2)).toEqual([
      'SCAN made_up_people',
      'SEARCH users USING INTEGER PRIMARY KEY (rowid=?)',
    ]);
  }
});

const NEVER = { word: 'never' } as const;
const LONG_AGO = { word: 'over-90-days-ago', before: 1 } as const;

const withHistory = sharedDatabase(addHistory);
/** By its key, whether that is the number of a row or not. */
const STEP =
  /^(?:SCAN|SEARCH) (?<table>\w+)(?: USING (?:COVERING )?(?:INDEX (?<index>\w+)|(?:INTEGER )?PRIMARY KEY))?/;

describe.each([false, true])('with statistics: %s', (hasStatistics) => {
  beforeAll(async () => {
    if (hasStatistics) await transact(await withHistory(), (trx) => sql`analyze`.execute(trx));
  });

  test.each(HISTORY_READS)('$what is found by its indexes', async (read) => {
    const db = await withHistory();
    const indexes = new Set<string>();
    for (const query of await queriesOf(db, read.read)) {
      const steps = await planOf(db, { compile: () => query });
      for (const step of steps.filter((one) => /^(SCAN|SEARCH) (?!json_each|users$)/.test(one))) {
        const { table, index } = STEP.exec(step)?.groups ?? {};
        expect(step).toMatch(/^SEARCH .*[<>=]/);
        // SQLite names the index of a unique column by itself.
        indexes.add(index?.replace(/^sqlite_autoindex_jobs_1$/, 'jobs_set_id_key') ?? `${table}_pkey`);
      }
      if (read.isInOrder) expect(steps.join(), query.sql).not.toContain('TEMP B-TREE');
    }
    expect([...indexes].toSorted()).toEqual(read.indexes);
  });
});

test('those who may sign in are found by their last sign-ins, and in the order of their numbers, by an index alone', async () => {
  const db = await temporaryDatabase();
  await seedUsers(db, 5000);
  await giveRoles(db);
  await expectPlans();
  await transact(db, (trx) => sql`analyze`.execute(trx));
  await expectPlans();

  async function expectPlans() {
    for (const isAscending of [true, false]) {
      const from = { operator: '>', id: 7, at: 0 } as const;
      for (const order of [{ isAscending }, { isAscending, from }]) {
        for (const signedIn of [NEVER, LONG_AGO])
          expect(await planOf(db, lastSignIns(db, signedIn, order).limit(10))).toEqual([
            expect.stringMatching(/^SEARCH last_sign_ins USING COVERING INDEX last_sign_ins_at \(/),
          ]);
        const inOrder = order.from
          ? 'SEARCH last_sign_ins USING INTEGER PRIMARY KEY (rowid>?)'
          : 'SCAN last_sign_ins';
        expect(await planOf(db, signInsByNumber(db, order).limit(10))).toEqual([inOrder]);
      }
    }
    for (const signedIn of [NEVER, LONG_AGO]) {
      const asked = db
        .selectFrom('users')
        .where(inBounds({ role: 'editor' }))
        .orderBy('created_at')
        .orderBy('id')
        .select('users.id')
        .select((where) => where.and([inBounds({ signedIn })(where)]).as('is_match'))
        .limit(2_000);
      const plan = await planOf(db, asked);
      expect(plan.filter((step) => /SEARCH|SCAN|TEMP/.test(step))).toEqual([
        'SEARCH users USING INDEX users_role_created_at (role=?)',
        'SEARCH credentials USING INTEGER PRIMARY KEY (rowid=?)',
      ]);
    }
  }
});

test('who is not in a file is found by ranges of numbers, and of each user the one range is asked', async () => {
  const db = await temporaryDatabase();
  await seedUsers(db, 5000);
  const asked = db
    .selectFrom('users')
    .select('users.id')
    .where(inBounds({ absentFrom: 7 }))
    .orderBy('users.id');
  expect(await planOf(db, absentUsers(db, 7).limit(10))).toEqual([
    'SEARCH absent_users USING PRIMARY KEY (import_id=?)',
    'SEARCH users USING COVERING INDEX users_id (id>? AND id<?)',
  ]);
  expect(await planOf(db, asked)).toEqual([
    'SCAN users USING COVERING INDEX users_id',
    'CORRELATED SCALAR SUBQUERY 1',
    'SEARCH absent_users USING PRIMARY KEY (import_id=? AND first_id<?)',
  ]);
});

test('jobs that are under way are found among any number that are done', async () => {
  const db = await temporaryDatabase();
  const lease = { owner: 'me', now: 1, until: 2, latest: 3 };
  const [any] = await queriesOf(db, isAnyRunning);
  const [count] = await queriesOf(db, countJobs);
  const [free] = await queriesOf(db, (some) => leaseJob(some as Trx, ['undo'], lease));
  for (const query of [any, count, free]) {
    const [walked] = await planOf(db, { compile: () => query as CompiledQuery });
    expect(walked).toMatch(/ INDEX jobs_running\b/);
  }
});

async function planOf(db: Db, query: Compilable): Promise<string[]> {
  const cachedQuery = query.compile();
  const explained = { ...cachedQuery, sql: `explain query plan ${cachedQuery.sql}` };
  const { rows } = await db.executeQuery<{ detail: string }>(
    explained as typeof cachedQuery & CompiledQuery<{ detail: string }>,
  );
  return rows.map(({ detail }) => detail);
}
