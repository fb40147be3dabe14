/** Undo, as commands: nothing that somebody else has done since is written over unseen. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Actor, commandLine } from '../../src/auth/actor.ts';
import type { Db, User } from '../../src/db/schema.ts';
import { transact } from '../../src/db/transact.ts';
import { ContendedError, NotUniqueError } from '../../src/errors.ts';
import { describeSets, visibilityFor } from '../../src/history/descriptions.ts';
import { type ChangeSet, findChangeSet } from '../../src/history/queries.ts';
import { inOneSet } from '../../src/history/record.ts';
import { findUndoing } from '../../src/history/undos.ts';
import { isUndoable } from '../../src/history/words.ts';
import { findJobOfSet } from '../../src/jobs/queries.ts';
import { runJobs } from '../../src/jobs/run.ts';
import { type Choices, digestOf, performAll, type Undone, undoChangeSet } from '../../src/undo/commands.ts';
import { beginUndo } from '../../src/undo/job.ts';
import { changeUser, createUser, deleteUser, restoreUser } from '../../src/users/commands.ts';
import { findUser } from '../../src/users/queries.ts';
import type { UserChanges } from '../../src/users/validation.ts';
import { runnerOf } from '../jobs/many.ts';
import { addPerson } from '../people.ts';
import { runs } from '../runs.ts';
import { addUser, temporaryDatabase } from '../support.ts';

const NOW = Date.UTC(2100, 0, 31);

async function setOf(db: Db, id: number): Promise<ChangeSet> {
  return (await findChangeSet(db, id)) as ChangeSet;
}

async function undo(db: Db, set: number, choices?: Choices, actor: Actor = commandLine): Promise<Undone> {
  const undone = await setOf(db, set);
  return transact(db, (trx) => undoChangeSet(trx, actor, undone, choices, NOW));
}

/** What was decided after looking at what is asked. */
function decide(undone: Undone, fields: UserChanges, isWhole = false): Choices {
  return { seen: digestOf(undone.steps), isWhole: () => isWhole, fieldsOf: () => fields };
}

const change = async (db: Db, id: number, changes: UserChanges) => {
  const result = await transact(db, (trx) => changeUser(trx, commandLine, id, changes, NOW));
  return 'set' in result ? result.set : 0;
};
const remove = async (db: Db, id: number) => {
  const result = await transact(db, (trx) => deleteUser(trx, commandLine, id, NOW));
  return 'set' in result ? result.set : 0;
};

const KEPT = ['username', 'email', 'full_name', 'is_active', 'role', 'created_at'] as const;
const kept = (user: User | undefined) =>
  user && Object.fromEntries(KEPT.map((field) => [field, user[field]]));

describe('undoing', () => {
  test('an edit puts back its fields, and leaves alone what others have changed beside them', async () => {
    const db = await temporaryDatabase();
    const { id } = await addUser(db, { username: 'ada', full_name: 'Ada' });
    const set = await change(db, id, { full_name: 'Ada L', email: 'new@example.org' });
    await change(db, id, { is_active: false });
    expect(await undo(db, set)).toMatchObject({ kind: 'undone', left: [] });
    expect(await findUser(db, id)).toMatchObject({
      full_name: 'Ada',
      email: 'ada@example.org',
      is_active: false,
    });
    expect(await undo(db, set)).toMatchObject({ kind: 'nothing' });
  });

  test('what was changed since is asked about, and done as it was decided, field by field', async () => {
    const db = await temporaryDatabase();
    const { id } = await addUser(db, { username: 'ada', full_name: 'Ada' });
    const set = await change(db, id, { full_name: 'Ada L', email: 'new@example.org' });
    await change(db, id, { full_name: 'Ada Lovelace' });
    const asked = await undo(db, set);
    expect(asked).toMatchObject({
      kind: 'asks',
      steps: [
        {
          back: { email: 'ada@example.org' },
          differences: [{ field: 'full_name', was: 'Ada', became: 'Ada L', now: 'Ada Lovelace' }],
        },
      ],
    });
    expect(await findUser(db, id)).toMatchObject({ full_name: 'Ada Lovelace', email: 'new@example.org' });
    expect(await undo(db, set, decide(asked, {}))).toMatchObject({ kind: 'undone', left: [{ id }] });
    expect(await findUser(db, id)).toMatchObject({ full_name: 'Ada Lovelace', email: 'ada@example.org' });
    const again = await undo(db, set);
    expect(await undo(db, set, decide(again, { full_name: 'Ada' }))).toMatchObject({
      kind: 'undone',
      left: [],
    });
    expect(await findUser(db, id)).toMatchObject({ full_name: 'Ada' });
  });

  test('with a decision about something that was changed again asks again', async () => {
    const db = await temporaryDatabase();
    const { id } = await addUser(db, { username: 'ada', full_name: 'Ada' });
    const set = await change(db, id, { full_name: 'Ada L' });
    await change(db, id, { full_name: 'Ada Lovelace' });
    const choices = decide(await undo(db, set), { full_name: 'Ada' });
    await change(db, id, { full_name: 'Countess' });
    expect(await undo(db, set, choices)).toMatchObject({ kind: 'asks' });
    expect(await findUser(db, id)).toMatchObject({ full_name: 'Countess' });
  });

  test('a creation deletes, unless they were changed or given access since: then it asks', async () => {
    const db = await temporaryDatabase();
    const make = (username: string) =>
      transact(db, (trx) =>
        createUser(
          trx,
          commandLine,
          { username, email: `${username}@example.org`, is_active: true, role: 'member' },
          NOW,
        ),
      );
    const { set, user } = await make('ada');
    expect(await undo(db, set)).toMatchObject({ kind: 'undone' });
    expect(await findUser(db, user.id)).toBeUndefined();
    const second = await make('bob');
    await change(db, second.user.id, { full_name: 'Bob' });
    const asked = await undo(db, second.set);
    expect(asked).toMatchObject({ kind: 'asks', steps: [{ kind: 'delete', differences: [{ now: 'Bob' }] }] });
    expect(await undo(db, second.set, decide(asked, {}))).toMatchObject({ kind: 'nothing' });
    expect(await undo(db, second.set, decide(asked, {}, true))).toMatchObject({ kind: 'undone' });
    expect(await findUser(db, second.user.id)).toBeUndefined();
  });

  test('a deletion brings back, with the same number and values; and undoing that deletes again', async () => {
    const db = await temporaryDatabase();
    const before = await addUser(db, { username: 'ada', full_name: 'Ada' });
    const deletion = await remove(db, before.id);
    const first = await undo(db, deletion);
    expect(kept(await findUser(db, before.id))).toEqual(kept(before));
    const second = await undo(db, 'set' in first ? first.set : 0);
    expect(second).toMatchObject({ kind: 'undone' });
    expect(await findUser(db, before.id)).toBeUndefined();
    expect(await undo(db, 'set' in second ? second.set : 0)).toMatchObject({ kind: 'undone' });
    expect(kept(await findUser(db, before.id))).toEqual(kept(before));
  });

  test('a deletion of someone who was brought back, changed and deleted again asks', async () => {
    const db = await temporaryDatabase();
    const { id } = await addUser(db, { username: 'ada' });
    const first = await remove(db, id);
    await transact(db, (trx) => restoreUser(trx, commandLine, id, NOW));
    await change(db, id, { full_name: 'Ada' });
    const second = await remove(db, id);
    expect(await undo(db, first)).toMatchObject({ kind: 'asks', steps: [{ isAgain: true }] });
    expect(await undo(db, second)).toMatchObject({ kind: 'undone' });
  });

  test('leaves those who are deleted by now, and says so', async () => {
    const db = await temporaryDatabase();
    const { id } = await addUser(db, { username: 'ada' });
    const set = await change(db, id, { full_name: 'Ada' });
    await remove(db, id);
    expect(await undo(db, set)).toMatchObject({
      kind: 'nothing',
      steps: [{ kind: 'left', why: 'deleted since' }],
    });
  });

  test('is done by those alone who could do it themselves', async () => {
    const db = await temporaryDatabase();
    const { id } = await addUser(db, { username: 'ada' });
    const editor: Actor = { ...commandLine, role: 'editor', via: 'form' };
    const given = await change(db, id, { role: 'viewer' });
    const named = await change(db, id, { full_name: 'Ada' });
    for (const set of [given, named])
      expect(await undo(db, set, undefined, editor)).toMatchObject({
        steps: [{ kind: 'left', why: 'not allowed' }],
      });
    const taken = await change(db, id, { role: 'member' });
    expect(await undo(db, taken, undefined, editor)).toMatchObject({ steps: [{ why: 'not allowed' }] });
    expect(await undo(db, named, undefined, editor)).toMatchObject({ kind: 'undone' });
  });
});

describe('a field that whoever undoes it could not change', () => {
  const editor: Actor = { ...commandLine, role: 'editor', via: 'form' };

  test('stays, and the rest of its user is put back once that was shown', async () => {
    const db = await temporaryDatabase();
    const { id } = await addUser(db, { username: 'ada', full_name: 'Ada', role: 'viewer' });
    const set = await change(db, id, { full_name: 'Ada L', role: 'member' });
    const asked = await undo(db, set, undefined, editor);
    expect(asked).toMatchObject({
      kind: 'asks',
      steps: [
        { back: { full_name: 'Ada' }, differences: [], stays: [{ field: 'role', why: 'not allowed' }] },
      ],
    });
    expect(await undo(db, set, decide(asked, {}), editor)).toMatchObject({ kind: 'undone', left: [{ id }] });
    expect(await findUser(db, id)).toMatchObject({ full_name: 'Ada', role: 'member' });
    expect(await undo(db, set)).toMatchObject({ kind: 'undone', left: [] });
    expect(await findUser(db, id)).toMatchObject({ full_name: 'Ada', role: 'viewer' });
  });

  test('is the role or the status of the last administrator, whatever else is put back', async () => {
    const db = await temporaryDatabase();
    const { id } = await addPerson(db, 'ann', 'viewer', { is_active: false, full_name: 'Ann' });
    const set = await change(db, id, {
      role: 'admin',
      is_active: true,
      full_name: 'Ann A',
      email: 'a@example.org',
    });
    await change(db, id, { email: 'later@example.org' });
    const asked = await undo(db, set);
    expect(asked).toMatchObject({
      kind: 'asks',
      steps: [
        {
          back: { full_name: 'Ann' },
          differences: [{ field: 'email' }],
          stays: [
            { field: 'is_active', why: 'last administrator' },
            { field: 'role', why: 'last administrator' },
          ],
        },
      ],
    });
    const email = 'ann@example.org';
    expect(await undo(db, set, decide(asked, { email }))).toMatchObject({ kind: 'undone', left: [{ id }] });
    expect(await findUser(db, id)).toMatchObject({ role: 'admin', is_active: true, full_name: 'Ann', email });
  });
});

test('what is taken by now is asked about, with who has it, and becomes what was typed instead', async () => {
  const db = await temporaryDatabase();
  const { id } = await addUser(db, { username: 'ada' });
  const set = await change(db, id, { username: 'countess' });
  await addUser(db, { username: 'ada', email: 'other@example.org' });
  const asked = await undo(db, set);
  expect(asked).toMatchObject({
    kind: 'asks',
    steps: [{ back: {}, differences: [{ holder: { username: 'ada' } }] }],
  });
  expect(await undo(db, set, decide(asked, { username: 'ada2' }))).toMatchObject({
    kind: 'undone',
    left: [],
  });
  expect(await findUser(db, id)).toMatchObject({ username: 'ada2' });
});

test('whoever was at it since it was planned is not passed over: it is planned anew', async () => {
  const db = await temporaryDatabase();
  const { id } = await addUser(db, { username: 'ada' });
  await change(db, id, { full_name: 'Since' });
  const step = { id, username: 'ada', version: 1, kind: 'as before' } as const;
  for (const act of [
    { kind: 'change', changes: { full_name: 'Ada' } },
    { kind: 'delete' },
    { kind: 'restore', changes: {} },
  ] as const) {
    const performed = db.transaction().execute((trx) => performAll(trx, commandLine, [{ step, act }], NOW));
    await expect(performed, act.kind).rejects.toThrow(ContendedError);
  }
});

test('a set stands again once what has undone it is undone', async () => {
  const db = await temporaryDatabase();
  const { id } = await addUser(db, { username: 'ada' });
  const set = await change(db, id, { full_name: 'Ada' });
  const undoing = [set];
  for (const isUndone of [true, false, true, false]) {
    const undone = await undo(db, undoing.at(-1) as number);
    undoing.push('set' in undone ? undone.set : 0);
    expect((await findUndoing(db, [set])).has(set)).toBe(isUndone);
  }
});

const act = fc.record({
  kind: fc.constantFrom('create', 'change', 'change', 'change two', 'delete', 'restore', 'undo'),
  id: fc.integer({ min: 1, max: 4 }),
  which: fc.nat(),
  changes: fc.record(
    {
      full_name: fc.constantFrom(null, 'Ada', 'Bob'),
      is_active: fc.boolean(),
      role: fc.constantFrom('member', 'viewer'),
      username: fc.constantFrom('ada', 'bob', 'cy'),
      email: fc.constantFrom('ada@example.org', 'bob@example.org'),
    },
    { requiredKeys: [] },
  ),
});
type Act = typeof act extends fc.Arbitrary<infer A> ? A : never;

const undoableSets = async (db: Db) =>
  (await db.selectFrom('change_sets').selectAll().orderBy('id').execute()).filter(isUndoable);

async function perform(db: Db, { kind, id, which, changes }: Act): Promise<void> {
  if (kind === 'undo') {
    const sets = await undoableSets(db);
    const set = sets[which % Math.max(1, sets.length)];
    if (set) await undo(db, set.id);
    return;
  }
  if (kind === 'change two') {
    const { full_name = 'Two', is_active = false } = changes;
    const others = { full_name, is_active } as UserChanges;
    await transact(db, (trx) =>
      inOneSet(trx, commandLine, { at: NOW, kind: 'changed' }, async (acting) => {
        await changeUser(trx, acting, id, changes as UserChanges, NOW);
        await changeUser(trx, acting, (id % 4) + 1, others, NOW);
      }),
    );
    return;
  }
  const username = `user${which}`;
  const user = { username, email: `${username}@example.org`, is_active: true, role: 'member' as const };
  await transact<unknown>(db, (trx) => {
    if (kind === 'create') return createUser(trx, commandLine, user, NOW);
    if (kind === 'change') return changeUser(trx, commandLine, id, changes as UserChanges, NOW);
    return kind === 'delete' ? deleteUser(trx, commandLine, id, NOW) : restoreUser(trx, commandLine, id, NOW);
  });
}

const undoByJob = async (db: Db, set: number) => {
  const undone = await setOf(db, set);
  const by = await transact(db, (trx) => beginUndo(trx, commandLine, undone, NOW));
  await runJobs(runnerOf(db), () => false);
  const { state, left_out } = (await findJobOfSet(db, by)) ?? {};
  return { state, left_out };
};

test.each([
  ['at once', 100, undo, { kind: 'undone' }],
  ['by jobs', 100, undoByJob, { state: 'done', left_out: 0 }],
])(
  'everything undone in reverse, %s, gives exactly what there was after each act',
  async (_how, often, undoOne, done) => {
    const property = fc.asyncProperty(fc.array(act, { minLength: 3, maxLength: 12 }), async (acts) => {
      const db = await temporaryDatabase();
      const everyone = async () =>
        (await db.selectFrom('users').selectAll().orderBy('id').execute()).map(kept);
      const after = new Map<number, unknown>();
      let before = await everyone();
      for (const one of acts) {
        await perform(db, one).catch(ignoreRefusals);
        const last = (await undoableSets(db)).at(-1);
        if (last && !after.has(last.id)) after.set(last.id, before);
        before = await everyone();
      }
      for (const [set, there] of [...after].reverse()) {
        expect(await undoOne(db, set)).toMatchObject(done);
        expect(await everyone()).toEqual(there);
      }
      await db.destroy();
    });
    await fc.assert(property, runs(often));
  },
);

test('how many are left is said right or not at all, whatever is decided, part by part, and undone again', async () => {
  const decision = fc.record({
    users: fc.uniqueArray(fc.nat({ max: 2 }), { maxLength: 2 }),
    isBack: fc.boolean(),
    /** Instead, one of those that were made by then is undone. */
    which: fc.option(fc.nat({ max: 3 }), { freq: 2 }),
  });
  const since = fc.array(fc.boolean(), { minLength: 3, maxLength: 3 });
  const decisions = fc.array(decision, { minLength: 2, maxLength: 6, size: 'max' });
  const property = fc.asyncProperty(since, decisions, async (isChanged, acts) => {
    const db = await temporaryDatabase();
    const ids: number[] = [];
    for (const _ of isChanged)
      ids.push((await addUser(db, { username: `user${ids.length}`, full_name: 'Before' })).id);
    const { set = 0 } = await transact(db, (trx) =>
      inOneSet(trx, commandLine, { at: NOW, kind: 'changed' }, async (acting) => {
        for (const id of ids) await changeUser(trx, acting, id, { full_name: 'Then' }, NOW);
      }),
    );
    for (const [index, id] of ids.entries())
      if (isChanged[index]) await change(db, id, { full_name: 'Since' });
    const made: number[] = [];
    const act = async (id: number, fields: UserChanges, users?: number[]) => {
      const undone = await setOf(db, id);
      const tried = await transact(db, (trx) =>
        undoChangeSet(trx, commandLine, undone, undefined, NOW, users),
      );
      const choices = decide(tried, fields);
      const done =
        tried.kind === 'asks'
          ? await transact(db, (trx) => undoChangeSet(trx, commandLine, undone, choices, NOW, users))
          : tried;
      if (done.kind === 'undone') made.push(done.set);
    };
    for (const { users, isBack, which } of acts) {
      const part = users.map((index) => ids[index] ?? 0).toSorted((one, other) => one - other);
      const again = which === null ? undefined : made[which % made.length];
      if (again) await act(again, {});
      else await act(set, isBack ? { full_name: 'Before' } : {}, part.length > 0 ? part : undefined);
      const [row] = await describeSets(db, [await setOf(db, set)], visibilityFor(commandLine));
      const others = db.selectFrom('users').select('id').where('full_name', '!=', 'Before');
      const left = row?.undone?.left;
      if (left !== undefined) expect(left).toBe((await others.execute()).length);
    }
    await db.destroy();
  });
  await fc.assert(property, runs(100));
});

test('after one undo of all, and after that was undone and done again, it is known how many are left', async () => {
  const db = await temporaryDatabase();
  const { id } = await addUser(db, { username: 'ada' });
  const set = await setOf(db, await change(db, id, { full_name: 'Ada' }));
  const leftNow = async () => (await describeSets(db, [set], visibilityFor(commandLine)))[0]?.undone?.left;
  let last = set.id;
  for (const left of [0, undefined, 0, undefined, 0]) {
    const undone = await undo(db, last);
    last = 'set' in undone ? undone.set : 0;
    expect(await leftNow()).toBe(left);
  }
});

test('where an undo was done again, and that is undone but for one, it is not said that nothing is left', async () => {
  const db = await temporaryDatabase();
  const ids = [(await addUser(db, { username: 'ada' })).id, (await addUser(db, { username: 'bob' })).id];
  const { set = 0 } = await transact(db, (trx) =>
    inOneSet(trx, commandLine, { at: NOW, kind: 'changed' }, async (acting) => {
      for (const id of ids) await changeUser(trx, acting, id, { full_name: 'Then' }, NOW);
    }),
  );
  const leftNow = async () =>
    (await describeSets(db, [await setOf(db, set)], visibilityFor(commandLine)))[0]?.undone?.left;
  const first = await undo(db, set);
  expect(await leftNow()).toBe(0);
  const again = 'set' in first ? await undo(db, first.set) : first;
  await change(db, ids[1] ?? 0, { full_name: 'Since' });
  const last = 'set' in again ? again.set : 0;
  await undo(db, last, decide(await undo(db, last), {}));
  expect(await leftNow()).toBeUndefined();
});

test('where one of a part was undone after the rest was undone anew, it is not said that nothing is left', async () => {
  const db = await temporaryDatabase();
  const ids: number[] = [];
  for (const username of ['ada', 'bob']) ids.push((await addUser(db, { username })).id);
  const { set: all = 0 } = await transact(db, (trx) =>
    inOneSet(trx, commandLine, { at: NOW, kind: 'changed' }, async (acting) => {
      for (const id of ids) await changeUser(trx, acting, id, { full_name: 'Then' }, NOW);
    }),
  );
  const undone = async (id: number, users?: number[]) => {
    const set = await setOf(db, id);
    const outcome = await transact(db, (trx) => undoChangeSet(trx, commandLine, set, undefined, NOW, users));
    return outcome.kind === 'undone' ? outcome.set : 0;
  };
  const doneAgain = await undone(await undone(all));
  const part = await undone(all, ids.slice(0, 1));
  // For ada there is nothing to do, by that part.
  await undone(doneAgain);
  await undone(part);
  const [row] = await describeSets(db, [await setOf(db, all)], visibilityFor(commandLine));
  expect(row?.undone?.left).toBeUndefined();
});

function ignoreRefusals(error: unknown): void {
  if (!(error instanceof NotUniqueError) && (error as Error).name !== 'NotFoundError') throw error;
}
