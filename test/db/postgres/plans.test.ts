import { type Compilable, sql } from 'kysely';
import { beforeAll, describe, expect, test } from 'vitest';
import { seedUsers } from '../../../src/cli/seed.ts';
import { engineOf } from '../../../src/db/engine.ts';
import { transact } from '../../../src/db/transact.ts';
import { insertAbsent } from '../../../src/imports/absent-queries.ts';
import { absentUsers } from '../../../src/users/list/absent-users.ts';
import { inBounds } from '../../../src/users/list/conditions.ts';
import { lastSignIns, signInsByNumber } from '../../../src/users/list/sign-ins.ts';
import { giveAccess, giveRoles, sharedDatabase } from '../../support.ts';
import { addHistory, HISTORY_READS, queriesOf } from '../history-reads.ts';
import { listSlices } from '../list-slices.ts';

type Node = {
  'Node Type': string;
  'Relation Name'?: string;
  'Index Name'?: string;
  Plans?: Node[];
};

/** A node of a plan and all below it. */
function nodesOf(node: Node): Node[] {
  return [node, ...(node.Plans ?? []).flatMap(nodesOf)];
}

const analyzed = sharedDatabase(async (db) => {
  await seedUsers(db, 20_000);
  await giveRoles(db);
  await giveAccess(
    db,
    ({ id }) => id % 3 === 0,
    ({ id }) => (id % 2 ? id : null),
  );
  await engineOf(db).finishBulkLoad(db);
  await transact(db, (trx) => sql`analyze credentials, last_sign_ins`.execute(trx));
});

test('every order, with and without a status or a role, walks one index and sorts only what is shown', async () => {
  const db = await analyzed();
  for (const { query, role, isFar } of listSlices(db)) {
    const sqlOfPlan = `explain (format json) ${query.sql}`;
    const { rows } = await db.executeQuery<{ 'QUERY PLAN': [{ Plan: Node }] }>({ ...query, sql: sqlOfPlan });
    const plan = rows[0]?.['QUERY PLAN'][0].Plan as Node;
    const walked = nodesOf(plan).find((node) => node['Node Type'] === 'Limit') as Node;
    const scans = nodesOf(walked).slice(1);
    const types = scans.map((node) => node['Node Type']);
    expect(types, JSON.stringify(plan, undefined, 1)).toEqual([isFar ? 'Index Only Scan' : 'Index Scan']);
    if (role && role !== 'member') expect(scans[0]?.['Index Name']).toBe('users_role_created_at');
    const looked = nodesOf(plan).filter((node) => node['Relation Name'] && !scans.includes(node));
    const indexes = looked.map((node) => node['Index Name']);
    expect(indexes, JSON.stringify(plan, undefined, 1)).toEqual(isFar ? ['users_pkey'] : []);
  }
});

test('who has a role is found in its index', async () => {
  const db = await analyzed();
  for (const role of ['viewer', 'editor', 'admin'] as const) {
    const ofRole = db.selectFrom('users').select('id').where(inBounds({ role })).limit(10_001).compile();
    const { rows } = await db.executeQuery<{ 'QUERY PLAN': [{ Plan: Node }] }>({
      ...ofRole,
      sql: `explain (format json) ${ofRole.sql}`,
    } as never);
    const nodes = nodesOf(rows[0]?.['QUERY PLAN'][0].Plan as Node);
    expect(nodes.map((node) => node['Index Name']).filter(Boolean)).toEqual(['users_role_created_at']);
  }
});

test('those who may sign in are found by their last sign-ins, and in the order of their numbers, by an index alone', async () => {
  const db = await analyzed();
  const explain = async (query: Compilable) => {
    const compiled = query.compile();
    const { rows } = await db.executeQuery<{ 'QUERY PLAN': [{ Plan: Node }] }>({
      ...compiled,
      sql: `explain (format json) ${compiled.sql}`,
    } as never);
    const nodes = nodesOf(rows[0]?.['QUERY PLAN'][0].Plan as Node);
    expect(nodes.map((node) => node['Node Type'])).not.toContain('Sort');
    return nodes.map((node) => node['Index Name']).filter(Boolean);
  };
  for (const isAscending of [true, false]) {
    const from = { operator: '>', id: 7, at: 0 } as const;
    for (const order of [{ isAscending }, { isAscending, from }]) {
      for (const signedIn of [NEVER, LONG_AGO])
        expect(await explain(lastSignIns(db, signedIn, order).limit(10))).toEqual(['last_sign_ins_at']);
      expect(await explain(signInsByNumber(db, order).limit(10))).toEqual(['last_sign_ins_pkey']);
    }
  }
  for (const signedIn of [NEVER, LONG_AGO]) {
    const asked = db
      .selectFrom('users')
      .where(inBounds({ role: 'admin' }))
      .orderBy('created_at')
      .orderBy('id')
      .select('users.id')
      .select((where) => where.and([inBounds({ signedIn })(where)]).as('is_match'))
      .limit(2_000);
    expect(await explain(asked)).toEqual(['users_role_created_at', 'credentials_pkey']);
  }
});

test('who is not in a file is found by ranges of numbers, and of each user the one range is asked', async () => {
  const db = await analyzed();
  const ranges = Array.from({ length: 900 }, (_, index) => ({
    first_id: 5 * index + 1,
    last_id: 5 * index + 2,
  }));
  await transact(db, (trx) => insertAbsent(trx, 7, ranges));
  // Hardly any was in that one: whoever puts a range in order reads all of it.
  await transact(db, (trx) => insertAbsent(trx, 8, [{ first_id: 1, last_id: 20_000 }]));
  await transact(db, (trx) => sql`analyze absent_users`.execute(trx));
  const types = new Set<string>();
  const indexesOf = async (query: Compilable) => {
    const { sql: text, ...compiled } = query.compile();
    const explained = { ...compiled, sql: `explain (format json) ${text}` };
    const { rows } = await db.executeQuery<{ 'QUERY PLAN': [{ Plan: Node }] }>(explained as never);
    const nodes = nodesOf(rows[0]?.['QUERY PLAN'][0].Plan as Node);
    for (const node of nodes) types.add(node['Node Type']);
    return nodes.flatMap((node) => node['Index Name'] ?? []);
  };
  for (const imported of [7, 8])
    expect(await indexesOf(absentUsers(db, imported).limit(10_001))).toEqual([
      'absent_users_pkey',
      'users_pkey',
    ]);
  expect([...types].filter((type) => type.includes('Sort'))).toEqual([]);
  const asked = db
    .selectFrom('users')
    .select('users.id')
    .where(inBounds({ absentFrom: 7 }))
    .orderBy('users.id')
    .limit(10);
  expect(await indexesOf(asked)).toEqual(['users_pkey', 'absent_users_pkey']);
});

const NEVER = { word: 'never' } as const;
const LONG_AGO = { word: 'over-90-days-ago', before: 100 } as const;

const HISTORY = ['change_sets', 'changes', 'deleted_users'];
const withHistory = sharedDatabase(async (db) => {
  // Else statistics may be made by the server at any time.
  for (const table of HISTORY)
    await transact(db, (trx) =>
      sql`alter table ${sql.id(table)} set (autovacuum_enabled = off)`.execute(trx),
    );
  await addHistory(db);
});

describe.each([false, true])('with statistics: %s', (hasStatistics) => {
  beforeAll(async () => {
    const db = await withHistory();
    for (const table of hasStatistics ? HISTORY : [])
      await transact(db, (trx) => sql`analyze ${sql.id(table)}`.execute(trx));
  });

  test.each(HISTORY_READS)('$what is found by its indexes', async (read) => {
    const db = await withHistory();
    const indexes = new Set<string | undefined>();
    for (const { sql: text, parameters } of await queriesOf(db, read.read)) {
      const { rows } = await db.executeQuery<{ 'QUERY PLAN': [{ Plan: Node }] }>({
        sql: `explain (format json) ${text}`,
        parameters,
      } as never);
      const nodes = nodesOf(rows[0]?.['QUERY PLAN'][0].Plan as Node);
      const scans = nodes.filter((node) => 'Relation Name' in node || 'Index Name' in node);
      for (const scan of scans) if (scan['Node Type'] !== 'Bitmap Heap Scan') indexes.add(scan['Index Name']);
      const types = nodes.map((node) => node['Node Type']);
      // What few seem to be is sorted.
      if (read.isInOrder && hasStatistics)
        expect(types, JSON.stringify(nodes[0], undefined, 1)).not.toContain('Sort');
    }
    expect([...indexes].toSorted()).toEqual(read.indexes);
  });
});
