import { type Compilable, type CompiledQuery, sql } from 'kysely';
import { expect, test } from 'vitest';
import { seedUsers } from '../../../src/cli/seed.ts';
import type { Db } from '../../../src/db/schema.ts';
import { transact } from '../../../src/db/transact.ts';
import { usersByIds } from '../../../src/db/users-by-ids.ts';
import { type HistoryFilter, setQueries } from '../../../src/history/list.ts';
import { inBounds } from '../../../src/users/list/conditions.ts';
import { lastSignInsBefore } from '../../../src/users/list/sign-ins.ts';
import { addUser, giveRoles, temporaryDatabase } from '../../support.ts';
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

test.each<[string, Partial<HistoryFilter>, RegExp]>([
  ['of everyone', {}, /^SEARCH change_sets USING INDEX change_sets_kind \(kind=\?( AND at[<>]\?)*\)$/],
  [
    'of some days',
    { from: 1, before: 2e12 },
    /^SEARCH change_sets USING INDEX change_sets_kind \(kind=\? AND/,
  ],
  [
    'by someone',
    { actorId: 1 },
    /^SEARCH change_sets USING INDEX change_sets_actor \(actor_id=\? AND kind=\?/,
  ],
  [
    'of everyone and of one’s own access',
    { ownAccess: 1 },
    /^SEARCH change(s USING (PRIMARY KEY|INDEX \S+) \(.*user_id=\?.*\)|_sets USING (INDEX change_sets_(kind|subject)|INTEGER PRIMARY KEY) .*)$/,
  ],
  [
    'of one user',
    { userId: 1 },
    /^SEARCH change(s USING (PRIMARY KEY|INDEX \S+) \(.*user_id=\?.*\)|_sets USING (INDEX change_sets_subject|INTEGER PRIMARY KEY) .*)$/,
  ],
])('history %s is found by its indexes', async (_whose, some, walk) => {
  const db = await temporaryDatabase();
  for (let user = 0; user < 200; user++) await addUser(db, { username: `u${user}` });
  const filter = { kinds: ['created', 'deleted', 'access'] as const, ...some };
  const cursors = [
    undefined,
    { side: 'older', at: 2e12, id: 100 },
    { side: 'newer', at: 1, id: 100 },
  ] as const;
  for (const isAnalyzed of [false, true]) {
    if (isAnalyzed) await transact(db, (trx) => sql`analyze`.execute(trx));
    for (const cursor of cursors)
      for (const query of setQueries(db, filter, cursor, 51)) {
        const steps = await planOf(db, query);
        for (const step of steps.filter((one) => /^(SCAN|SEARCH)/.test(one))) expect(step).toMatch(walk);
        if (some.userId === undefined && some.ownAccess === undefined)
          expect(steps.join()).not.toContain('TEMP B-TREE');
      }
  }
});

test('the last sign-ins are found in their index, and those who never signed in among those with a role', async () => {
  const db = await temporaryDatabase();
  await seedUsers(db, 5000);
  await giveRoles(db);
  await expectPlans();
  await transact(db, (trx) => sql`analyze`.execute(trx));
  await expectPlans();

  async function expectPlans() {
    expect(await planOf(db, lastSignInsBefore(db, 1, 10_001))).toEqual([
      'SEARCH credentials USING COVERING INDEX credentials_last_sign_in_at (last_sign_in_at<?)',
    ]);
    for (const signedIn of [{ word: 'never' }, { word: 'over-90-days-ago', before: 1 }] as const) {
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

async function planOf(db: Db, query: Compilable): Promise<string[]> {
  const cachedQuery = query.compile();
  const explained = { ...cachedQuery, sql: `explain query plan ${cachedQuery.sql}` };
  const { rows } = await db.executeQuery<{ detail: string }>(
    explained as typeof cachedQuery & CompiledQuery<{ detail: string }>,
  );
  return rows.map(({ detail }) => detail);
}
