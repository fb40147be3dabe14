/** Undo as people see it: a button beside what has just been done, in the history, and the page that asks first. */
import { describe, expect, test } from 'vitest';
import { type Actor, commandLine } from '../../src/auth/actor.ts';
import { newToken } from '../../src/auth/tokens.ts';
import { insertion } from '../../src/db/many-rows.ts';
import type { Db, Role, Trx, User } from '../../src/db/schema.ts';
import { transact } from '../../src/db/transact.ts';
import { inOneSet } from '../../src/history/record.ts';
import { changeUser, deleteUser, restoreUser } from '../../src/users/commands.ts';
import { confirm } from '../bulk/asking.ts';
import { pageOf } from '../page.ts';
import { addPerson, type Headers, movableClock, PASSWORD, signedIn, signIn } from '../people.ts';
import { addUser, get, post, startApp } from '../support.ts';

const NOW = Date.UTC(2100, 10, 28, 17);

async function start() {
  const app = await startApp({}, undefined, movableClock(NOW));
  const people: Record<string, Headers> = {};
  for (const [name, role] of Object.entries({ ann: 'admin', emil: 'editor', vera: 'viewer' } as const))
    people[name] = await signedIn(app, await addPerson(app.db, name, role as Role));
  const read = async (who: string, path: string) => pageOf(await get(app, path, people[who]));
  const send = (who: string, path: string, fields: Record<string, string> = {}) =>
    post(app, path, fields, people[who]);
  /** The address of the last button that undoes something on a page. */
  const undoOf = async (who: string, path: string) => {
    const forms = (await read(who, path)).forms.filter(({ action }) => action.endsWith('/undo'));
    return forms[0]?.action;
  };
  return { app, people, read, send, undoOf };
}

/** As a browser asks for the page after a change, which shows its message. */
function withFlash(headers: Headers | undefined, answer: Awaited<ReturnType<typeof post>>) {
  const [cookie] = [answer.headers['set-cookie']].flat();
  return { ...headers, cookie: `${headers?.cookie}; ${String(cookie).split(';')[0]}` };
}

test('the message after a change has a button that undoes it, and the message after that undoes the undoing', async () => {
  const { app, people, send } = await start();
  const max = await addUser(app.db, { username: 'max', full_name: 'Max' });
  let answer = await send('emil', `/users/${max.id}`, { full_name: 'Moritz', version: '1' });
  for (const [name, sentence] of [
    ['Max', 'User max is as before!'],
    ['Moritz', 'User max is as before!'],
    ['Max', 'User max is as before!'],
  ] as const) {
    const page = pageOf(await get(app, `/users/${max.id}`, withFlash(people.emil, answer)));
    const [form] = page.forms.filter(({ action }) => action.endsWith('/undo'));
    answer = await send('emil', String(form?.action));
    expect(answer).toMatchObject({ statusCode: 303, body: `${sentence}\n` });
    expect((await get(app, `/users/${max.id}`, people.emil)).body).toContain(
      `<h1><bdi translate="no">${name}</bdi>`,
    );
  }
});

test('from a list that is filtered an undo leads back to it, or to its user and from there to the list', async () => {
  const { app, people, send, read } = await start();
  const ids = [];
  for (const name of ['max', 'moritz']) ids.push((await addUser(app.db, { username: name })).id);
  const [max, moritz] = ids;
  const list = '/users?q=m&sort=name';
  const from = `?from=${encodeURIComponent('q=m&sort=name')}`;
  /** Its message is read where it leads, and what it offers is pressed. @returns where that leads, and what it says */
  const undo = async (answer: Awaited<ReturnType<typeof post>>) => {
    const page = pageOf(await get(app, String(answer.headers.location), withFlash(people.ann, answer)));
    const { headers, body } = await send('ann', page.form('Undo').action);
    return [headers.location, body];
  };
  const gone = await send('ann', `/users/${max}/delete${from}`);
  expect(gone.headers.location).toBe(list);
  expect(await undo(gone)).toEqual([`/users/${max}${from}`, 'User max is back!\n']);
  const changed = await send('ann', `/users/${max}${from}`, { is_active: '0' });
  expect(await undo(changed)).toEqual([`/users/${max}${from}`, 'User max is as before!\n']);
  const asked = `/bulk?${new URLSearchParams({ from: 'q=m&sort=name', do: 'deactivate' })}&tick.${max}=on&tick.${moritz}=on`;
  const form = (await read('ann', asked)).form('Deactivate 2 users');
  const fields = Object.fromEntries(form.fields.map((name) => [name, form.field(name)]));
  const many = await send('ann', form.action, fields);
  expect(many.headers.location).toBe(list);
  expect(await undo(many)).toEqual([list, 'Undone for 2 users!\n']);
  const page = await read('ann', `/users/${max}${from}`);
  const offered = page.forms.flatMap(({ action }) => /undo(.*)$/.exec(action)?.[1] ?? []);
  // The first is of two, which is told of in the history.
  expect(offered).toEqual(['', from, from, from]);
});

test('from the list without a filter an undo that asks first leads back to it', async () => {
  const { app, people, send } = await start();
  const [max, moritz] = [
    await addUser(app.db, { username: 'max' }),
    await addUser(app.db, { username: 'moritz' }),
  ];
  const many = await confirm(app, people.ann as Headers, 'role', [max, moritz], { role: 'viewer' });
  await send('ann', `/users/${max.id}`, { role: 'editor' });
  const list = pageOf(await get(app, String(many.headers.location), withFlash(people.ann, many)));
  const asked = pageOf(await send('ann', list.form('Undo').action));
  const form = asked.form('Undo what I chose');
  expect(form.action).toMatch(/\?from=$/);
  expect(asked.link('Cancel')).toBe('/users');
  const fields = { seen: asked.field('seen'), [`${max.id}.role`]: 'back' };
  expect((await send('ann', form.action, fields)).headers.location).toBe('/users');
});

describe('an undo', () => {
  test.each([
    ['of a deactivation', { is_active: '0' }],
    ['of a role that was taken', { role: 'member' }],
  ])('%s lets them sign in as before, and brings no session back', async (_what, taken) => {
    const { app, send, undoOf } = await start();
    const tom = await addPerson(app.db, 'tom', 'viewer');
    const before = await signedIn(app, tom);
    await send('ann', `/users/${tom.id}`, { ...taken, version: '1' });
    expect(await signIn(app, 'tom')).toBeUndefined();
    await send('ann', String(await undoOf('ann', '/history')));
    expect((await get(app, '/users', before)).statusCode).toBe(303);
    const again = await signIn(app, 'tom');
    expect((await get(app, '/users', again)).statusCode).toBe(200);
  });

  test('of a deletion brings back, and says that access does not come back', async () => {
    const { app, read, send, undoOf } = await start();
    const { id } = await addPerson(app.db, 'tom', 'viewer');
    await send('ann', `/users/${id}/delete`);
    const answer = await send('ann', String(await undoOf('ann', '/history')));
    expect(answer.body).toBe(
      'User tom is back! The password, the second factor and the sessions do not come back: create an access link.\n',
    );
    expect(answer.headers.location).toBe(`/users/${id}`);
    const page = await read('ann', `/users/${id}`);
    expect(page.text).toContain('ann brought back this user, by Undo');
    expect(page.text).toContain('tom cannot sign in yet');
    expect((await read('ann', '/history')).text).toContain('Undone by ann');
  });

  test('asks first where something was changed since, keeps it unless told otherwise, and says what is left', async () => {
    const { app, read, send } = await start();
    const max = await addUser(app.db, { username: 'max', full_name: 'Max' });
    await send('emil', `/users/${max.id}`, { full_name: 'Moritz', email: 'moritz@example.org' });
    const page = await read('emil', '/history');
    const { action } = page.forms.filter((form) => form.action.endsWith('/undo'))[0] ?? { action: '' };
    await send('ann', `/users/${max.id}`, { full_name: 'Moritz the Second' });
    const asked = await send('emil', action);
    expect(asked.statusCode).toBe(409);
    expect(pageOf(asked).text).toContain('Nothing is undone yet.');
    expect((await read('ann', `/users/${max.id}`)).text).toContain('moritz@example.org');
    const seen = pageOf(asked).field('seen');
    const left = await send('emil', action, { seen, [`${max.id}.full_name`]: 'leave' });
    expect(left.body).toBe('User max is as before, but for the full name!\n');
    const again = pageOf(await send('emil', action)).field('seen');
    const done = await send('emil', action, { seen: again, [`${max.id}.full_name`]: 'back' });
    expect(done.body).toBe('User max is as before!\n');
    expect((await read('ann', `/users/${max.id}`)).heading).toBe('Max');
  });

  test('with a decision about what has been changed again meanwhile shows it anew, and does nothing', async () => {
    const { app, read, send, undoOf } = await start();
    const max = await addUser(app.db, { username: 'max', full_name: 'Max' });
    await send('emil', `/users/${max.id}`, { full_name: 'Moritz' });
    const action = String(await undoOf('emil', `/users/${max.id}`));
    await send('ann', `/users/${max.id}`, { full_name: 'Second' });
    const seen = (await read('emil', action)).field('seen');
    await send('ann', `/users/${max.id}`, { full_name: 'Third' });
    const answer = await send('emil', action, { seen, [`${max.id}.full_name`]: 'back' });
    expect(answer.statusCode).toBe(409);
    expect(pageOf(answer).text).toContain('it was changed again while you were choosing');
    expect((await read('ann', `/users/${max.id}`)).heading).toBe('Third');
  });

  test('of a username that somebody else has by now takes another one, which is checked', async () => {
    const { app, read, send, undoOf } = await start();
    const max = await addUser(app.db, { username: 'max' });
    await send('emil', `/users/${max.id}`, { username: 'moritz' });
    const action = String(await undoOf('emil', `/users/${max.id}`));
    await addUser(app.db, { username: 'max', email: 'other@example.org' });
    const page = await read('emil', action);
    expect(page.text).toContain('Another username for moritz (optional) “max” belongs to max by now.');
    const name = `${max.id}.username`;
    const decided = { seen: page.field('seen'), [name]: 'back', [`${name}.other`]: '' };
    const refused = await send('emil', action, decided);
    expect(refused.statusCode).toBe(422);
    expect(pageOf(refused).text).toContain('Enter a username.');
    const taken = await send('emil', action, { ...decided, [`${name}.other`]: 'vera' });
    expect(taken.statusCode).toBe(422);
    expect(pageOf(taken).text).toContain(`That username already belongs to vera.`);
    expect(pageOf(taken).links.filter(({ text }) => text.startsWith('See'))).toMatchObject([
      { text: 'See vera' },
    ]);
    // What is typed is wanted, also where the other choice was left as it stood.
    const typed = { ...decided, [name]: 'leave', [`${name}.other`]: 'max2' };
    const answer = await send('emil', action, typed);
    expect(answer.body).toBe('User max2 is as before!\n');
  });

  test('of what was done to many users is one act, and can be undone', async () => {
    const app = await startApp();
    const headers = await signedIn(app, await addPerson(app.db, 'ann', 'admin'));
    const undoOf = async () => {
      const forms = pageOf(await get(app, '/history', headers)).forms;
      return String(forms.find(({ action }) => action.endsWith('/undo'))?.action);
    };
    await post(app, '/made-up-people', {}, headers);
    const answer = await post(app, await undoOf(), {}, headers);
    expect(answer.body).toBe('Undone for 100 users!\n');
    expect(pageOf(await get(app, '/history', headers)).text).toContain('Deleted 100 users, by Undo');
    expect((await post(app, await undoOf(), {}, headers)).body).toBe('Undone for 100 users!\n');
    expect(pageOf(await get(app, '/users', headers)).heading).toBe('Users 101');
  });
});

/** All of it in one set. */
async function doToAll(db: Db, ids: readonly number[], act: (trx: Trx, actor: Actor, id: number) => unknown) {
  const { set = 0 } = await transact(db, (trx) =>
    inOneSet(trx, commandLine, { at: NOW, kind: 'changed' }, async (acting) => {
      for (const id of ids) await act(trx, acting, id);
    }),
  );
  return `/history/${set}/undo`;
}

describe('an undo of several', () => {
  const NO_ACCESS =
    'Passwords, second factors and sessions of those who are back do not come back: create access links.';

  test('who could sign in says before and afterwards that access does not come back', async () => {
    const { app, read, send } = await start();
    const people = [await addPerson(app.db, 'tim', 'viewer'), await addUser(app.db, { username: 'tom' })];
    const ids = people.map(({ id }) => id);
    const deletion = await doToAll(app.db, ids, (trx, actor, id) => deleteUser(trx, actor, id, NOW));
    expect((await read('ann', deletion)).text).toContain(
      `2 users are brought back, with the same number and values. ${NO_ACCESS}`,
    );
    expect((await send('ann', deletion)).body).toBe(`Undone for 2 users! ${NO_ACCESS}\n`);
    const off = await doToAll(app.db, ids, (trx, actor, id) =>
      changeUser(trx, actor, id, { is_active: false }, NOW),
    );
    const sentence = 'Sessions and access links that were ended do not come back.';
    expect((await read('ann', off)).text).toContain(`2 users become what they were before. ${sentence}`);
    expect((await send('ann', off)).body).toBe(`Undone for 2 users! ${sentence}\n`);
  });

  test('who are made again says that they are deleted, and of one who is back that access is not', async () => {
    const { app, read, send } = await start();
    const { id } = await addPerson(app.db, 'tom', 'viewer');
    const ids = [id, (await addUser(app.db, { username: 'max' })).id];
    for (const one of ids) await transact(app.db, (trx) => deleteUser(trx, commandLine, one, NOW));
    const back = await doToAll(app.db, ids, (trx, actor, one) => restoreUser(trx, actor, one, NOW));
    expect((await read('ann', back)).text).toContain('2 users are deleted.');
    await send('ann', `/users/${id}/delete`);
    const action = (await read('ann', '/history')).forms.find((form) =>
      form.action.endsWith('/undo'),
    )?.action;
    expect((await read('ann', String(action))).text).toContain(
      'The password, the second factor and the sessions do not come back',
    );
  });

  test('one of whom cannot be changed ends where everything else is left, as was chosen', async () => {
    const { app, read, send } = await start();
    const users = [await addUser(app.db, { username: 'max' }), await addUser(app.db, { username: 'tom' })];
    const [max = 0, tom = 0] = users.map(({ id }) => id);
    const rename = (full_name: string) => (trx: Trx, actor: Actor, id: number) =>
      changeUser(trx, actor, id, { full_name }, NOW);
    const action = await doToAll(app.db, [max, tom], rename('Then'));
    await doToAll(app.db, [max], rename('Since'));
    await transact(app.db, (trx) => deleteUser(trx, commandLine, tom, NOW));
    const seen = (await read('ann', action)).field('seen');
    expect(await send('ann', action, { seen, [`${max}.full_name`]: 'leave' })).toMatchObject({
      statusCode: 303,
      body: 'Nothing was undone: you left everything as it is.\n',
    });
  });
});

test('the same new name for two is refused at both, and what is typed for nobody is not judged', async () => {
  const { app, read, send } = await start();
  const users = [await addUser(app.db, { username: 'max' }), await addUser(app.db, { username: 'tom' })];
  const [max = 0, tom = 0] = users.map(({ id }) => id);
  const action = await doToAll(app.db, [max, tom], (trx, actor, id) =>
    changeUser(trx, actor, id, { username: `new${id}` }, NOW),
  );
  for (const username of ['max', 'tom'])
    await addUser(app.db, { username, email: `${username}@elsewhere.example` });
  const seen = (await read('ann', action)).field('seen');
  const typed = (first: string, second: string) => ({
    seen,
    [`${max}.username.other`]: first,
    [`${tom}.username.other`]: second,
  });
  const refused = await send('ann', action, typed('same', 'SAME'));
  expect(refused.statusCode).toBe(422);
  expect(pageOf(refused).text.match(/Somebody else is given that username here, too/g)).toHaveLength(4);
  expect(pageOf(refused).items.slice(0, 2)).toEqual(
    [max, tom].map((id) => `new${id}: Somebody else is given that username here, too: type another.`),
  );
  expect(pageOf(refused).text).toContain(`new${tom}, Username, Leave as it is now`);
  const answer = await send('ann', action, typed('same', 'other'));
  expect(answer.body).toBe('Undone for 2 users!\n');
});

describe('who may', () => {
  test('undo is who could do the same: others see no button, and are refused', async () => {
    const { app, read, send, undoOf } = await start();
    const max = await addUser(app.db, { username: 'max' });
    await send('emil', `/users/${max.id}`, { full_name: 'Max' });
    const action = String(await undoOf('emil', `/users/${max.id}`));
    expect(await undoOf('vera', `/users/${max.id}`)).toBeUndefined();
    expect((await send('vera', action)).statusCode).toBe(403);
    await send('ann', `/users/${max.id}`, { role: 'editor' });
    const answer = await send('emil', action);
    expect(answer.statusCode).toBe(409);
    expect(pageOf(answer).text).toContain('max can be changed by administrators alone.');
    expect((await read('ann', `/users/${max.id}`)).heading).toBe('Max');
  });

  test('undo nothing of a set finds no Undo beside it, whether it changed one user or many', async () => {
    const { app, read, undoOf } = await start();
    const tom = await addPerson(app.db, 'tom', 'viewer');
    const max = await addUser(app.db, { username: 'max' });
    const doTo = (ids: readonly number[]) =>
      transact(app.db, (trx) =>
        inOneSet(trx, commandLine, { at: NOW, kind: 'changed' }, async (acting) => {
          for (const id of ids) await changeUser(trx, acting, id, { full_name: `Name ${ids}` }, NOW);
        }),
      );
    const undoable = async (who: string, kind: string) =>
      (await read(who, `/history?kind=${kind}`)).forms
        .map(({ action }) => action)
        .filter((action) => action.endsWith('/undo'));
    for (const ids of [[1], [1, tom.id], [1, max.id], [max.id]]) await doTo(ids);
    expect(await undoable('ann', 'changed')).toHaveLength(4);
    const offered = await undoable('emil', 'changed');
    expect(offered).toEqual((await undoable('ann', 'changed')).slice(0, 2));
    expect(await undoable('vera', 'changed')).toEqual([]);
    expect(await undoOf('emil', `/users/${tom.id}`)).toBeUndefined();
    expect(await undoOf('emil', `/users/${max.id}`)).toBe(offered[0]);
    // Of those who are deleted as well.
    for (const { id } of [max, tom]) await transact(app.db, (trx) => deleteUser(trx, commandLine, id, NOW));
    const deletions = await undoable('ann', 'deleted');
    expect(deletions).toHaveLength(2);
    expect(await undoable('emil', 'deleted')).toEqual(deletions.slice(1));
  });

  test('put back all but the role is told so first, and afterwards, and nothing about the role', async () => {
    const { app, read, send, undoOf } = await start();
    const tom = await addUser(app.db, { username: 'tom', full_name: 'Tom', role: 'viewer' });
    await send('ann', `/users/${tom.id}`, { full_name: 'Thomas', role: 'member' });
    const action = String(await undoOf('emil', `/users/${tom.id}`));
    const asked = await send('emil', action);
    expect(asked.statusCode).toBe(409);
    expect(pageOf(asked).text).toContain('What administrators alone can change stays as it is.');
    expect(pageOf(asked).text).toContain('Tom');
    expect(pageOf(asked).main.text).not.toMatch(/role|viewer/i);
    const done = await send('emil', action, { seen: pageOf(asked).field('seen') });
    expect(done.body).toBe('User tom is as before, but for what administrators alone can change!\n');
    expect((await read('ann', `/users/${tom.id}`)).heading).toBe('Tom');
    expect((await read('ann', '/history')).text).toContain('Undone in part by emil');
  });

  test('undo a creation read nothing about a role that was given then, or since', async () => {
    const { app, read, send, undoOf } = await start();
    await send('ann', '/users', { username: 'tom', email: 'tom@example.org', role: 'viewer' });
    const action = String(await undoOf('ann', '/history'));
    const { id } = await app.db
      .selectFrom('users')
      .select('id')
      .where('username', '=', 'tom')
      .executeTakeFirstOrThrow();
    await send('ann', `/users/${id}`, { role: 'member' });
    const page = await read('emil', action);
    expect(page.main.text).toContain('They were changed since');
    expect(page.main.text).not.toMatch(/role|viewer/i);
    const shown = await read('ann', action);
    expect(shown.main.text).toContain('Role was Viewer Member');
    expect(page.field('seen')).toBe(shown.field('seen'));
  });

  test('change their own name may undo that', async () => {
    const { send, undoOf, read } = await start();
    await send('vera', '/account/profile', { full_name: 'Vera' });
    const id = 3;
    const action = String(await undoOf('vera', `/users/${id}`));
    expect((await send('vera', action)).body).toBe('User vera is as before!\n');
    expect((await read('vera', `/users/${id}`)).heading).toBe('vera');
  });

  test('the last administrator stays', async () => {
    const { app, send, undoOf } = await start();
    const bea = await addPerson(app.db, 'bea', 'viewer');
    await send('ann', `/users/${bea.id}`, { role: 'admin' });
    const action = String(await undoOf('ann', `/users/${bea.id}`));
    const headers = await signedIn(app, bea);
    const ann = (
      await app.db.selectFrom('users').select('id').where('username', '=', 'ann').executeTakeFirstOrThrow()
    ).id;
    await post(app, `/users/${ann}`, { role: 'viewer' }, headers);
    const answer = await post(app, action, {}, headers);
    expect(answer.statusCode).toBe(409);
    expect(pageOf(answer).text).toContain('bea is the last administrator.');
  });
});

test('of all administrators whom one undo would take, the last stays', async () => {
  const { app, send } = await start();
  const people = [await addPerson(app.db, 'bea', 'viewer'), await addPerson(app.db, 'cy', 'viewer')];
  const ids = people.map(({ id }) => id);
  const action = await doToAll(app.db, ids, (trx, actor, id) =>
    changeUser(trx, actor, id, { role: 'admin' }, NOW),
  );
  await send('ann', '/users/1', { role: 'viewer' });
  const headers = await signedIn(app, people[1] as User);
  const { body } = await post(app, action, {}, headers);
  expect(body).toContain('Undone for 1 of 2 users; 1 was left, or done in part.');
});

test('one’s own email comes back by one’s account alone, which asks for the password', async () => {
  const { app, read, send, undoOf } = await start();
  const fields = { email: 'new@example.org', full_name: 'Emil', password: PASSWORD };
  await send('emil', '/account/profile', fields);
  const { id } = await app.db
    .selectFrom('users')
    .select('id')
    .where('username', '=', 'emil')
    .executeTakeFirstOrThrow();
  const answer = await send('emil', String(await undoOf('emil', `/users/${id}`)));
  expect(answer.statusCode).toBe(409);
  expect(pageOf(answer).text).toContain('your email is changed in your account, with your password.');
  expect((await read('ann', `/users/${id}`)).text).toContain('new@example.org');
});

test('beside a change of one’s own email alone there is no Undo, whoever one is; administrators find one at others’', async () => {
  const { app, people, read, send, undoOf } = await start();
  for (const who of ['ann', 'emil', 'vera']) {
    const answer = await send(who, '/account/profile', {
      email: `${who}@new.example.org`,
      password: PASSWORD,
    });
    const [cookie] = [answer.headers['set-cookie']].flat();
    const headers = { ...people[who], cookie: `${people[who]?.cookie}; ${String(cookie).split(';')[0]}` };
    const page = pageOf(await get(app, '/account', headers));
    expect(page.text).toContain('Your name and email are saved.');
    expect(page.buttons).not.toContain('Undo');
    const ofThem = `/history?user=${who}&kind=changed`;
    expect((await read(who, ofThem)).text).toContain('Changed the email');
    expect(await undoOf(who, ofThem)).toBeUndefined();
  }
  expect(await undoOf('vera', '/users/3')).toBeUndefined();
  expect(await undoOf('ann', '/users/3')).toBeDefined();
});

test('beside what was done to somebody who is erased there is no Undo; beside what was done to others as well, there is', async () => {
  const { app, read, send, undoOf } = await start();
  const [max, tom] = [await addUser(app.db, { username: 'max' }), await addUser(app.db, { username: 'tom' })];
  await send('emil', `/users/${max.id}`, { full_name: 'Max' });
  await transact(app.db, (trx) =>
    inOneSet(trx, commandLine, { at: NOW, kind: 'deactivated' }, async (acting) => {
      for (const { id } of [max, tom]) await changeUser(trx, acting, id, { is_active: false }, NOW);
    }),
  );
  await send('ann', `/users/${max.id}/delete`);
  const ofMax = `/history?user=${max.id}`;
  const undoable = async () => (await read('ann', ofMax)).buttons.filter((text) => text.startsWith('Undo:'));
  expect(await undoable()).toHaveLength(4);
  await send('ann', `/users/${max.id}/erase`, { username: 'max' });
  expect(await undoable()).toHaveLength(1);
  expect(await undoOf('ann', `${ofMax}&kind=deactivated`)).toBeDefined();
});

test('a form that is sent again after it was undone does it anew', async () => {
  const { app, send, undoOf } = await start();
  const max = await addUser(app.db, { username: 'max' });
  const fields = { key: newToken(), is_active: '0', version: '1' };
  const isActive = async () =>
    (await app.db.selectFrom('users').select('is_active').where('id', '=', max.id).executeTakeFirstOrThrow())
      .is_active;
  for (const _ of ['the first time', 'after it was undone']) {
    expect((await send('emil', `/users/${max.id}`, fields)).body).toBe('User max deactivated!\n');
    expect(await isActive()).toBe(false);
    await send('emil', String(await undoOf('emil', `/users/${max.id}`)));
    expect(await isActive()).toBe(true);
  }
});

test('a form that is sent again after somebody else has undone it hears that, and does nothing', async () => {
  const { app, send, undoOf } = await start();
  const max = await addUser(app.db, { username: 'max' });
  const edit = { key: newToken(), full_name: 'Max', version: '1' };
  const made = { key: newToken(), username: 'tom', email: 'tom@example.org' };
  for (const [address, fields, says] of [
    [`/users/${max.id}`, edit, 'User max updated!\n'],
    ['/users', made, 'User tom created!\n'],
  ] as const) {
    expect((await send('emil', address, fields)).body).toBe(says);
    await send('ann', String(await undoOf('ann', '/history')));
    // Its first answer was lost.
    expect((await send('emil', address, fields)).body).toContain('and was changed since.');
  }
  const users = app.db.selectFrom('users').select('full_name').where('username', 'in', ['max', 'tom']);
  expect(await users.execute()).toEqual([{ full_name: null }]);
});

test('what was done anew by the same form is done once, too', async () => {
  const { app, send, undoOf } = await start();
  const fields = { key: newToken(), username: 'max', email: 'max@example.org' };
  await send('emil', '/users', fields);
  await send('emil', String(await undoOf('emil', '/history')));
  for (let click = 1; click <= 2; click++)
    expect((await send('emil', '/users', fields)).body).toBe('User max created!\n');
  expect(await app.db.selectFrom('users').select('id').where('username', '=', 'max').execute()).toHaveLength(
    1,
  );
});

test('an undone change of a role stands in the history of whom it is about', async () => {
  const { app, read, send, undoOf } = await start();
  const tom = await addPerson(app.db, 'tom', 'viewer');
  await send('ann', `/users/${tom.id}`, { role: 'editor' });
  await send('ann', String(await undoOf('ann', `/users/${tom.id}`)));
  const seen = pageOf(await get(app, '/history?kind=access', await signedIn(app, tom))).text;
  expect(seen).toContain('ann Changed the role of tom, by Undo');
  expect((await read('vera', '/history')).text).not.toContain('Changed the role');
});

test('what was done to how someone signs in cannot be undone, and neither can what is not there', async () => {
  const { app, send } = await start();
  const { id } = await addPerson(app.db, 'tom', 'viewer');
  await send('ann', `/users/${id}/invitation`);
  const { id: set } = await app.db
    .selectFrom('change_sets')
    .select('id')
    .orderBy('id', 'desc')
    .executeTakeFirstOrThrow();
  const refused = await send('ann', `/history/${set}/undo`);
  expect([refused.statusCode, pageOf(refused).heading]).toEqual([409, 'No way back']);
  expect(pageOf(refused).main.link('Look at this change')).toBe(`/history/${set}`);
  expect((await send('ann', '/history/999/undo')).statusCode).toBe(404);
});

test('what was undone and done again a hundred times, as by a script, is changed by hand: nobody could read of it at some time', async () => {
  const { app, people, read, send } = await start();
  const { id } = await addUser(app.db, { username: 'max', full_name: 'Max' });
  await send('emil', `/users/${id}`, { full_name: 'Moritz', version: '1' });
  const { id: first } = await app.db
    .selectFrom('change_sets')
    .select(({ fn }) => fn.max('id').as('id'))
    .executeTakeFirstOrThrow();
  /** The page that shows the message, and the way back from what it is about. */
  const undosAfter = async (answer: Awaited<ReturnType<typeof send>>) => {
    const headers = withFlash(people.emil, answer);
    const { forms } = pageOf(await get(app, '/account', headers));
    return forms.map(({ action }) => action).filter((action) => action.endsWith('/undo'));
  };
  for (let set = first; set < first + 100; set++) {
    const answer = await send('emil', `/history/${set}/undo`);
    expect(answer).toMatchObject({ statusCode: 303 });
    if (set >= first + 98)
      expect(await undosAfter(answer)).toEqual(set === first + 98 ? [`/history/${set + 1}/undo`] : []);
  }
  const refused = await get(app, `/history/${first + 100}/undo`, people.emil);
  expect(refused.statusCode).toBe(409);
  expect(pageOf(refused).text).toContain(
    'It was undone and done again a hundred times already: change it by hand.',
  );
  expect((await send('emil', `/history/${first + 100}/undo`)).statusCode).toBe(409);
  for (const path of ['/history', `/history/${first + 100}`, `/users/${id}`])
    expect((await read('emil', path)).forms.map(({ action }) => action)).not.toContain(
      `/history/${first + 100}/undo`,
    );
  expect((await read('emil', `/users/${id}`)).text).toContain('Moritz');
});

/** A change of user max that was undone so often, and each of these undone in turn, as by a script. @returns its set */
async function undoneAndDoneAgain(db: Db, times: number): Promise<number> {
  const { id } = await addUser(db, { username: 'max', full_name: 'Max' });
  await transact(db, (trx) => changeUser(trx, commandLine, id, { full_name: 'Moritz' }, NOW));
  const { id: change, ...set } = await lastSet(db);
  await transact(db, async (trx) => {
    const undo = (sets: number[]) =>
      trx.executeQuery(
        insertion(
          trx,
          'change_sets',
          sets.map((undoes) => ({ ...set, undoes })),
          ['id'],
        ),
      );
    const { rows } = await undo(Array.from({ length: times }, () => change));
    await undo(rows.map(({ id }) => id));
  });
  return change;
}

async function lastSet(db: Db) {
  return db.selectFrom('change_sets').selectAll().orderBy('id', 'desc').limit(1).executeTakeFirstOrThrow();
}

test('so is what was undone a hundred times, each of which was undone in turn', async () => {
  const { app, read, send } = await start();
  const change = await undoneAndDoneAgain(app.db, 98);
  const undo = `/history/${change}/undo`;
  expect((await read('emil', `/history/${change}`)).forms.map(({ action }) => action)).toContain(undo);
  expect(await send('emil', undo)).toMatchObject({ statusCode: 303 });
  const { id: last } = await lastSet(app.db);
  expect(await send('emil', `/history/${last}/undo`)).toMatchObject({ statusCode: 303 });
  for (const set of [change, change + 1, last + 1]) {
    const refused = await send('emil', `/history/${set}/undo`);
    expect(refused.statusCode).toBe(409);
    expect(pageOf(refused).text).toContain('It was undone and done again a hundred times already');
    expect((await read('emil', `/history/${set}`)).forms.map(({ action }) => action)).not.toContain(
      `/history/${set}/undo`,
    );
  }
});

test('what was undone far more often before that was refused can be read', async () => {
  const { app, read } = await start();
  const change = await undoneAndDoneAgain(app.db, 33_000);
  expect((await read('emil', `/history/${change}`)).text).toContain('Moritz');
});
