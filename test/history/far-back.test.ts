/** What is looked for among very many changes of one user: a page goes through so many of them, and says from where to go on. */
import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { commandLine } from '../../src/auth/actor.ts';
import type { Db, User } from '../../src/db/schema.ts';
import { transact } from '../../src/db/transact.ts';
import { KINDS } from '../../src/history/kinds.ts';
import { readHistory } from '../../src/history/list.ts';
import { inOneSet } from '../../src/history/record.ts';
import { readTimeline } from '../../src/history/timeline.ts';
import { MOST_GONE_THROUGH } from '../../src/history/versions.ts';
import { DAY } from '../../src/lib/clock.ts';
import { changeUser } from '../../src/users/commands.ts';
import { pageOf } from '../page.ts';
import { addPerson, signedIn } from '../people.ts';
import { addUser, get, startApp, temporaryDatabase } from '../support.ts';

const VERSIONS = 2 * MOST_GONE_THROUGH + 1;
const SET = 1_000_000;

type Act = { kind: number; at?: number };

/** One user with one change in each set, the first of them the creation; `odd` are of other kinds. */
async function addChanges(
  db: Db,
  odd: Record<number, Act> = {},
  atOf = (version: number) => 1_000 + version,
) {
  const { id } = await addUser(db, { username: 'max' });
  await transact(db, async (trx) => {
    await trx.deleteFrom('changes').where('user_id', '=', id).execute();
    for (let from = 1; from <= VERSIONS; from += 500) {
      const versions = Array.from({ length: Math.min(500, VERSIONS + 1 - from) }, (_, index) => from + index);
      const common = { users: 1, via: 1, actor_kind: 1, actor_id: 1 };
      const kindOf = (version: number) => odd[version]?.kind ?? KINDS.changed;
      const sets = versions.map((version) => ({
        ...common,
        id: SET + version,
        at: atOf(version),
        kind: kindOf(version),
      }));
      const changes = versions.map((version) => ({
        user_id: id,
        version,
        set_id: SET + version,
        at: null,
        fields: '{"3":[null,"x"]}',
      }));
      await trx.insertInto('change_sets').values(sets).execute();
      await trx.insertInto('changes').values(changes).execute();
    }
    await trx.updateTable('users').set({ version: VERSIONS }).where('id', '=', id).execute();
  });
  return id;
}

/** Between the days, which are lines of their own. */
const doneOn = (page: ReturnType<typeof pageOf>) => page.column('What').filter((what) => what !== '');

/** How many rows were read meanwhile. */
function counting(db: Db) {
  const counted = { rows: 0 };
  const noting = db.withPlugin({
    transformQuery: ({ node }) => node,
    transformResult: async ({ result }) => {
      counted.rows += result.rows.length;
      return result;
    },
  });
  return { noting, counted };
}

test('each page reads so many changes at most, says so, and the next goes on from there', async () => {
  const app = await startApp();
  const headers = await signedIn(app, await addPerson(app.db, 'ann', 'admin'));
  const dayOf = (version: number) => Date.UTC(2020, 0, 1) + version * DAY;
  await addChanges(app.db, { 50: { kind: KINDS.activated }, 1900: { kind: KINDS.activated } }, dayOf);
  const read = async (path: string) => pageOf(await get(app, path, headers));
  const pagesOf = (page: ReturnType<typeof pageOf>) =>
    page.links.map(({ text }) => text).filter((text) => /^(Newest|Newer|Older)$/.test(text));
  const none = await read('/history?user=max&kind=deactivated');
  expect(none.text).toContain(
    'Nothing like that so far Looked through 1,000 changes of this user, back to 29 Sept 2022. Go on',
  );
  expect(pagesOf(none)).toEqual([]);
  const first = await read('/history?user=max&kind=activated');
  expect(first.text).toContain('Looked through 1,000 changes of this user, back to 29 Sept 2022. Go on');
  expect([first.text.includes('Nothing like that'), pagesOf(first)]).toEqual([false, []]);
  const second = await read(first.link('Go on'));
  expect(second.text).toContain('back to 4 Jan 2020. Go on');
  expect(pagesOf(second)).toEqual(['Newest', 'Newer']);
  const last = await read(second.link('Go on'));
  expect(last.text).toContain('Nothing like that further back');
  expect(last.text).not.toContain('Looked through');
  const back = await read(last.link('Newer'));
  expect(back.text).toContain('of this user, up to 29 Sept 2022. Go on');
  expect([doneOn(back), pagesOf(back)]).toEqual([['Activated max'], []]);
  expect(doneOn(await read(back.link('Go on')))).toEqual(['Activated max']);
  const all = await read('/history?user=max');
  expect(all.text).not.toContain('Looked through');
  expect(doneOn(all)).toHaveLength(50);
});

test.each([
  ['the last that a page goes through', VERSIONS - MOST_GONE_THROUGH + 1, 1],
  ['the first that it does not', VERSIONS - MOST_GONE_THROUGH, 2],
  ['the very first', 1, 3],
])('what is looked for is found once: %s', async (_where, version, page) => {
  const db = await temporaryDatabase();
  const userId = await addChanges(db, { [version]: { kind: KINDS.activated } });
  const { noting, counted } = counting(db);
  const filter = { kinds: ['activated'], userId } as const;
  const pages: number[][] = [];
  for (let cursor: Parameters<typeof readHistory>[2]; (pages.length === 0 || cursor) && pages.length < 9; ) {
    counted.rows = 0;
    const found = await readHistory(noting, filter, cursor, 50);
    // Ahead, and behind; and where a time is among the versions.
    expect(counted.rows).toBeLessThan(2 * MOST_GONE_THROUGH + 300);
    pages.push(found.sets.map(({ id }) => id - SET));
    cursor = found.older;
  }
  const expected: number[][] = [[], [], []];
  expected[page - 1] = [version];
  expect(pages).toEqual(expected);
});

test('however many were at one moment, each page gets on', async () => {
  const db = await temporaryDatabase();
  const userId = await addChanges(db, { 2: { kind: KINDS.activated } }, () => 1_000);
  const filter = { kinds: ['activated'], userId } as const;
  const found: number[] = [];
  let pages = 0;
  for (let cursor: Parameters<typeof readHistory>[2]; (pages === 0 || cursor) && pages < 9; pages++) {
    const page = await readHistory(db, filter, cursor, 50);
    found.push(...page.sets.map(({ id }) => id - SET));
    cursor = page.older;
  }
  expect([found, pages]).toEqual([[2], 3]);
});

test('a fact further back than the changes that were gone through comes with those', async () => {
  const db = await temporaryDatabase();
  const userId = await addChanges(db);
  const fact = {
    users: 1,
    via: 1,
    actor_kind: 1,
    actor_id: 1,
    subject_id: userId,
    event: 'x',
    kind: KINDS.access,
  };
  await transact(db, (trx) =>
    trx
      .insertInto('change_sets')
      .values([
        { ...fact, id: 7, at: 1_500 },
        { ...fact, id: 8, at: 2_500 },
      ])
      .execute(),
  );
  const filter = { kinds: ['access'], userId } as const;
  const first = await readHistory(db, filter, undefined, 50);
  const second = await readHistory(db, filter, first.older, 50);
  expect([first, second].map(({ sets }) => sets.map(({ id }) => id))).toEqual([[8], [7]]);
});

test('a timeline that was not looked through to its end says how far it was', async () => {
  const app = await startApp();
  const headers = await signedIn(app, await addPerson(app.db, 'vera', 'viewer'));
  const id = await addChanges(app.db, {}, (version) => Date.UTC(2020, 0, 1) + version * DAY);
  await transact(app.db, (trx) =>
    sql`update change_sets set kind = ${KINDS.access} where id > ${SET + 1}`.execute(trx),
  );
  const page = pageOf(await get(app, `/users/${id}`, headers));
  expect(page.text).toContain('Looked through 1,000 changes of this user, back to 29 Sept 2022. Earlier');
  const last = pageOf(
    await get(app, pageOf(await get(app, page.link('Earlier'), headers)).link('Earlier'), headers),
  );
  expect(last.text).not.toContain('Looked through');
});

test('a timeline without what may not be seen stops there, too', async () => {
  const db = await temporaryDatabase();
  const userId = await addChanges(db, { 1: { kind: KINDS.created } });
  await transact(db, (trx) =>
    sql`update change_sets set kind = ${KINDS.access} where id > ${SET + 1}`.execute(trx),
  );
  const { noting, counted } = counting(db);
  const entries: unknown[] = [];
  let pages = 0;
  for (let from: Parameters<typeof readTimeline>[2]['from']; (pages === 0 || from) && pages < 9; pages++) {
    counted.rows = 0;
    const page = await readTimeline(
      noting,
      { id: userId, version: VERSIONS },
      { from, limit: 10, seesAccess: false, seesAll: false },
    );
    expect(counted.rows).toBeLessThan(MOST_GONE_THROUGH + 10);
    entries.push(...page.entries.map(({ version }) => version));
    from = page.earlier;
  }
  expect([entries, pages]).toEqual([[1], 3]);
});

test.each(['access', 'changed'] as const)(
  'everyone’s history goes past nothing that stands beside a change of many roles of kind %s',
  async (kind) => {
    const db = await temporaryDatabase();
    const users: User[] = [];
    for (let n = 1; n <= 30; n++) users.push(await addUser(db, { username: `user${n}` }));
    await transact(db, (trx) =>
      inOneSet(trx, commandLine, { at: Date.now(), kind }, async (many) => {
        for (const { id } of users) await changeUser(trx, many, id, { role: 'viewer' }, Date.now());
      }),
    );
    const { sets } = await readHistory(db, { kinds: ['created', 'changed', 'access'] }, undefined, 1_000);
    const ofKinds = db
      .selectFrom('change_sets')
      .select('id')
      .where('kind', 'in', [KINDS.created, KINDS.changed, KINDS.access]);
    expect(sets).toHaveLength(31);
    expect(await ofKinds.execute()).toHaveLength(31);
  },
);
