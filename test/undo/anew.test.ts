/** What was done once more since, and stands: undoing what it repeats does not pass over it, though all is as it became then. */
import { expect, test } from 'vitest';
import { type Actor, commandLine } from '../../src/auth/actor.ts';
import type { Db, Trx } from '../../src/db/schema.ts';
import { transact } from '../../src/db/transact.ts';
import { findChangeSet } from '../../src/history/queries.ts';
import { inOneSet, insertHistory } from '../../src/history/record.ts';
import { digestOf, undoChangeSet } from '../../src/undo/commands.ts';
import { changeUser, createUser, deleteUser, restoreUser } from '../../src/users/commands.ts';
import { findUser } from '../../src/users/queries.ts';
import type { UserChanges } from '../../src/users/validation.ts';
import { pageOf } from '../page.ts';
import { addPerson, signedIn } from '../people.ts';
import { addUser, get, post, startApp, temporaryDatabase } from '../support.ts';

const NOW = Date.UTC(2100, 0, 31);

async function start() {
  const db = await temporaryDatabase();
  const { id } = await addUser(db, { username: 'max' });
  const setOf = (result: object) => ('set' in result ? Number(result.set) : 0);
  const change = async (changes: UserChanges) =>
    setOf(await transact(db, (trx) => changeUser(trx, commandLine, id, changes, NOW)));
  const remove = async () => setOf(await transact(db, (trx) => deleteUser(trx, commandLine, id, NOW)));
  const restore = async () => setOf(await transact(db, (trx) => restoreUser(trx, commandLine, id, NOW)));
  return { db, id, change, remove, restore, undo: (set: number) => undo(db, set) };
}

async function undo(db: Db, id: number) {
  const set = await findChangeSet(db, id);
  if (set === undefined) throw new Error('There is no such set.');
  const undone = await transact(db, (trx) => undoChangeSet(trx, commandLine, set, undefined, NOW));
  return { ...undone, set: 'set' in undone ? undone.set : 0 };
}

test('a field that was set to the same once more is asked about', async () => {
  const { db, id, change, undo } = await start();
  const set = await change({ is_active: false, full_name: 'Max' });
  await change({ is_active: true });
  await change({ is_active: false });
  expect(await undo(set)).toMatchObject({
    kind: 'asks',
    steps: [{ back: { full_name: null }, differences: [{ field: 'is_active', isAnew: true }] }],
  });
  expect(await findUser(db, id)).toMatchObject({ is_active: false });
});

test('whoever was brought back and deleted once more is asked about', async () => {
  const { db, id, remove, restore, undo } = await start();
  const set = await remove();
  await restore();
  await remove();
  expect(await undo(set)).toMatchObject({ kind: 'asks', steps: [{ isAgain: true }] });
  expect(await findUser(db, id)).toBeUndefined();
});

test('whoever was created, deleted and brought back is asked about', async () => {
  const { db, undo } = await start();
  const max = { username: 'tom', email: 'tom@example.org', is_active: true, role: 'member' } as const;
  const { user, set } = await transact(db, (trx) => createUser(trx, commandLine, max, NOW));
  await transact(db, (trx) => deleteUser(trx, commandLine, user.id, NOW));
  await transact(db, (trx) => restoreUser(trx, commandLine, user.id, NOW));
  expect(await undo(set)).toMatchObject({ kind: 'asks', steps: [{ kind: 'delete', isAgain: true }] });
});

test('what an undo and the undoing of that have put back is nobody’s new wish', async () => {
  const { change, remove, undo } = await start();
  const edit = await change({ is_active: false });
  const first = await undo(edit);
  await undo(first.set);
  expect(await undo(edit)).toMatchObject({ kind: 'undone' });
  const deletion = await remove();
  await undo((await undo(deletion)).set);
  expect(await undo(deletion)).toMatchObject({ kind: 'undone' });
});

test('nor is what was taken back by the command line', async () => {
  const { db, id, change, undo } = await start();
  const edit = await change({ is_active: false });
  const takeBack = (undoes: number, is_active: boolean) =>
    transact(db, (trx) =>
      inOneSet(trx, commandLine, { at: NOW, kind: 'changed', undoes }, (acting) =>
        changeUser(trx, acting, id, { is_active }, NOW),
      ),
    );
  const { set = 0 } = await takeBack(edit, true);
  await takeBack(set, false);
  expect(await undo(edit)).toMatchObject({ kind: 'undone' });
});

test('of a wish that was undone and stands again by the undoing of that, nothing is passed over', async () => {
  const { change, undo } = await start();
  const set = await change({ is_active: false });
  await change({ is_active: true });
  const again = await change({ is_active: false });
  const undone = await undo(again);
  expect(undone).toMatchObject({ kind: 'undone' });
  await undo(undone.set);
  expect(await undo(set)).toMatchObject({ kind: 'asks' });
});

test('what was undone after it is passed over', async () => {
  const { change, undo } = await start();
  const set = await change({ full_name: 'Max' });
  await undo(await change({ full_name: 'Moritz' }));
  expect(await undo(set)).toMatchObject({ kind: 'undone', left: [] });
});

test('where somebody was changed more often since than anyone looks through, all of it is asked about', async () => {
  const { db, id, change } = await start();
  const set = await change({ full_name: 'Max' });
  const other = await change({ is_active: false });
  const changes = Array.from({ length: 1_001 }, (_, index) => {
    const fields = JSON.stringify({ '4': [index % 2 === 0, index % 2 !== 0] });
    return { user_id: id, version: index + 4, set_id: other, at: null, fields };
  });
  await transact(db, async (trx) => {
    for (let begin = 0; begin < changes.length; begin += 500)
      await insertHistory(trx, { changes: changes.slice(begin, begin + 500) });
    await trx.updateTable('users').set({ version: 1_004 }).where('id', '=', id).execute();
  });
  expect(await undo(db, set)).toMatchObject({ kind: 'asks', steps: [{ differences: [{ isAnew: true }] }] });
  await undoAsked(db, set);
  expect(await findUser(db, id)).toMatchObject({ full_name: null });
});

async function undoAsked(db: Db, id: number): Promise<void> {
  const { steps } = await undo(db, id);
  const set = await findChangeSet(db, id);
  const choices = { seen: digestOf(steps), isWhole: () => true, fieldsOf: () => ({ full_name: null }) };
  if (set) await transact(db, (trx) => undoChangeSet(trx, commandLine, set, choices, NOW));
}

test('a name that others of the set wait for is not given up where it was given once more', async () => {
  const db = await temporaryDatabase();
  const users = [await addUser(db, { username: 'ada' }), await addUser(db, { username: 'bob' })];
  const [ada, bob] = users.map(({ id }) => id);
  const rename = (trx: Trx, actor: Actor, id = 0, username = '') =>
    changeUser(trx, actor, id, { username }, NOW);
  const { set = 0 } = await transact(db, (trx) =>
    inOneSet(trx, commandLine, { at: NOW, kind: 'changed' }, async (acting) => {
      await rename(trx, acting, ada, 'cy');
      await rename(trx, acting, bob, 'ada');
    }),
  );
  for (const name of ['dan', 'ada']) await transact(db, (trx) => rename(trx, commandLine, bob, name));
  const { steps } = await undo(db, set);
  expect(steps).toMatchObject([
    { id: ada, back: {}, differences: [{ was: 'ada', holder: { id: bob } }] },
    { id: bob, back: {}, differences: [{ was: 'bob', isAnew: true }] },
  ]);
});

test('the page says that it was set once more, and puts it back once that is chosen', async () => {
  const app = await startApp();
  const [ann, emil] = [await addPerson(app.db, 'ann', 'admin'), await addPerson(app.db, 'emil', 'editor')];
  const [asAnn, asEmil] = [await signedIn(app, ann), await signedIn(app, emil)];
  const { id } = await addUser(app.db, { username: 'max' });
  await post(app, `/users/${id}`, { is_active: '0', version: '1' }, asAnn);
  const forms = pageOf(await get(app, `/users/${id}`, asAnn)).forms;
  const action = forms.find((form) => form.action.endsWith('/undo'))?.action ?? '';
  await post(app, `/users/${id}`, { is_active: '1' }, asEmil);
  await post(app, `/users/${id}`, { is_active: '0' }, asEmil);
  const asked = await post(app, action, {}, asAnn);
  expect(asked.statusCode).toBe(409);
  expect(pageOf(asked).text).toContain('Inactive, set again since');
  const chosen = { seen: pageOf(asked).field('seen'), [`${id}.is_active`]: 'back' };
  expect((await post(app, action, chosen, asAnn)).body).toBe('User max is as before!\n');
});
