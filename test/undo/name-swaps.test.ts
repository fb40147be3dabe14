/** Names that users of one set gave each other: undone together, everyone has their own again. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { commandLine } from '../../src/auth/actor.ts';
import type { Db, User } from '../../src/db/schema.ts';
import { transact } from '../../src/db/transact.ts';
import type { ChangeSet } from '../../src/history/queries.ts';
import { findChangeSet } from '../../src/history/queries.ts';
import { inOneSet } from '../../src/history/record.ts';
import { undoChangeSet } from '../../src/undo/commands.ts';
import { changeUser, createUser, deleteUser } from '../../src/users/commands.ts';
import type { UserChanges } from '../../src/users/validation.ts';
import { runs } from '../runs.ts';
import { addUser, temporaryDatabase } from '../support.ts';

const NOW = Date.UTC(2100, 0, 31);

type Act = [id: number, changes: UserChanges | 'delete'] | ['create', string];

/** All of it in one set, one after the other. */
async function doInOneSet(db: Db, acts: readonly Act[]): Promise<number> {
  const { set } = await transact(db, (trx) =>
    inOneSet(trx, commandLine, { at: NOW, kind: 'changed' }, async (acting) => {
      for (const [whom, what] of acts) {
        if (whom === 'create') {
          const user = { username: String(what), email: `${what}@new.example`, is_active: true };
          await createUser(trx, acting, { ...user, role: 'member' }, NOW);
        } else if (what === 'delete') await deleteUser(trx, acting, whom, NOW);
        else await changeUser(trx, acting, whom, what as UserChanges, NOW);
      }
    }),
  );
  return set ?? 0;
}

async function undo(db: Db, id: number) {
  const set = (await findChangeSet(db, id)) as ChangeSet;
  return transact(db, (trx) => undoChangeSet(trx, commandLine, set, undefined, NOW));
}

const everyone = async (db: Db) =>
  (await db.selectFrom('users').selectAll().orderBy('id').execute()).map(
    ({ updated_at: _, version: __, ...user }) => user,
  );

const give = (users: readonly User[], order: readonly number[], field: 'username' | 'email') =>
  users.map(({ id }, index): Act => [id, { [field]: users[order[index] ?? 0]?.[field] ?? '' }]);

const aside = (users: readonly User[]) =>
  users.map(({ id }): Act => [id, { username: `aside${id}`, email: `aside${id}@example.org` }]);

async function addUsers(db: Db, count: number): Promise<User[]> {
  const users: User[] = [];
  for (let index = 0; index < count; index++) users.push(await addUser(db, { username: `user${index}` }));
  return users;
}

test('two who have swapped names have their own again, and swapped once more when that is undone', async () => {
  const db = await temporaryDatabase();
  const users = await addUsers(db, 2);
  const before = await everyone(db);
  const set = await doInOneSet(db, [
    ...aside(users),
    ...give(users, [1, 0], 'username'),
    ...give(users, [1, 0], 'email'),
  ]);
  const swapped = await everyone(db);
  expect(swapped.map(({ username }) => username)).toEqual(['user1', 'user0']);
  const undone = await undo(db, set);
  expect(undone).toMatchObject({ kind: 'undone', left: [] });
  expect(await everyone(db)).toEqual(before);
  expect(await undo(db, 'set' in undone ? undone.set : 0)).toMatchObject({ kind: 'undone', left: [] });
  expect(await everyone(db)).toEqual(swapped);
});

test('whoever has got a name in whatever order, it goes back to whose it was', async () => {
  const order = fc.shuffledSubarray([0, 1, 2, 3, 4], { minLength: 5 });
  const property = fc.asyncProperty(order, order, async (usernames, emails) => {
    const db = await temporaryDatabase();
    const users = await addUsers(db, 5);
    const before = await everyone(db);
    const set = await doInOneSet(db, [
      ...aside(users),
      ...give(users, usernames, 'username'),
      ...give(users, emails, 'email'),
    ]);
    expect(await undo(db, set)).toMatchObject({ kind: 'undone', left: [] });
    expect(await everyone(db)).toEqual(before);
    await db.destroy();
  });
  await fc.assert(property, runs(50));
});

test('a name that was passed on, to somebody new and from somebody deleted, goes back as well', async () => {
  const db = await temporaryDatabase();
  const [ann, bob] = (await addUsers(db, 2)) as [User, User];
  const before = await everyone(db);
  const set = await doInOneSet(db, [
    [bob.id, 'delete'],
    [ann.id, { username: bob.username, email: bob.email }],
    ['create', ann.username],
  ]);
  expect(await undo(db, set)).toMatchObject({ kind: 'undone', left: [] });
  expect(await everyone(db)).toEqual(before);
});

test('what somebody else has by now is asked about, and so is what those wait for who would have got it', async () => {
  const db = await temporaryDatabase();
  const users = await addUsers(db, 3);
  const [first, second, third] = users as [User, User, User];
  const set = await doInOneSet(db, [
    [third.id, { username: 'free' }],
    [second.id, { username: third.username }],
    [first.id, { username: second.username }],
  ]);
  await addUser(db, { username: 'user0', email: 'other@example.org' });
  const asked = await undo(db, set);
  expect(asked).toMatchObject({
    kind: 'asks',
    steps: [
      { id: first.id, back: {}, differences: [{ field: 'username', holder: { username: 'user0' } }] },
      { id: second.id, back: {}, differences: [{ holder: { id: first.id } }] },
      { id: third.id, back: {}, differences: [{ holder: { id: second.id } }] },
    ],
  });
});
