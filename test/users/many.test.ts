/** Many by one command: all that is left behind is what the command for one leaves, called again and again. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Actor, commandLine } from '../../src/auth/actor.ts';
import { insertSession } from '../../src/auth/sessions.ts';
import { derivedColumns } from '../../src/db/derived-columns.ts';
import { engineOf } from '../../src/db/engine.ts';
import { readRevision } from '../../src/db/revision.ts';
import { type Db, ROLES, type Trx, type User } from '../../src/db/schema.ts';
import { transact } from '../../src/db/transact.ts';
import { countByKind } from '../../src/db/user-counts.ts';
import { ForbiddenError, LastAdministratorError, NotUniqueError } from '../../src/errors.ts';
import { findChangeSet } from '../../src/history/queries.ts';
import { inOneSet } from '../../src/history/record.ts';
import { Deadline } from '../../src/lib/deadline.ts';
import { parseSearch } from '../../src/search/terms.ts';
import { undoChangeSet } from '../../src/undo/commands.ts';
import { changeUser, changeUsers, createUser, createUsers, deleteUser } from '../../src/users/commands.ts';
import { readCounts } from '../../src/users/counts.ts';
import { findUser } from '../../src/users/queries.ts';
import type { NewUser, UserChanges } from '../../src/users/validation.ts';
import { addPerson } from '../people.ts';
import { runs } from '../runs.ts';
import { addUser, expectLastSignIns, giveAccess, temporaryDatabase } from '../support.ts';

const NOW = Date.UTC(2026, 0, 31);

type Kind = 'created' | 'changed' | 'access';
type Act<T> = (trx: Trx, actor: Actor) => Promise<T>;

/** What is done in one change set, what was noted of it in the log, and whether pages are made again for it. */
async function inSet<T>(db: Db, act: Act<T>, kind: Kind = 'changed', actor = commandLine) {
  const before = await readRevision(db);
  const notes: string[] = [];
  const note: Actor['note'] = (event, user) => notes.push(`${event} (${user?.username})`);
  const done = await transact(db, (trx) =>
    inOneSet(trx, { ...actor, note }, { at: NOW, kind }, (acting) => act(trx, acting)),
  );
  return { ...done, notes, hasMoved: (await readRevision(db)) !== before };
}

/** All that a creation or a change leaves in the tables. */
async function everything(db: Db) {
  return {
    users: await db.selectFrom('users').selectAll().orderBy('id').execute(),
    sets: await db.selectFrom('change_sets').selectAll().orderBy('id').execute(),
    changes: await db.selectFrom('changes').selectAll().orderBy('user_id').orderBy('version').execute(),
    signIns: await db.selectFrom('last_sign_ins').selectAll().orderBy('user_id').execute(),
    sessions: await db.selectFrom('sessions').selectAll().orderBy('id').execute(),
    links: await db.selectFrom('invitations').selectAll().orderBy('user_id').execute(),
    counts: await readCounts(db),
  };
}

/** Whom the index of searches finds by each word that anyone has or has had. */
async function found(db: Db, words: readonly string[]) {
  const index = await engineOf(db).searchIndexOf(db);
  const search = { condition: undefined, isReversed: false, limit: 100 };
  const ids = words.map((word) =>
    index.find(db, { ...search, terms: parseSearch(word) }, Deadline.in(60_000)),
  );
  return Promise.all(ids);
}

/** What is kept beside the users says the same as they do. */
async function expectRight(db: Db): Promise<void> {
  const counts = countByKind(await db.selectFrom('users').selectAll().execute());
  const kept = (await readCounts(db)).filter(({ count }) => count !== 0);
  expect(kept).toHaveLength(counts.length);
  expect(kept).toEqual(expect.arrayContaining(counts));
  await expectLastSignIns(db);
  const before = await found(db, WORDS);
  await transact(db, (trx) => engineOf(trx).makeSearchIndex(trx));
  expect(before).toEqual(await found(db, WORDS));
}

async function each<T, R>(some: readonly T[], act: (one: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (const one of some) results.push(await act(one));
  return results;
}

const WORDS = [
  'ada',
  'zoë',
  'müller',
  'mueller',
  'łukasz',
  'o’brien',
  'obrien',
  'example.org',
  'bücher.example',
];
const NAMES = [null, 'Ada', 'Zoë Müller', 'Łukasz O’Brien', '"quoted" \\ {json}', '名前'];
const DOMAINS = ['example.org', 'xn--bcher-kva.example'];

const role = fc.constantFrom(...ROLES, 'member' as const, 'member' as const);
const newUser = fc.record({
  name: fc.constantFrom('ada', 'Żaneta', '日本', 'o-brien'),
  domain: fc.constantFrom(...DOMAINS),
  full_name: fc.constantFrom(...NAMES, undefined),
  is_active: fc.boolean(),
  role,
});

function usersFrom(some: readonly (typeof newUser extends fc.Arbitrary<infer U> ? U : never)[]): NewUser[] {
  return some.map(({ name, domain, full_name, ...rest }, index) => {
    const names = { username: `${name}${index}`, email: `Mail.${index}@${domain}` };
    return full_name === undefined ? { ...names, ...rest } : { ...names, full_name, ...rest };
  });
}

test('many who are created at once leave what they leave one by one', async () => {
  const property = fc.asyncProperty(fc.array(newUser, { minLength: 1, maxLength: 12 }), async (some) => {
    const users = usersFrom(some);
    const [many, ones] = [await temporaryDatabase(), await temporaryDatabase()];
    const atOnce = await inSet(many, (trx, actor) => createUsers(trx, actor, users, NOW), 'created');
    const oneByOne = await inSet(
      ones,
      (trx, actor) => each(users, (user) => createUser(trx, actor, user, NOW)),
      'created',
    );
    expect(atOnce.result).toEqual(oneByOne.result.map(({ user }) => user));
    expect(atOnce.notes).toEqual(oneByOne.notes);
    expect([atOnce.hasMoved, oneByOne.hasMoved]).toEqual([true, true]);
    expect(await everything(many)).toEqual(await everything(ones));
    expect(await many.selectFrom('users').selectAll().orderBy('id').execute()).toEqual(atOnce.result);
    await expectRight(many);
    await Promise.all([many.destroy(), ones.destroy()]);
  });
  await fc.assert(property, runs(200));
});

const PEOPLE = 8;

const change = fc.record(
  {
    username: fc.constantFrom('ada', 'Zoë'),
    email: fc.constantFrom(...DOMAINS),
    full_name: fc.constantFrom(...NAMES),
    is_active: fc.boolean(),
    role,
  },
  { requiredKeys: [] },
);

/** Of the users with some ids, none of whom takes another's name. */
function changesFrom(
  some: readonly (readonly [number, typeof change extends fc.Arbitrary<infer C> ? C : never])[],
) {
  return some.map(([id, { username, email, ...changes }]) => {
    const names = {
      ...(username && { username: `${username}${id}` }),
      ...(email && { email: `${id}@${email}` }),
    };
    return { id, changes: { ...changes, ...names } as UserChanges };
  });
}

/** With access, sessions and links; the clock of whoever has changed some of them was ahead. */
async function people(): Promise<Db> {
  const db = await temporaryDatabase();
  await addUser(db, { username: 'root', role: 'admin' }, NOW);
  for (let id = 2; id <= PEOPLE; id++) {
    const some = { role: ROLES[id % 4] ?? 'member', is_active: id % 3 > 0, full_name: 'Zoë Müller' };
    await addUser(db, { username: `ada${id}`, ...some }, NOW);
    await transact(db, async (trx) => {
      await insertSession(trx, { token: `${id}`, user_id: id, address: '::1', browser: 'Firefox' }, NOW);
      const link = { user_id: id, token_hash: `${id}`, created_at: NOW };
      await trx.insertInto('invitations').values(link).execute();
      if (id % 2) await changeUser(trx, commandLine, id, { full_name: 'O’Brien' }, NOW + id);
    });
  }
  await giveAccess(
    db,
    () => true,
    (_user, index) => index,
  );
  return db;
}

test('many who are changed at once leave what they leave one by one', async () => {
  const some = fc.uniqueArray(fc.tuple(fc.integer({ min: 2, max: PEOPLE }), change), {
    selector: ([id]) => id,
    minLength: 1,
  });
  const property = fc.asyncProperty(
    some,
    fc.constantFrom<Kind>('changed', 'access'),
    async (chosen, kind) => {
      const wanted = changesFrom(chosen);
      const [many, ones] = [await people(), await people()];
      const before = await many.selectFrom('users').select(['id', 'version']).execute();
      const version = (id: number) => before.find((user) => user.id === id)?.version ?? 0;
      const atOnce = await inSet(
        many,
        (trx, actor) =>
          changeUsers(
            trx,
            actor,
            wanted.map((one) => ({ ...one, version: version(one.id) })),
            NOW,
          ),
        kind,
      );
      const oneByOne = await inSet(
        ones,
        (trx, actor) => each(wanted, ({ id, changes }) => changeUser(trx, actor, id, changes, NOW)),
        kind,
      );
      const changed = oneByOne.result.filter(({ kind }) => kind === 'changed').map(({ user }) => user);
      expect(atOnce.result).toEqual({ kind: 'changed', users: changed });
      expect(atOnce.notes).toEqual(oneByOne.notes);
      expect(atOnce.hasMoved).toBe(oneByOne.hasMoved);
      if (changed.length > 0) expect(atOnce.hasMoved).toBe(true);
      expect(await everything(many)).toEqual(await everything(ones));
      expect(await found(many, WORDS)).toEqual(await found(ones, WORDS));
      await expectLastSignIns(many);
      await Promise.all([many.destroy(), ones.destroy()]);
    },
  );
  await fc.assert(property, runs(200));
});

test('each has it in their history and in the log, and loses what they may not keep', async () => {
  const db = await people();
  const ids = [4, 5, 6, 7, 8];
  const users = (await each(ids, (id) => findUser(db, id))) as User[];
  const [dana, eve, fay, gus, hal] = users as [User, User, User, User, User];
  const wanted = [
    { ...dana, changes: { role: 'viewer' as const } },
    { ...eve, changes: { email: 'eve@new.example' } },
    { ...fay, changes: { full_name: 'Fay', role: 'member' as const } },
    { ...gus, changes: { is_active: false } },
    { ...hal, changes: { full_name: 'Hal' } },
  ];
  expect(users.map(({ role }) => role)).toEqual(['member', 'viewer', 'editor', 'admin', 'member']);
  const { set, notes } = await inSet(db, (trx, actor) => changeUsers(trx, actor, wanted, NOW));
  expect(notes).toEqual([
    'role changed from member to viewer (ada4)',
    'email changed (ada5)',
    'role changed from editor to member (ada6)',
    'deactivated (ada7)',
  ]);
  const all = await everything(db);
  // The clock of whoever has changed eve and gus was ahead.
  const own = (id: number) => (id % 2 ? NOW + id : null);
  expect(all.changes.filter(({ set_id }) => set_id === set)).toEqual(
    [
      [4, { 5: ['member', 'viewer'] }],
      [5, { 2: ['ada5@example.org', 'eve@new.example'] }],
      [6, { 3: ['Zoë Müller', 'Fay'], 5: ['editor', 'member'] }],
      [7, { 4: [true, false] }],
      [8, { 3: ['Zoë Müller', 'Hal'] }],
    ].map(([id, fields]) => {
      const version = (users.find((user) => user.id === id)?.version ?? 0) + 1;
      return { user_id: id, version, set_id: set, at: own(id as number), fields: JSON.stringify(fields) };
    }),
  );
  const ofRoles = all.sets.filter(({ event }) => event === 'role changed');
  expect(ofRoles.map(({ subject_id, detail }) => [subject_id, detail])).toEqual([
    [4, 'viewer'],
    [6, 'member'],
  ]);
  expect(all.sessions.map(({ user_id }) => user_id)).toEqual([2, 3, 5, 8]);
  expect(all.links.map(({ user_id }) => user_id)).toEqual([2, 3, 8]);
});

test('whoever is changed again in the same transaction is found as they are in the end', async () => {
  const db = await temporaryDatabase();
  const ann = await addUser(db, { username: 'ann', full_name: 'Ada' });
  await inSet(db, async (trx, actor) => {
    const [new1] = (await createUsers(trx, actor, [member('new1')], NOW)) as [User];
    for (const full_name of ['Zoë', 'Łukasz'])
      for (const { id } of [ann, new1]) await changeUser(trx, actor, id, { full_name }, NOW);
  });
  expect(await found(db, ['ada', 'zoe', 'lukasz'])).toEqual([[], [], [1, 2]]);
  await expectRight(db);
});

function member(username: string): NewUser {
  return { username, email: `${username}@example.org`, is_active: true, role: 'member' };
}

describe('nothing is left of many', () => {
  const editor: Actor = { ...commandLine, role: 'editor', via: 'form' };

  async function expectRefused(
    db: Db,
    act: Act<unknown>,
    error: new (message: string) => Error,
    actor = commandLine,
  ) {
    const [before, revision] = [await everything(db), await readRevision(db)];
    await expect(inSet(db, act, 'changed', actor)).rejects.toThrow(error);
    expect([await everything(db), await readRevision(db)]).toEqual([before, revision]);
    expect(await found(db, ['new'])).toEqual([[]]);
  }

  test.each<[string, (ids: { member: User; viewer: User }) => Act<unknown>]>([
    [
      'creating someone with a role',
      () => (trx, actor) =>
        createUsers(trx, actor, [member('new1'), { ...member('new2'), role: 'viewer' }], NOW),
    ],
    [
      'changing someone with a role',
      ({ member, viewer }) =>
        (trx, actor) =>
          changeUsers(trx, actor, named(member, viewer), NOW),
    ],
    [
      'giving a role',
      ({ member }) =>
        (trx, actor) =>
          changeUsers(trx, actor, [{ ...member, changes: { full_name: 'New', role: 'viewer' } }], NOW),
    ],
  ])('where an editor may not do it to one of them: %s', async (_what, act) => {
    const db = await temporaryDatabase();
    const users = {
      member: await addUser(db, { username: 'max' }),
      viewer: await addUser(db, { username: 'vic', role: 'viewer' }),
    };
    await expectRefused(db, act(users), ForbiddenError, editor);
  });

  const named = (...users: User[]) => users.map((user) => ({ ...user, changes: { full_name: 'New' } }));

  test('where a username or an email is taken, by another or by one of them', async () => {
    const db = await temporaryDatabase();
    const [ann, bob] = [await addUser(db, { username: 'ann' }), await addUser(db, { username: 'bob' })];
    const taken = [member('ANN'), { ...member('new2'), email: bob.email }, member('new1')];
    for (const user of taken)
      await expectRefused(
        db,
        (trx, actor) => createUsers(trx, actor, [member('new1'), user], NOW),
        NotUniqueError,
      );
    for (const changes of [{ username: 'Ann' }, { email: ann.email }])
      await expectRefused(
        db,
        (trx, actor) => changeUsers(trx, actor, [{ ...bob, changes }], NOW),
        NotUniqueError,
      );
    const both = [ann, bob].map((user) => ({ ...user, changes: { username: 'new' } }));
    await expectRefused(db, (trx, actor) => changeUsers(trx, actor, both, NOW), NotUniqueError);
  });

  test('where nobody could let others in any more; it may be all but one', async () => {
    const db = await temporaryDatabase();
    const [ann, ben, eve] = [
      await addPerson(db, 'ann', 'admin'),
      await addPerson(db, 'ben', 'admin'),
      await addUser(db, { username: 'eve', role: 'admin' }),
    ];
    const deactivated = (...users: User[]) =>
      users.map((user) => ({ ...user, changes: { is_active: false } }));
    const all: Act<unknown> = (trx, actor) => changeUsers(trx, actor, deactivated(ann, ben, eve), NOW);
    await expectRefused(db, all, LastAdministratorError);
    const some = await inSet(db, (trx, actor) => changeUsers(trx, actor, deactivated(ben, eve), NOW));
    expect(some.result.kind).toBe('changed');
    await expectRefused(
      db,
      (trx, actor) => changeUsers(trx, actor, deactivated(ann), NOW),
      LastAdministratorError,
    );
  });

  test('where one of them has been changed since, or is gone: it says who', async () => {
    const db = await temporaryDatabase();
    const [ann, bob, cyd] = [
      await addUser(db, { username: 'ann' }),
      await addUser(db, { username: 'bob' }),
      await addUser(db, { username: 'cyd' }),
    ];
    await transact(db, (trx) => changeUser(trx, commandLine, bob.id, { full_name: 'Bob' }, NOW));
    await transact(db, (trx) => deleteUser(trx, commandLine, cyd.id, NOW));
    const before = await everything(db);
    const { result } = await inSet(db, (trx, actor) => changeUsers(trx, actor, named(ann, bob, cyd), NOW));
    expect(result).toEqual({ kind: 'changed since', ids: [bob.id, cyd.id] });
    expect(await everything(db)).toEqual(before);
  });

  test('where there is nobody, or everybody is so already', async () => {
    const db = await temporaryDatabase();
    const ann = await addUser(db, { username: 'ann', full_name: 'Ann' });
    const before = await everything(db);
    const acts: Act<unknown>[] = [
      (trx, actor) => createUsers(trx, actor, [], NOW),
      (trx, actor) => changeUsers(trx, actor, [], NOW),
      (trx, actor) => changeUsers(trx, actor, [{ ...ann, changes: { full_name: 'Ann' } }], NOW),
    ];
    for (const act of acts) expect((await inSet(db, act)).set).toBeUndefined();
    expect(await everything(db)).toEqual(before);
  });
});

test('names are passed on among them, also where two swap', async () => {
  const db = await temporaryDatabase();
  const [ann, bob, cyd] = [
    await addUser(db, { username: 'ann' }),
    await addUser(db, { username: 'bob' }),
    await addUser(db, { username: 'cyd' }),
  ];
  const wanted = [
    { ...ann, changes: { username: 'bob' } },
    { ...bob, changes: { username: 'ann', email: 'bob@new.example' } },
    { ...cyd, changes: { email: bob.email } },
  ];
  const { result } = await inSet(db, (trx, actor) => changeUsers(trx, actor, wanted, NOW));
  const after = wanted.map(({ changes, ...user }) => ({
    ...user,
    ...changes,
    version: 2,
    updated_at: user.updated_at,
  }));
  const derived = after.map((user) => ({ ...user, ...derivedColumns(user), updated_at: expect.any(Number) }));
  expect(result).toEqual({ kind: 'changed', users: derived });
  expect(await db.selectFrom('users').selectAll().orderBy('id').execute()).toEqual(derived);
  expect(await found(db, ['cyd', 'bob@new', 'bob@example'])).toEqual([[cyd.id], [bob.id], [cyd.id]]);
});

test('the set of many is undone as one', async () => {
  const db = await temporaryDatabase();
  const ann = await addUser(db, { username: 'ann', full_name: 'Ann' });
  const news = ['new1', 'new2'].map(
    (username): NewUser => ({ username, email: `${username}@example.org`, is_active: true, role: 'viewer' }),
  );
  const {
    result: created,
    set,
    notes,
  } = await inSet(db, (trx, actor) => createUsers(trx, actor, news, NOW), 'created');
  expect(notes).toEqual(['role given: viewer (new1)', 'role given: viewer (new2)']);
  const [one] = created as [User];
  const wanted = [
    { ...one, changes: { full_name: 'One' } },
    { ...ann, changes: { username: 'anna', role: 'viewer' as const } },
  ];
  const changed = await inSet(db, (trx, actor) => changeUsers(trx, actor, wanted, NOW));
  for (const made of [changed.set, set]) {
    const undone = await findChangeSet(db, made as number);
    const kind = await transact(
      db,
      async (trx) => (await undoChangeSet(trx, commandLine, undone as never, undefined, NOW)).kind,
    );
    expect(kind).toBe('undone');
  }
  expect(await findUser(db, ann.id)).toMatchObject({
    username: 'ann',
    full_name: 'Ann',
    role: 'member',
    version: 3,
  });
  for (const { id } of created) expect(await findUser(db, id)).toBeUndefined();
  expect(await found(db, ['new', 'anna', 'ann'])).toEqual([[], [], [ann.id]]);
});
