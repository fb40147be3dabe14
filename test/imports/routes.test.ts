/** Users from a file, by pages: brought, looked at, read differently, applied, undone. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { describe, expect, test } from 'vitest';
import { commandLine } from '../../src/auth/actor.ts';
import { newToken } from '../../src/auth/tokens.ts';
import { transact } from '../../src/db/transact.ts';
import { KINDS } from '../../src/history/kinds.ts';
import { saveImport } from '../../src/imports/queries.ts';
import { changeUser } from '../../src/users/commands.ts';
import type { UserChanges } from '../../src/users/validation.ts';
import { withoutFiles } from '../full-disk.ts';
import { type Page, pageOf } from '../page.ts';
import { addPerson, signedIn } from '../people.ts';
import { addUser, get, post, startApp } from '../support.ts';
import { apply, bring, decision, send } from './by-pages.ts';
import { inEachRow } from './files.ts';
import { multipart } from './multipart.ts';

async function start() {
  const app = await startApp();
  const ann = await signedIn(app, await addPerson(app.db, 'ann', 'admin'));
  return { app, db: app.db, ann };
}

const filesIn = ({ config: { importFolder } }: FastifyInstance) =>
  existsSync(importFolder) ? readdirSync(importFolder).filter((name) => name !== 'identity') : [];
const usernames = async ({ db }: FastifyInstance) =>
  (await db.selectFrom('users').select('username').orderBy('id').execute()).map(({ username }) => username);

const LIST =
  'Login;E-Mail;Name;Shoe size\nbob;bob@example.org;Robert;44\ncem;cem@example.org;Cem;\ndora;dora;Dora;\n';

test('what a file would do is shown before anything is changed, then done as one change, and undone', async () => {
  const { app, db, ann } = await start();
  await addUser(db, { username: 'bob', full_name: 'Bob' });
  const address = await bring(app, ann, LIST);
  const page = pageOf(await get(app, address, ann));
  expect(page.heading).toBe('Check the import');
  expect(page.text).toContain('Nothing is changed yet. This is what the 3 rows would do.');
  expect(page.text).toContain('created 1 changed 1 the same 0 refused 1');
  expect(page.text).toContain('Between cells Semicolon');
  expect(page.text).toContain('Line ends LF');
  expect(page.items).toContain('Shoe size left out');
  expect(page.items).toContain('Login Username');
  expect(page.text).toContain('“dora”: enter an email address like name@example.org.');
  expect(await usernames(app)).toEqual(['ann', 'bob']);
  expect((await apply(app, ann, address)).body).toBe('1 user created, 1 user changed!\n');
  expect(await usernames(app)).toEqual(['ann', 'bob', 'cem']);
  const done = pageOf(await get(app, address, ann));
  expect(done.heading).toBe('Imported');
  const listed = pageOf(await get(app, done.link('See who is new'), ann));
  expect(listed.text.indexOf('cem@example')).toBeLessThan(listed.text.indexOf('bob@example'));
  await post(app, done.form('Undo').action, {}, ann);
  expect(await usernames(app)).toEqual(['ann', 'bob']);
  expect(pageOf(await get(app, address, ann)).text).not.toContain('See who is new');
  const bob = db.selectFrom('users').select('full_name').where('username', '=', 'bob');
  expect(await bob.executeTakeFirst()).toEqual({ full_name: 'Bob' });
});

test('the same file again would change nothing', async () => {
  const { app, ann } = await start();
  await apply(app, ann, await bring(app, ann, 'username,email\nbob,bob@example.org\n'));
  const page = pageOf(await get(app, await bring(app, ann, 'username,email\nbob,bob@example.org\n'), ann));
  expect(page.text).toContain('0 changes. Roster has all of it already.');
  expect(page.buttons).toEqual(['Discard the file', 'Read it again']);
  expect(page.links.map(({ text }) => text)).not.toContain('Back to the users');
});

test('the refused rows come back as a file with why, and once they are right they are imported', async () => {
  const { app, ann } = await start();
  const rows = [
    "bob,bob,'=1+1",
    'cem,cem@example.org',
    'd d,dora@example.org,"Dora, D"',
    'e e,=2+2,"=""007"""',
  ];
  const address = await bring(app, ann, ['username,email,full_name', ...rows].join('\n'));
  const answer = await get(app, `${address}/refused`, ann);
  expect(answer.headers['content-type']).toBe('text/csv; charset=utf-8');
  expect(answer.headers['content-disposition']).toMatch(/^attachment; filename="users\.refused\.csv"; /);
  expect(answer.body).toBe(
    [
      '\uFEFFLine,Why,username,email,full_name',
      "2,Enter an email address like name@example.org.,bob,bob,'=1+1",
      '3,"The row has 2 cells, the first line has 3.",cem,cem@example.org',
      '4,"Use only letters, digits, and the signs . _ - + in the username.",d d,dora@example.org,"Dora, D"',
      `5,"Use only letters, digits, and the signs . _ - + in the username. Enter an email address like name@example.org.",e e,'=2+2,007`,
      '',
    ].join('\r\n'),
  );
  const right = answer.body
    .replace('bob,bob,', 'bob,bob@example.org,')
    .replace('cem@example.org', 'cem@example.org,')
    .replace('d d', 'dora')
    .replace("e e,'=2+2", 'eve,eve@example.org');
  const again = await bring(app, ann, right);
  expect((await decision(app, ann, again)).button).toBe('Apply 4 rows');
  await apply(app, ann, again);
  const names = await app.db.selectFrom('users').select('full_name').orderBy('username').execute();
  expect(names.map(({ full_name }) => full_name)).toEqual([null, '=1+1', null, 'Dora, D', '007']);
});

test('what another row gives up is refused at first, and free once that row is applied', async () => {
  const { app, db, ann } = await start();
  await addUser(db, { username: 'bob', email: 'team@example.org' });
  const address = await bring(app, ann, 'username,email\nbob,bob@example.org\ncem,team@example.org\n');
  const { text } = pageOf(await get(app, address, ann));
  expect(text).toContain('“team@example.org”: that email already belongs to bob.');
  expect(text).toContain('Does another row of this file give that username or email up?');
  await apply(app, ann, address);
  const { body } = await get(app, `${address}/refused`, ann);
  expect((await apply(app, ann, await bring(app, ann, body))).body).toBe('1 user created!\n');
});

test('refused rows come back as the file was: with what its cells are apart by, and its name', async () => {
  const { app, ann } = await start();
  const address = await bring(app, ann, 'username;email\nbob;bob\n', 'Łódź: 100%.csv');
  const { headers, body } = await get(app, `${address}/refused`, ann);
  const again = await get(app, `${await bring(app, ann, body, 'staff.refused.csv')}/refused`, ann);
  expect(again.headers['content-disposition']).toContain('filename="staff.refused.csv"');
  expect(body).toContain('\r\n2;Enter an email address like name@example.org.;bob;bob\r\n');
  expect(headers['content-disposition']).toBe(
    `attachment; filename="__d__ 100_.refused.csv"; filename*=UTF-8''%C5%81%C3%B3d%C5%BA_%20100_.refused.csv`,
  );
});

test('refused rows of what is done are found again, and led to first', async () => {
  const { app, ann } = await start();
  const address = await bring(app, ann, 'username,email\nbob,bob@example.org\ncem,cem\n');
  await apply(app, ann, address);
  const list = pageOf(await get(app, '/import', ann));
  expect(list.link('users.csv')).toBe(address);
  expect(list.text).toContain('done, 1 row refused');
  const { links, buttons } = pageOf(await get(app, address, ann)).main;
  expect(links.map(({ text }) => text).slice(1)).toEqual([
    'The refused rows',
    'Download the refused rows',
    'Import the corrected file',
    'See who is new',
    'Look at each change',
  ]);
  expect(buttons).toEqual(['Undo']);
});

test('corrected rows are read as was chosen for the file that they come from, where the columns are the same', async () => {
  const { app, db, ann } = await start();
  await addUser(db, { username: 'bob', email: 'bob@example.org', full_name: 'Bob' });
  const address = await bring(app, ann, 'Kennung,email,Ganzer Name\nrob,bob@example.org,\ncem,cem,\n');
  const { action } = pageOf(await get(app, address, ann)).form('Read it again');
  const columns = { 'column.0': 'username', 'column.1': 'email', 'column.2': 'full_name' };
  const chosen = { encoding: 'utf-8', delimiter: ',', match: 'email', empty: 'clear', ...columns };
  await post(app, action, chosen, ann);
  await app.runJobs();
  const way = pageOf(await get(app, address, ann)).link('import that file');
  const upload = pageOf(await get(app, way, ann)).form('Check the file').action;
  const { body } = await get(app, `${address}/refused`, ann);
  const right = body.replace('cem,cem', 'cem,bob@example.org');
  const page = pageOf(await get(app, await bring(app, ann, right, 'users.refused.csv', upload), ann));
  expect(page.text).toContain('Username was bob cem');
  expect(page.text).toContain('Full name was Bob Not set');
  expect(page.text).toContain('Line left out Why left out Kennung Username');
  expect(page.link('Choose another file')).toBe(way);
  const { action: again } = page.form('Read it again');
  const { location } = (await post(app, again, chosen, ann)).headers;
  await app.runJobs();
  expect(pageOf(await get(app, String(location), ann)).link('Choose another file')).toBe(way);
  // Three may wait at most.
  const discarded = await post(app, page.form('Discard the file').action, {}, ann);
  expect(discarded.headers.location).toBe(way);
  for (const content of ['{"username": "bob"}', 'PK\x03\x04', '\n', `${body.split('\r\n')[0]}\r\n`]) {
    const answer = await send(app, ann, { name: 'users.csv', content }, newToken(), upload);
    expect(answer.body).not.toMatch(/columns|before/);
    await app.runJobs();
    const wrong = pageOf(await get(app, String(answer.headers.location), ann));
    expect(wrong.heading).toBe('This file cannot be imported as it is');
    expect(wrong.link('Choose another file')).toBe(way);
  }
  for (const [file, says] of [
    [
      right.replace('Kennung', 'Login'),
      'Its columns are other ones than before: choose again how it is read.',
    ],
    [
      right.replace('\uFEFFLine,Why,', '').replace(/\r\n\d,.*?,(?=cem)/, '\r\n'),
      'It is read as you chose before.',
    ],
  ] as const) {
    const form = { name: 'users.csv', content: `${file}\n` };
    expect((await send(app, ann, form, newToken(), upload)).body).toContain(says);
  }
});

test('corrected rows of what is known no more are read anew, and it is said why', async () => {
  const { app, ann } = await start();
  const form = { name: 'users.csv', content: 'username,email\nbob,bob@example.org\n' };
  const { body } = await send(app, ann, form, newToken(), '/import?of=99');
  expect(body).toBe('What was chosen about the earlier file is not known any more.\n');
});

test('whoever has left before the end finds what was imported where files are brought, with its Undo', async () => {
  const { app, ann } = await start();
  const address = await bring(
    app,
    ann,
    'username,email\nbob,bob@example.org\ncem,cem@example.org\ndora,dora\n',
  );
  expect(pageOf(await get(app, '/import', ann)).text).not.toContain('The last imports');
  const { action, judged } = await decision(app, ann, address);
  await post(app, action, { judged }, ann);
  await app.runJobs();
  const page = pageOf(await get(app, '/import', ann));
  expect(page.text).toMatch(
    /The last imports .* ann Imported 2 users from a file: 2 created, 1 row refused 2 .*Undo/,
  );
  expect(page.main.links.map(({ text }) => text)).toContain('All imports');
});

test('every refused row can be looked at, a hundred a page, forth and back', async () => {
  const app = await startApp();
  const ann = await signedIn(app, await addPerson(app.db, 'ann', 'admin'));
  const rows = Array.from({ length: 250 }, (_, index) => `u${index},nowhere`);
  const address = await bring(app, ann, ['username,email', 'bob,bob@example.org', ...rows].join('\n'));
  const lines = (page: Page) => page.text.match(/(?<=\bu)\d+/g)?.map(Number);
  const go = async (page: Page, to: string) => pageOf(await get(app, page.link(to), ann));
  const first = await go(pageOf(await get(app, address, ann)), 'Look at all of them');
  expect(first.heading).toBe('250 rows are refused');
  expect(first.text).toContain('Showing 1–100');
  expect(first.text).toContain('“nowhere”: enter an email address');
  const second = await go(first, 'Next');
  const third = await go(second, 'Next');
  expect([first, second, third].flatMap(lines)).toEqual(rows.map((_, index) => index));
  expect(third.text).toContain('Showing 201–250');
  expect(third.links.map(({ text }) => text)).not.toContain('Next');
  expect(lines(await go(third, 'Previous'))).toEqual(lines(second));
  expect(lines(await go(third, 'First'))).toEqual(lines(first));
  for (const place of ['after=999', 'before=1', 'before=-5', `before=-${'9'.repeat(400)}`]) {
    const beyond = pageOf(await get(app, `${address}/refused-rows?${place}`, ann));
    expect(beyond.text).toContain('There are no more of them here.');
    expect(lines(await go(beyond, 'First'))).toEqual(lines(first));
  }
  await apply(app, ann, address);
  const done = pageOf(await get(app, address, ann));
  expect(lines(await go(done, 'The refused rows'))).toEqual(lines(first));
});

test('a first and a last name are shown to be one field of Roster', async () => {
  const { app, ann } = await start();
  const address = await bring(
    app,
    ann,
    'username,email,First name,Last name\nbob,bob@example.org,Bob,Byron\n',
  );
  const { items } = pageOf(await get(app, address, ann));
  expect(items).toEqual(expect.arrayContaining(['First name Full name', 'Last name Full name']));
});

test('roles that are given are counted, and new administrators named', async () => {
  const { app, db, ann } = await start();
  await addUser(db, { username: 'bob', email: 'bob@example.org' });
  const rows = ['cem,cem@example.org,', 'dora,dora@example.org,editor', 'eve,eve@example.org,administrator'];
  const file = ['username,email,role', 'bob,,administrator', ...rows, 'eve,eve2@example.org,administrator'];
  const all = pageOf(await get(app, await bring(app, ann, file.slice(0, -1).join('\n')), ann));
  expect(all.text).toContain('In all: 1 member, 1 editor, 1 administrator.');
  expect(all.notices).toEqual(['2 new administrators: bob, eve']);
  const some = pageOf(await get(app, await bring(app, ann, file.join('\n')), ann));
  expect(some.text).toContain('In all: 1 member, 1 editor.');
  expect(some.notices).toEqual(['1 new administrator: bob']);
});

test('it is read differently as somebody says: by columns, by what cells are apart by, by who is who', async () => {
  const { app, db, ann } = await start();
  await addUser(db, { username: 'bob', email: 'bob@example.org', full_name: 'Bob' });
  const address = await bring(app, ann, 'Kennung,email,Ganzer Name\nrob,bob@example.org,\n');
  const unread = pageOf(await get(app, address, ann));
  expect(unread.text).toContain('Kennung left out');
  const { action } = unread.form('Read it again');
  const as = (more: Record<string, string>) => ({
    encoding: 'utf-8',
    delimiter: ',',
    match: 'email',
    empty: 'leave',
    ...more,
  });
  const columns = { 'column.0': 'username', 'column.1': 'email', 'column.2': 'full_name' };
  const answer = await post(app, action, as({ ...columns, empty: 'clear' }), ann);
  await app.runJobs();
  expect(answer.headers.location).toBe(address);
  const page = pageOf(await get(app, address, ann));
  expect(page.text).toContain('Username was bob rob');
  expect(page.text).toContain('Full name was Bob Not set');
  expect(page.text).toContain('An empty cell clears it');
  expect(page.field('column.2')).toBe('Full name');
  await post(app, action, as({ ...columns, delimiter: ';' }), ann);
  await app.runJobs();
  expect(pageOf(await get(app, address, ann)).heading).toBe('This file cannot be imported as it is');
  await post(app, action, as({}), ann);
  await app.runJobs();
  expect(pageOf(await get(app, address, ann)).heading).toBe('Check the import');
});

test('what others change meanwhile is shown, and asked about again', async () => {
  const { app, db, ann } = await start();
  const address = await bring(app, ann, 'username,email\nbob,bob@example.org\ncem,cem@example.org\n');
  const before = await decision(app, ann, address);
  await addUser(db, { username: 'bob', email: 'other@example.org' });
  const begun = await post(app, before.action, { judged: before.judged }, ann);
  await app.runJobs();
  const [flash] = String(begun.headers['set-cookie']).split(';');
  const told = await get(app, String(begun.headers.location), { cookie: `${ann.cookie}; ${flash}` });
  expect(told.headers.location).toBe(address);
  expect(told.headers['set-cookie']).toMatch(/^roster_flash_\w+=; Max-Age=0/);
  const page = pageOf(await get(app, address, ann));
  expect(page.notices).toHaveLength(1);
  expect(page.notices.join()).toContain(
    'Not applied: Roster has changed since, and 1 row would do something else. Look again, then apply.',
  );
  expect(page.notices.join()).toContain(
    'Line 2, bob: was new, now changes the email: “other@example.org” becomes “bob@example.org”',
  );
  expect(await usernames(app)).toEqual(['ann', 'bob']);
  const stale = await post(app, before.action, { judged: before.judged }, ann);
  expect(stale.body).toContain('Roster was changed since this was shown to you');
  expect((await apply(app, ann, address)).body).toBe('1 user created, 1 user changed!\n');
});

test('where somebody has had the file read again since, that is said', async () => {
  const { app, ann } = await start();
  const address = await bring(app, ann, 'username,email\nbob,bob@example.org\n');
  const before = await decision(app, ann, address);
  await post(app, address, { match: 'email' }, ann);
  await app.runJobs();
  const stale = await post(app, before.action, { judged: before.judged }, ann);
  expect(stale.body).toContain('the file was read again since this was shown to you');
  expect(await usernames(app)).toEqual(['ann']);
});

test('of what others have changed meanwhile it is said what was there, what is, what becomes of it, and who did', async () => {
  const { app, db, ann } = await start();
  const bea = await addPerson(db, 'bea', 'admin');
  const people = await Promise.all(
    ['cem', 'dan', 'eve'].map((username) => addUser(db, { username, full_name: username, role: 'viewer' })),
  );
  const address = await bring(app, ann, 'username,name\ncem,Cem B\ndan,Dan B\neve,eve\n');
  const before = await decision(app, ann, address);
  const acting = { ...commandLine, via: 'form', user: bea, role: bea.role } as const;
  for (const [index, full_name] of ['Cem C', 'Dan B', null].entries())
    await transact(db, (trx) => changeUser(trx, acting, people[index]?.id ?? 0, { full_name }, app.clock()));
  await post(app, before.action, { judged: before.judged }, ann);
  await app.runJobs();
  const [notice = ''] = pageOf(await get(app, address, ann)).notices;
  expect(notice).toContain(
    'Line 2, cem: the full name was “cem”, is “Cem C” by now (changed by bea), and becomes “Cem B”',
  );
  expect(notice).toContain(
    'Line 3, dan: was to change the full name, now is the same; the full name was “dan”, is “Dan B” by now (changed by bea), as in the file',
  );
  expect(notice).toContain(
    'Line 4, eve: was the same, now changes the full name; the full name was “eve”, is empty by now (changed by bea), and becomes “eve”',
  );
});

test('where a row would put back what somebody has changed since, as of an older list, it says who has', async () => {
  const { app, db, ann } = await start();
  const bea = await addPerson(db, 'bea', 'admin');
  const acting = { ...commandLine, via: 'form', user: bea, role: bea.role } as const;
  const change = (id: number, changes: UserChanges) =>
    transact(db, (trx) => changeUser(trx, acting, id, changes, app.clock()));
  for (const username of ['cem', 'dan']) {
    const { id } = await addUser(db, { username, full_name: 'Former' });
    await change(id, { full_name: 'Between' });
    await change(id, { full_name: 'Latter', email: `${username}@new.example` });
  }
  const old = 'cem,Former,cem@example.org,inactive';
  const address = await bring(app, ann, `username,name,email,status\n${old}\ndan,Latest,,inactive\n`);
  const items = pageOf(await get(app, address, ann)).items.filter((text) => text.includes('Inactive'));
  expect(items).toEqual([
    expect.stringContaining(
      'Back to what it was before bea changed the email, just now. Back to what it was before bea changed the full name, just now.',
    ),
    expect.not.stringContaining('Back to'),
  ]);
});

test('while it is read or applied its page says how far it is, and asks again by itself', async () => {
  const { app, db, ann } = await start();
  const address = await bring(app, ann, 'username,email\nbob,bob@example.org\n');
  const id = Number(address.split('/').at(-1));
  const totals = {
    created: 2,
    changed: 0,
    same: 0,
    refused: 1,
    rows: 3,
    read: 1_200,
    fields: {},
    differences: 0,
  };
  const under = {
    totals: JSON.stringify(totals),
    leased_until: app.clock() + 10_000,
    lease_owner: 'another',
  };
  await transact(db, (trx) => saveImport(trx, id, { ...under, state: 'reading' }));
  const reading = await get(app, address, ann);
  expect(reading.headers.refresh).toBe('2');
  expect(pageOf(reading).text).toMatch(
    /1,200 rows looked at, so far:.* created 2 changed 0 the same 0 refused 1/,
  );
  await transact(db, (trx) => saveImport(trx, id, { ...under, state: 'applying' }));
  const applying = await get(app, address, ann);
  expect(applying.headers.refresh).toBe(`2; url=${address}?until=over`);
  expect(pageOf(applying).text).toContain('0 of 2 rows applied');
  expect(pageOf(applying).buttons).toEqual(['Take it back']);
});

test.each<[string, (stage: Buffer) => Buffer]>([
  ['no rows any more', ({ length }) => Buffer.alloc(length, 'x')],
  ['a byte in each of them', inEachRow],
])('where its rows are damaged, %s, its page says so, and it can be read again', async (_, spoil) => {
  const { app, ann } = await start();
  const address = await bring(app, ann, LIST);
  const stage = filesIn(app).find((name) => name.endsWith('.stage')) ?? '';
  const path = join(app.config.importFolder, stage);
  writeFileSync(path, spoil(readFileSync(path)));
  for (const more of ['/refused', '/refused-rows'])
    expect((await get(app, address + more, ann)).statusCode).toBe(404);
  const page = pageOf(await get(app, address, ann));
  expect(page.text).toContain('Its rows are gone from the disk, or damaged. Have the file read again');
  const form = page.form('Read it again');
  await post(app, form.action, Object.fromEntries(form.fields.map((name) => [name, form.field(name)])), ann);
  await app.runJobs();
  expect(pageOf(await get(app, address, ann)).text).not.toContain('damaged');
});

test('where refused rows cannot be read to their end, what is downloaded of them breaks off and is not taken for all', async () => {
  const { app, ann } = await start();
  const rows = Array.from({ length: 60 }, (_, index) => `u${index},nowhere`);
  const address = await bring(app, ann, ['username,email', 'bob,bob@example.org', ...rows].join('\n'));
  const stage = filesIn(app).find((name) => name.endsWith('.stage')) ?? '';
  const path = join(app.config.importFolder, stage);
  expect((await get(app, `${address}/refused`, ann)).body).toContain('u59');
  writeFileSync(path, readFileSync(path, 'latin1').replaceAll('["u59', "['u59"), 'latin1');
  await expect(get(app, `${address}/refused`, ann)).rejects.toThrow('destroyed');
});

test('one that waits until another has been looked at says so', async () => {
  const { app, db, ann } = await start();
  const [first, second] = [await bring(app, ann, LIST), await bring(app, ann, LIST)];
  const save = (address: string, values: Parameters<typeof saveImport>[2]) =>
    transact(db, (trx) =>
      saveImport(trx, Number(address.split('/').at(-1)), { state: 'reading', ...values }),
    );
  const said = async (address: string) => pageOf(await get(app, address, ann)).text;
  const WAITS = /It waits until another file of yours has been looked at: \d+ rows of that are so far\./;
  await save(second, { totals: null });
  expect(await said(second)).toContain('0 rows looked at');
  await save(first, { lease_owner: 'another', leased_until: app.clock() + 10_000 });
  expect(await said(second)).toMatch(WAITS);
  expect(await said(first)).not.toMatch(WAITS);
});

test.each([
  ['done', 'This import was applied already.'],
  ['applying', 'This import is being applied already.'],
  ['taken back', 'This import was taken back already.'],
  ['discarded', 'This import is over already: nothing of it was applied.'],
] as const)('in another window one hears what became of it: %s', async (state, sentence) => {
  const { app, db, ann } = await start();
  const address = await bring(app, ann, 'username,email\nbob,bob@example.org\n');
  const { action, judged } = await decision(app, ann, address);
  await transact(db, (trx) => saveImport(trx, Number(address.split('/').at(-1)), { state }));
  expect((await post(app, action, { judged }, ann)).body).toBe(`${sentence}\n`);
});

test('an import that is discarded leaves nothing on the disk', async () => {
  const { app, ann } = await start();
  const address = await bring(app, ann, 'username,email\nbob,bob@example.org\n');
  expect(filesIn(app)).not.toEqual([]);
  const { action } = pageOf(await get(app, address, ann)).form('Discard the file');
  expect((await post(app, action, {}, ann)).headers.location).toBe('/import');
  await app.runJobs();
  expect(pageOf(await get(app, address, ann)).text).toContain(
    'This import is over Its file was discarded. Nothing was changed, and its file is gone.',
  );
  expect(filesIn(app)).toEqual([]);
});

test('it is seen by whoever has brought it, and by administrators', async () => {
  const { app, db, ann } = await start();
  const ed = await signedIn(app, await addPerson(db, 'ed', 'editor'));
  const eve = await signedIn(app, await addPerson(db, 'eve', 'editor'));
  const address = await bring(app, ed, 'username,email\nbob,bob@example.org\n');
  const statuses = [];
  for (const who of [ed, eve, ann]) statuses.push((await get(app, address, who)).statusCode);
  expect(statuses).toEqual([200, 404, 200]);
  expect((await get(app, `${address}/refused`, eve)).statusCode).toBe(404);
  expect((await post(app, `${address}/discard`, {}, eve)).statusCode).toBe(404);
  expect(pageOf(await get(app, '/import', ed)).link('users.csv')).toBe(address);
  expect(pageOf(await get(app, '/import', eve)).text).not.toContain('users.csv');
});

test('a file that another machine has is shown without its rows, with where it is', async () => {
  const { app, db, ann } = await start();
  const address = await bring(app, ann, 'username,email\nbob,bob@example.org\n');
  const id = Number(address.split('/').at(-1));
  await transact(db, (trx) => saveImport(trx, id, { folder: 'another', host: 'roster-2' }));
  const page = pageOf(await get(app, address, ann));
  expect(page.notices).toEqual([
    'The rows are with the Roster on roster-2, and are shown there alone. It can be applied from here while that one runs.',
  ]);
  expect(page.text).toContain('created 1');
  expect((await get(app, `${address}/refused`, ann)).statusCode).toBe(404);
});

describe('what is brought', () => {
  test('leads to its page at once where it is small', async () => {
    const { app, ann } = await start();
    const { headers } = await send(app, ann, {
      name: 'users.csv',
      content: 'username,email\nbob,bob@example.org\n',
    });
    expect(pageOf(await get(app, String(headers.location), ann)).heading).toBe('Check the import');
  });

  test('once more by the same form is one import; another file is another one', async () => {
    const { app, ann } = await start();
    const key = newToken();
    const file = { name: 'users.csv', content: 'username,email\nbob,bob@example.org\n' };
    const answers = [await send(app, ann, file, key), await send(app, ann, file, key)];
    answers.push(await send(app, ann, { ...file, content: `${file.content}cem,cem@example.org\n` }, key));
    const [one, same, other] = answers.map(({ headers }) => headers.location);
    expect(same).toBe(one);
    expect(other).not.toBe(one);
    expect(filesIn(app).filter((name) => name.endsWith('.csv'))).toHaveLength(2);
  });

  test.each([
    ['without a file', undefined, 'Choose a file first.'],
    ['of nothing', { name: 'none.csv', content: '' }, 'none.csv is empty.'],
  ])('%s is refused, beside the field', async (_what, file, sentence) => {
    const { app, ann } = await start();
    const answer = await send(app, ann, file);
    expect(answer.statusCode).toBe(422);
    const page = pageOf(answer);
    expect(page.title).toMatch(/^Error: /);
    expect(page.errorOf('file')).toBe(`Error: ${sentence}`);
    expect(page.focused[0]).toContain(sentence);
    expect(filesIn(app)).toEqual([]);
  });

  test('is at most three things at a time, until one of them is over', async () => {
    const { app, ann } = await start();
    const file = { name: 'users.csv', content: 'username,email\nbob,bob@example.org\n' };
    const addresses = [];
    for (let count = 0; count < 3; count++) addresses.push(await bring(app, ann, file.content));
    const refused = await send(app, ann, file);
    expect(refused.statusCode).toBe(422);
    expect(pageOf(refused).errorOf('file')).toBe(
      'Error: Three files wait here already. Apply or discard one.',
    );
    const { action } = pageOf(await get(app, '/import', ann)).forms[1] ?? {};
    expect(action).toBe(`${addresses[2]}/discard`);
    await post(app, String(action), {}, ann);
    expect((await send(app, ann, file)).statusCode).toBe(303);
  });

  test('gives way to the next file where it cannot be read; of another kind, it is not to be read differently', async () => {
    const { app, ann } = await start();
    const addresses = [];
    for (const content of [
      'PK\x03\x04',
      '%PDF-1.7',
      '\x01\x02\x03\x04',
      'username,email\nbob,bob@example.org\n',
    ])
      addresses.push(await bring(app, ann, content));
    const own = pageOf(await get(app, '/import', ann)).links.filter(({ href }) =>
      href.startsWith('/imports/'),
    );
    expect(own.map(({ href }) => href)).toEqual(addresses.slice(-1));
    const given = pageOf(await get(app, String(addresses[0]), ann));
    expect(given.text).toContain(
      'This import is over It could not be read, and another file was brought instead. Nothing was changed, and its file is gone.',
    );
    const workbook = pageOf(await get(app, await bring(app, ann, 'PK\x03\x04'), ann));
    expect(workbook.heading).toBe('This file cannot be imported as it is');
    expect(workbook.buttons).toEqual(['Discard the file']);
  });

  test.each([
    ['by a visitor', 401, async () => ({})],
    [
      'by a viewer',
      403,
      async (app: FastifyInstance) => signedIn(app, await addPerson(app.db, 'vic', 'viewer')),
    ],
    [
      'from another site',
      403,
      async (app: FastifyInstance) => ({
        ...(await signedIn(app, await addPerson(app.db, 'ed', 'editor'))),
        'sec-fetch-site': 'cross-site',
      }),
    ],
  ])('%s is refused (%i) before a byte is kept', async (_who, status, headersOf) => {
    const { app } = await start();
    const answer = await send(app, await headersOf(app), { name: 'users.csv', content: 'username\nbob\n' });
    expect(answer.statusCode).toBe(status);
    expect(existsSync(app.config.importFolder)).toBe(false);
  });

  test('is taken nowhere else', async () => {
    const { app, ann } = await start();
    const { body, headers } = multipart({ key: newToken() }, { name: 'a.csv', content: 'a' });
    for (const url of ['/users', '/imports/1', '/bulk']) {
      const answer = await app.inject({
        method: 'POST',
        url,
        headers: { host: 'localhost', ...ann, ...headers },
        payload: body,
      });
      expect(answer.statusCode, url).toBe(415);
    }
  });

  test('whose disk takes no file is told so, and that nothing was changed', async () => {
    const { app, ann } = await start();
    const file = { name: 'users.csv', content: 'username\nbob\n' };
    const refused = await withoutFiles('EIO', () => send(app, ann, file));
    expect(refused.statusCode).toBe(503);
    expect(pageOf(refused).text).toContain(
      'A file that Roster needs for this cannot be used: its disk reports an error. Nothing was changed.',
    );
    expect(filesIn(app)).toEqual([]);
  });
});

test('the template can be imported as it is, and hurts nobody', async () => {
  const { app, ann } = await start();
  const template = await get(app, '/import/template', ann);
  expect(template.headers['content-disposition']).toBe('attachment; filename="users.csv"');
  const address = await bring(app, ann, template.body);
  expect(pageOf(await get(app, address, ann)).text).toContain('refused 0');
});

describe('sent twice at once and once more', () => {
  const thrice = async (send: () => ReturnType<typeof post>) => {
    const answers = [...(await Promise.all([send(), send()])), await send()];
    return new Set(
      answers.map(({ statusCode, headers, body }) => `${statusCode} ${headers.location} ${body}`),
    );
  };

  test('what is applied is one change, and all hear that it has begun', async () => {
    const { app, db, ann } = await start();
    const address = await bring(app, ann, 'username,email\nbob,bob@example.org\n');
    const { action, judged } = await decision(app, ann, address);
    const key = newToken();
    const told = await thrice(() => post(app, action, { judged, key }, ann));
    expect([...told]).toEqual([`303 ${address}?until=over The import has begun, and goes on by itself.\n`]);
    await app.runJobs();
    const imported = db.selectFrom('change_sets').select('users').where('kind', '=', KINDS.imported);
    expect(await imported.execute()).toEqual([{ users: 1 }]);
  });

  test('what is discarded or read differently is so once, with one answer', async () => {
    const { app, ann } = await start();
    const address = await bring(app, ann, 'username,email\nbob,bob@example.org\n');
    const key = newToken();
    const choices = { encoding: 'utf-8', delimiter: ',', match: 'email', empty: 'leave', key };
    expect([...(await thrice(() => post(app, address, choices, ann)))]).toEqual([`303 ${address} `]);
    const discarded = await thrice(() => post(app, `${address}/discard`, { key }, ann));
    expect([...discarded]).toEqual(['303 /import The file is discarded. Nothing was changed.\n']);
  });
});
