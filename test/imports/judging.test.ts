/** What each row of a file would do is known before anything is done. */
import { rmSync } from 'node:fs';
import type { FastifyInstance } from 'fastify';
import { expect, test } from 'vitest';
import { commandLine } from '../../src/auth/actor.ts';
import type { User } from '../../src/db/schema.ts';
import { filesOf, findFolder } from '../../src/imports/folder.ts';
import { MATCHES } from '../../src/imports/types.ts';
import { plain } from '../../src/lib/text.ts';
import { findUserByUsername } from '../../src/users/queries.ts';
import { pageOf } from '../page.ts';
import { addPerson, signedIn } from '../people.ts';
import { addUser, get, startApp } from '../support.ts';
import { actorFor, apply, bring, check, countsOf, csv, importOf, look, totalsOf } from './bringing.ts';

test('rows are created, changed, the same or refused, and these add up to the rows of the file', async () => {
  const app = await startApp();
  await addUser(app.db, { username: 'ada', full_name: 'Ada' });
  await addUser(app.db, { username: 'bob', full_name: 'Bob' });
  const id = await check(
    app,
    csv(
      ['username', 'email', 'name'],
      ['ada', 'ada@example.org', 'Ada Byron'],
      ['bob', 'bob@example.org', 'Bob'],
      ['cleo', 'cleo@example.org', ''],
      ['dan', 'no address', ''],
    ),
  );
  expect(await importOf(app, id)).toMatchObject({ state: 'checked', judged: 1, problem: null });
  expect(await totalsOf(app, id)).toEqual({
    created: 1,
    changed: 1,
    same: 1,
    refused: 1,
    rows: 4,
    read: 4,
    fields: { full_name: 1 },
    roles: { member: 1 },
    differences: 0,
    absent: 0,
  });
  const changed = await look(app, id, (stage) => stage.examples('changed', 10));
  expect(changed).toMatchObject([
    { line: 2, user: { username: 'ada' }, fields: { full_name: { was: 'Ada', became: 'Ada Byron' } } },
  ]);
  const refused = await look(app, id, (stage) => stage.refused(0, 10));
  expect(refused).toMatchObject([
    { line: 5, cells: ['dan', 'no address', ''], reasons: [{ field: 'email' }] },
  ]);
  expect(await findUserByUsername(app.db, 'cleo')).toBeUndefined();
});

test('a full name of which the file has lost letters stays, whatever else its row changes, and that is told', async () => {
  const app = await startApp();
  const ann = await addPerson(app.db, 'ann', 'admin');
  await addUser(app.db, { username: 'ayse', full_name: 'Ayşe Çelik' });
  await addUser(app.db, { username: 'ivan', full_name: 'Иван' });
  await addUser(app.db, { username: 'zoe', full_name: 'Zoe' });
  const id = await check(
    app,
    csv(
      ['username', 'full name', 'status'],
      ['ayse', 'Ay?e Çelik', 'active'],
      ['ivan', '____', 'inactive'],
      ['zoe', 'Zoë', 'active'],
    ),
  );
  expect(await totalsOf(app, id)).toMatchObject({
    changed: 2,
    same: 1,
    fields: { full_name: 1, is_active: 1 },
    lost: 2,
  });
  const own = await check(app, csv(['username', 'full name'], ['ayse', 'Ay?e Çelik']), actorFor(ann));
  expect(pageOf(await get(app, `/imports/${own}`, await signedIn(app, ann))).text).toContain(
    'In 1 full name letters were lost when the file was saved: a “?” or “_” stands for each. It stays as Roster has it.',
  );
  await apply(app, id);
  expect(await findUserByUsername(app.db, 'ayse')).toMatchObject({ full_name: 'Ayşe Çelik' });
  expect(await findUserByUsername(app.db, 'ivan')).toMatchObject({ full_name: 'Иван', is_active: false });
  expect(await findUserByUsername(app.db, 'zoe')).toMatchObject({ full_name: 'Zoë' });
});

test('who is new with a sign that may stand for a lost letter is counted, and that is told', async () => {
  const app = await startApp();
  const ann = await addPerson(app.db, 'ann', 'admin');
  await addUser(app.db, { username: 'ivan', full_name: '?' });
  const rows = csv(
    ['username', 'email', 'full name'],
    ['ayse', 'ayse@example.org', 'Ay?e'],
    ['zoe', 'zoe@example.org', 'Zoë_'],
    ['ann', 'ann@example.org', 'An?'],
    ['ivan', 'ivan@example.org', '?'],
    ['dora', 'dora@example.org', 'Do?a'],
    ['dora', 'dora@example.org', 'Do?a'],
  );
  const id = await check(app, rows, actorFor(ann));
  expect(await totalsOf(app, id)).toMatchObject({ created: 2, refused: 2, doubtful: 2 });
  const page = pageOf(await get(app, `/imports/${id}`, await signedIn(app, ann)));
  expect(page.text).toContain(
    '2 full names have a “?”, and would be written so: maybe a letter that was lost when the file was saved.',
  );
  const named = page.items.filter((item) => /^A\S+ Line \d$/.test(item));
  expect(named).toEqual(['Ay?e Line 2', 'An? Line 4']);
});

test('empty rows are left out and counted, also once it is judged again, and that is told', async () => {
  const app = await startApp();
  const ann = await addPerson(app.db, 'ann', 'admin');
  const who = await signedIn(app, ann);
  const rows = csv(
    ['username', 'email'],
    ['bob', 'bob@example.org'],
    ['', ''],
    ['cy', 'cy@example.org'],
    ['', ''],
  );
  const id = await check(app, rows, actorFor(ann));
  expect(await totalsOf(app, id)).toMatchObject({ created: 2, rows: 2, empty: 2 });
  const said = async (address: string) => pageOf(await get(app, address, who)).text;
  expect(await said(`/imports/${id}`)).toContain('refused 0 2 empty rows are left out.');
  await addUser(app.db, { username: 'dan' });
  await apply(app, id, actorFor(ann));
  expect(await totalsOf(app, id)).toMatchObject({ created: 2, empty: 2 });
  expect(await said(`/imports/${id}`)).toContain('2 empty rows are left out.');
  const end = await get(app, `/imports/${id}?until=over`, who);
  expect(end.body).toBe('2 users created! 2 empty rows are left out.\n');
});

/** The reasons of each refused row, as a person reads them. */
async function reasonsOf(app: FastifyInstance, id: number) {
  const refused = (await look(app, id, (stage) => stage.refused(0, 100))) ?? [];
  return Object.fromEntries(
    refused.map(({ line, reasons }) => [line, reasons.map(({ message }) => plain(message))]),
  );
}

test('every reason of a row is told at once', async () => {
  const app = await startApp();
  await addUser(app.db, { username: 'ada' });
  const id = await check(
    app,
    csv(
      ['username', 'email', 'name', 'role'],
      ['new', 'ada@example.org', 'x'.repeat(201), 'Leiterin'],
      ['', '', '', ''],
      ['', '', 'Nobody', ''],
      ['a b', 'x@example.org'],
      ['a b\u202Ec', 'e\u200Be', '', ''],
    ),
    commandLine,
    { match: 'username' },
  );
  const reasons = await reasonsOf(app, id);
  expect(reasons[2]).toHaveLength(3);
  expect(reasons[2]?.at(-1)).toBe(
    'That email already belongs to ada. If this is the same person, have rows matched by email.',
  );
  expect(reasons[4]).toEqual(['Enter a username.', 'Enter an email address.']);
  expect(reasons[5]).toEqual(['The row has 2 cells, the first line has 4.']);
  expect(reasons[6]).toEqual([
    'The username contains an invisible character that reverses the direction of text.',
    'Use only letters, digits, and the signs . _ - + in the username.',
    'The email address contains an invisible character after “e”.',
    'Enter an email address like name@example.org.',
  ]);
});

test('of whom nobody is found by what is sought for it is said so, and what they lack to be new', async () => {
  const app = await startApp();
  const file = csv(['username', 'email'], ['', 'bob@example.org'], ['ada', 'ada@example.org']);
  expect(await reasonsOf(app, await check(app, file, commandLine, { match: 'email' }))).toEqual({
    2: ['Nobody has this email, and a new user needs a username.'],
  });
});

test('what is wrong in a row hides neither that it is not allowed nor that it would end the last administrator', async () => {
  const app = await startApp();
  const [ann, ed] = [await addPerson(app.db, 'ann', 'admin'), await addPerson(app.db, 'ed', 'editor')];
  await addUser(app.db, { username: 'vi', role: 'viewer' });
  await addUser(app.db, { username: 'max' });
  const NOT_ALLOWED = 'Only administrators may change this user.';
  const NOT_YOURSELF = 'Your own email address, status and role you change in Roster itself.';
  const rows: [User | undefined, string[], string | undefined][] = [
    [undefined, ['ann', 'none', 'member'], 'ann is the last administrator.'],
    [ann, ['ann', 'none', ''], NOT_YOURSELF],
    [ed, ['vi', 'none', ''], NOT_ALLOWED],
    [ed, ['vi', '', 'Leiterin'], NOT_ALLOWED],
    [ed, ['max', 'none', ''], undefined],
    [ed, ['max', '', 'Leiterin'], undefined],
  ];
  for (const [actor, row, reason] of rows) {
    const id = await check(app, csv(['username', 'email', 'role'], row), actor && actorFor(actor));
    expect((await reasonsOf(app, id))[2]?.slice(1)).toEqual(reason === undefined ? [] : [reason]);
  }
});

test('rows that share a username, an email or a number are all refused, each with the line of another', async () => {
  const app = await startApp();
  const { id: ada } = await addUser(app.db, { username: 'ada' });
  const id = await check(
    app,
    csv(
      ['id', 'username', 'email', 'name'],
      ['', 'bob', 'bob@example.org', ''],
      ['', 'BOB', 'b@example.org', ''],
      ['', 'cleo', 'Bob@example.org', ''],
      [ada, '', '', 'Ada'],
      [ada, '', '', 'Byron'],
      ['', 'dan', 'dan@example.org', ''],
    ),
    commandLine,
    { match: 'id' },
  );
  expect(await reasonsOf(app, id)).toEqual({
    2: ['bob is also on line 3.', 'bob@example.org is also on line 4.'],
    3: ['BOB is also on line 2.'],
    4: ['Bob@example.org is also on line 2.'],
    5: ['ada is also on line 6.'],
    6: ['ada is also on line 5.'],
  });
  expect(await countsOf(app, id)).toEqual({ created: 1, changed: 0, same: 0, refused: 5 });
});

test('whom a row is about is found by username, else by email, else by number, or as it is chosen', async () => {
  const app = await startApp();
  const ada = await addUser(app.db, { username: 'ada' });
  const file = csv(
    ['id', 'username', 'email'],
    [ada.id, 'ada', 'new@example.org'],
    ['', 'ada2', 'ada@example.org'],
  );
  for (const choices of [{}, { match: 'id' }] as const) {
    const found = await check(app, file, commandLine, choices);
    expect(await reasonsOf(app, found)).toEqual({
      3: ['That email already belongs to ada. If this is the same person, have rows matched by email.'],
    });
    expect(await countsOf(app, found)).toMatchObject({ changed: 1, refused: 1 });
  }
  const byNumberAlone = await check(app, csv(['id', 'name'], [ada.id, 'Ada']));
  expect(await countsOf(app, byNumberAlone)).toMatchObject({ changed: 1, refused: 0 });
  const byEmail = await check(app, file, commandLine, { match: 'email' });
  expect(await reasonsOf(app, byEmail)).toEqual({
    2: ['That username already belongs to ada. If this is the same person, have rows matched by username.'],
  });
  const [changed] = (await look(app, byEmail, (stage) => stage.examples('changed', 1))) ?? [];
  expect(changed).toMatchObject({ line: 3, fields: { username: { was: 'ada', became: 'ada2' } } });
  expect(JSON.parse((await importOf(app, byEmail)).reading ?? '')).toMatchObject({ match: 'email' });
});

test('a row without what was chosen finds whoever is there by the username, else by the email, and it is told', async () => {
  const app = await startApp();
  const [m1, m2] = [await addUser(app.db, { username: 'm1' }), await addUser(app.db, { username: 'm2' })];
  const file = csv(
    ['id', 'username', 'email', 'name'],
    ['', 'm1', '', 'First'],
    ['', '', 'm2@example.org', 'Second'],
    ['', '', 'nobody@example.org', 'Nobody'],
  );
  for (const match of ['id', 'username', 'email'] as const) {
    const id = await check(app, file, commandLine, { match });
    expect(await countsOf(app, id)).toEqual({ created: 0, changed: 2, same: 0, refused: 1 });
    expect(await reasonsOf(app, id)).toEqual({
      4: ['Nobody has this email, and a new user needs a username.'],
    });
    const changed = await look(app, id, (stage) => stage.examples('changed', 2));
    expect(changed?.map(({ user, by }) => [user?.id, by ?? match])).toEqual([
      [m1.id, 'username'],
      [m2.id, 'email'],
    ]);
    const { otherwise } = await totalsOf(app, id);
    const others = Object.entries({ username: 1, email: 1 }).filter(([by]) => by !== match);
    expect(otherwise).toEqual(Object.fromEntries(others));
  }
});

test('nobody is found by a number that was not chosen, nor by another cell where the chosen one is wrong', async () => {
  const app = await startApp();
  const { id } = await addUser(app.db, { username: 'ada' });
  const byNumber = csv(['id', 'username', 'email'], [id, '', 'new@example.org']);
  expect(await countsOf(app, await check(app, byNumber))).toMatchObject({ refused: 1 });
  const wrong = csv(
    ['id', 'username', 'email'],
    ['x7', 'ada', 'ada@example.org'],
    ['', 'bob', 'cleo@example.org'],
  );
  for (const username of ['bob', 'cleo']) await addUser(app.db, { username });
  expect(await reasonsOf(app, await check(app, wrong, commandLine, { match: 'id' }))).toMatchObject({
    2: [
      '“x7” is no number that a user can have.',
      'That username already belongs to ada.',
      'That email already belongs to ada.',
    ],
    3: ['That email already belongs to cleo.'],
  });
});

test('rows about one user are all refused, by whatever each has found them', async () => {
  const app = await startApp();
  const ada = await addUser(app.db, { username: 'ada' });
  const rows = [
    ['', 'ada', '', 'Ada'],
    ['', '', 'ada@example.org', 'Byron'],
  ];
  const names = ['id', 'username', 'email', 'name'];
  for (const match of MATCHES) {
    const id = await check(app, csv(names, ...rows), commandLine, { match });
    expect(await reasonsOf(app, id)).toEqual({
      2: ['ada is also on line 3.'],
      3: ['ada is also on line 2.'],
    });
  }
  const twice = await check(app, csv(names, ...rows.slice(0, 1), ...rows.slice(0, 1)), commandLine, {
    match: 'id',
  });
  expect((await reasonsOf(app, twice))[2]).toEqual(['ada is also on line 3.']);
  const wrong = await check(
    app,
    csv([...names, 'role'], ['', '', 'ada@example.org', 'Ada', 'boss'], ['', 'ada', '', 'Byron', '']),
  );
  expect((await reasonsOf(app, wrong))[3]).toEqual(['ada is also on line 2.']);
  const byNumber = await check(app, csv(names, [ada.id, '', '', 'Ada'], ...rows.slice(1)), commandLine, {
    match: 'id',
  });
  expect(await reasonsOf(app, byNumber)).toEqual({
    2: ['ada is also on line 3.'],
    3: ['ada is also on line 2.'],
  });
});

test('a number that is somebody else’s, or nobody’s, changes nobody', async () => {
  const app = await startApp();
  const ada = await addUser(app.db, { username: 'ada' });
  const rows = [
    [ada.id, 'bob', 'bob@example.org'],
    [ada.id + 7, 'cleo', 'cleo@example.org'],
  ];
  const id = await check(app, csv(['id', 'username', 'email'], ...rows), commandLine, { match: 'id' });
  expect(await reasonsOf(app, id)).toEqual({
    2: [`User ${ada.id} is ada, with another username and another email.`],
    3: [`There is no user ${ada.id + 7}.`],
  });
});

test('numbers that another program has given are nothing to Roster, unless rows are found by them', async () => {
  const app = await startApp();
  const file = csv(['id', 'username', 'email'], ['9b1deb4d', 'ada', 'ada@example.org']);
  expect(await countsOf(app, await check(app, file))).toMatchObject({ created: 1, refused: 0 });
  const byNumber = await check(app, file, commandLine, { match: 'id' });
  expect(await countsOf(app, byNumber)).toMatchObject({ created: 0, refused: 1 });
});

test('an editor’s file changes members alone, and gives no role; an administrator’s does', async () => {
  const app = await startApp();
  const [ed, ann] = [await addPerson(app.db, 'ed', 'editor'), await addPerson(app.db, 'ann', 'admin')];
  await addPerson(app.db, 'vic', 'viewer');
  await addUser(app.db, { username: 'mia' });
  const file = csv(
    ['username', 'email', 'name', 'role'],
    ['vic', '', 'Vic', ''],
    ['mia', '', 'Mia', ''],
    ['new', 'new@example.org', '', 'viewer'],
    ['old', 'old@example.org', '', 'member'],
  );
  const byEditor = await check(app, file, actorFor(ed));
  expect(await reasonsOf(app, byEditor)).toEqual({
    2: ['Only administrators may change this user.'],
    4: ['Only administrators may give this role.'],
  });
  expect(await countsOf(app, byEditor)).toEqual({ created: 1, changed: 1, same: 0, refused: 2 });
  const byAdministrator = await check(app, file, actorFor(ann));
  expect(await countsOf(app, byAdministrator)).toEqual({ created: 2, changed: 2, same: 0, refused: 0 });
});

test('the last administrator stays, and nobody takes their own access away', async () => {
  const app = await startApp();
  const [ann, eve] = [await addPerson(app.db, 'ann', 'admin'), await addPerson(app.db, 'eve', 'admin')];
  const rows = [
    ['ann', 'inactive'],
    ['eve', 'inactive'],
  ];
  const id = await check(app, csv(['username', 'status'], ...rows));
  expect(await reasonsOf(app, id)).toEqual({ 3: ['eve is the last administrator.'] });
  const own = await check(app, csv(['username', 'status'], ...rows), actorFor(ann));
  expect(await reasonsOf(app, own)).toEqual({
    2: ['Your own email address, status and role you change in Roster itself.'],
  });
  // Who is refused for something else stays administrator, so that the other may go.
  const twins = csv(
    ['username', 'status', 'email'],
    ['ann', 'inactive', 'a@example.org'],
    ['eve', 'inactive', ''],
    ['x', 'active', 'a@example.org'],
  );
  const id2 = await check(app, twins);
  expect(Object.keys(await reasonsOf(app, id2))).toEqual(['2', '4']);
  expect(await totalsOf(app, id2)).toMatchObject({
    changed: 1,
    refused: 2,
    differences: 0,
    fields: { is_active: 1 },
  });
  expect(eve.role).toBe('admin');
});

test('a cell that is empty leaves what is there, or takes the full name out, as it is chosen', async () => {
  const app = await startApp();
  await addUser(app.db, { username: 'ada', full_name: 'Ada' });
  const file = csv(['username', 'email', 'name'], ['ada', '', '']);
  expect(await countsOf(app, await check(app, file))).toMatchObject({ same: 1 });
  const id = await check(app, file, commandLine, { empty: 'clear' });
  const changed = await look(app, id, (stage) => stage.examples('changed', 1));
  expect(changed).toMatchObject([{ fields: { full_name: { was: 'Ada', became: null } } }]);
});

test('half of a name leaves the whole one that somebody has, unless an empty cell takes out the other half', async () => {
  const app = await startApp();
  await addUser(app.db, { username: 'ada', full_name: 'Ada Lovelace' });
  const file = csv(
    ['username', 'email', 'first name', 'last name'],
    ['ada', '', 'Ada', ''],
    ['bob', 'bob@example.org', '', 'Byron'],
  );
  const leaving = await check(app, file);
  expect(await countsOf(app, leaving)).toEqual({ created: 1, changed: 0, same: 1, refused: 0 });
  const created = await look(app, leaving, (stage) => stage.examples('created', 1));
  expect(created).toMatchObject([{ values: { full_name: 'Byron' } }]);
  const nameOfAda = async (text: string, empty: 'leave' | 'clear') => {
    const id = await check(app, text, commandLine, { empty });
    const [changed] = (await look(app, id, (stage) => stage.examples('changed', 1))) ?? [];
    return changed?.fields.full_name?.became;
  };
  expect(await nameOfAda(file, 'clear')).toBe('Ada');
  // What no column says is left.
  expect(await nameOfAda(csv(['username', 'first name'], ['ada', 'Ada']), 'clear')).toBeUndefined();
  expect(await nameOfAda(csv(['username', 'first name', 'last name'], ['ada', 'Ada', 'King']), 'leave')).toBe(
    'Ada King',
  );
});

test('where one column makes all of the first rows fail, it is said in a sentence, and no more is read', async () => {
  const app = await startApp();
  const names = Array.from({ length: 3_000 }, (_, index) => `user ${index}`);
  const id = await check(
    app,
    csv(['Login', 'Mail'], ...names.map((name, index) => [name, `u${index}@example.org`])),
  );
  const { state, problem, reading } = await importOf(app, id);
  expect(state).toBe('unreadable');
  expect(plain(problem ?? '')).toBe(
    'The column “Login” fails in every row: Use only letters, digits, and the signs . _ - + in the username. Read it differently, or put it right in the file.',
  );
  expect(JSON.parse(reading ?? '').columns).toEqual([
    { header: 'Login', field: 'username' },
    { header: 'Mail', field: 'email' },
  ]);
  const lacking = await check(app, csv(['Login'], ...names.map((_, index) => [`user${index}`])));
  expect((await importOf(app, lacking)).problem).toMatch(
    /^No column says the email address, and every row needs one/,
  );
});

test('what is no list of users is not read, and it is said what to do', async () => {
  const app = await startApp();
  const id = await check(app, 'PK\x03\x04 and more');
  expect(await importOf(app, id)).toMatchObject({
    state: 'unreadable',
    problem: 'This is an Excel workbook: save it as CSV (File > Save As > CSV UTF-8).',
  });
});

test('of very many refused rows ten thousand are kept with their reasons, and all are counted', async () => {
  const app = await startApp();
  const rows = Array.from({ length: 10_100 }, (_, index) => [
    `u${index}`,
    index === 5 ? 'u@example.org' : 'no',
  ]);
  const id = await check(app, csv(['username', 'email'], ...rows));
  expect(await countsOf(app, id)).toEqual({ created: 1, changed: 0, same: 0, refused: 10_099 });
  expect(await look(app, id, (stage) => stage.refused(0, 20_000).length)).toBe(10_000);
});

test('that two rows share a username is told of both, however many others are refused', async () => {
  const app = await startApp();
  const rows = Array.from({ length: 10_100 }, (_, index) => [
    `u${index}`,
    index === 5 ? 'v@example.org' : 'none',
  ]);
  const id = await check(app, csv(['username', 'email'], ['u7', 'none'], ...rows, ['u7', 'u@example.org']));
  expect((await reasonsOf(app, id))[2]).toEqual([
    'Enter an email address like name@example.org.',
    'u7 is also on line 10,103.',
  ]);
});

test('a file that is gone from the disk is said to be', async () => {
  const app = await startApp();
  const id = await bring(app, csv(['username'], ['ada']));
  const folder = findFolder(app.config.importFolder);
  rmSync(filesOf({ path: folder?.path ?? '' }, (await importOf(app, id)).file).upload);
  await app.runJobs();
  expect(await importOf(app, id)).toMatchObject({
    state: 'unreadable',
    problem: 'What was brought is gone from the disk: choose the file again.',
  });
});

test('a name beside an email is that of who is new and has none, and of nobody else', async () => {
  const app = await startApp();
  await addUser(app.db, { username: 'ada', full_name: 'Ada King' });
  const file = csv(
    ['username', 'email', 'name'],
    ['ada', 'Ada Lovelace <ada@example.org>', ''],
    ['bob', 'Bob <bob@example.org>', ''],
    ['cem', 'Cem <cem@example.org>', 'Cem C.'],
  );
  const id = await check(app, file);
  expect(await countsOf(app, id)).toEqual({ created: 2, changed: 0, same: 1, refused: 0 });
  const created = (await look(app, id, (stage) => stage.examples('created', 9))) ?? [];
  expect(created.map(({ values }) => values.full_name)).toEqual(['Bob', 'Cem C.']);
  await apply(app, id);
  const named = async (username: string) => (await findUserByUsername(app.db, username))?.full_name;
  expect([await named('ada'), await named('bob'), await named('cem')]).toEqual(['Ada King', 'Bob', 'Cem C.']);
  const again = await check(app, file, commandLine, { empty: 'clear' });
  expect((await totalsOf(app, again)).fields).toEqual({ full_name: 2 });
});

test('usernames are made of emails that have a name beside them', async () => {
  const app = await startApp();
  const file = csv(['email'], ['Ada Lovelace <ada@example.org>']);
  await apply(app, await check(app, file, commandLine, { usernames: 'email' }));
  expect(await findUserByUsername(app.db, 'ada')).toMatchObject({
    email: 'ada@example.org',
    full_name: 'Ada Lovelace',
  });
});
