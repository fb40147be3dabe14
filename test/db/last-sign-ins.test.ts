/** The index of last sign-ins says what users and credentials say, whatever is done to them. */
import { expect, test } from 'vitest';
import { commandLine } from '../../src/auth/actor.ts';
import { noteSignIn } from '../../src/auth/credentials.ts';
import { bulkLoadUsers } from '../../src/db/bulk-load.ts';
import type { Db, Role } from '../../src/db/schema.ts';
import { transact } from '../../src/db/transact.ts';
import { person } from '../../src/made-up-people/people.ts';
import { changeUser, deleteUser, restoreUser } from '../../src/users/commands.ts';
import { addPerson } from '../people.ts';
import { addUser, expectLastSignIns, temporaryDatabase } from '../support.ts';

const idsOf = async (db: Db) =>
  (await db.selectFrom('last_sign_ins').selectAll().orderBy('user_id').execute()).map(
    ({ user_id }) => user_id,
  );

test('whoever may sign in is in it, with a password or without, as long as they may', async () => {
  const db = await temporaryDatabase();
  const ann = await addPerson(db, 'ann', 'admin');
  const ed = await addPerson(db, 'ed', 'editor');
  const max = await addUser(db, { username: 'max' });
  await addUser(db, { username: 'gone', role: 'viewer', is_active: false });
  const change = (id: number, changes: { role?: Role; is_active?: boolean; full_name?: string }) =>
    transact(db, (trx) => changeUser(trx, commandLine, id, changes, 5));
  const acts: [act: () => Promise<unknown>, ids: number[]][] = [
    [() => transact(db, (trx) => noteSignIn(trx, ed.id, 7)), [ann.id, ed.id]],
    [() => change(ed.id, { full_name: 'Ed' }), [ann.id, ed.id]],
    [() => change(ed.id, { is_active: false }), [ann.id]],
    [() => change(ed.id, { is_active: true }), [ann.id, ed.id]],
    [() => change(ed.id, { role: 'member' }), [ann.id]],
    [() => change(max.id, { role: 'viewer' }), [ann.id, max.id]],
    [() => change(ed.id, { role: 'viewer' }), [ann.id, ed.id, max.id]],
    [() => transact(db, (trx) => deleteUser(trx, commandLine, ed.id, 9)), [ann.id, max.id]],
    [() => transact(db, (trx) => restoreUser(trx, commandLine, ed.id, 9)), [ann.id, ed.id, max.id]],
  ];
  for (const [act, ids] of acts) {
    await act();
    expect(await idsOf(db)).toEqual(ids);
    await expectLastSignIns(db);
  }
});

test('of those who are loaded together it has whoever may sign in', async () => {
  const db = await temporaryDatabase();
  const people = [person(0), { ...person(1), role: 'viewer' as const, is_active: true }];
  await bulkLoadUsers(db, (loader) => loader.insertNew(people));
  expect(await idsOf(db)).toEqual([2]);
  await expectLastSignIns(db);
});
