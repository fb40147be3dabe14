/** `npm run roster -- import` and `export`: what they say, what is in Roster afterwards, and with which code they end. */
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, inject, test } from 'vitest';
import { makeDraftFolder } from '../../src/backup/draft-folder.ts';
import { seedUsers } from '../../src/cli/seed.ts';
import { importFolderOf } from '../../src/database-url.ts';
import { nameOf } from '../../src/db/database.ts';
import type { Db } from '../../src/db/schema.ts';
import { transact } from '../../src/db/transact.ts';
import { KINDS } from '../../src/history/kinds.ts';
import { runCommand } from '../command.ts';
import { pageOf } from '../page.ts';
import { addPerson, signedIn } from '../people.ts';
import { run, runToEnd, startRoster } from '../roster.ts';
import {
  addUser,
  fillAsCommand,
  get,
  post,
  readyUrl,
  startApp,
  temporaryDatabase,
  temporaryFolder,
} from '../support.ts';

/** A directory with bob, and a folder for files. */
async function start() {
  const url = await readyUrl();
  const db = await temporaryDatabase(url);
  await addUser(db, { username: 'bob', full_name: 'Bob' });
  const folder = temporaryFolder();
  const settings = { DATABASE_URL: url, IMPORT_FOLDER: folder };
  const imports = importFolderOf(url, '', folder);
  const write = (text: string, name = 'users.csv') => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  const roster = async (...args: string[]) => {
    const { code, out, error } = await runCommand(args, settings);
    return { code, said: (out + error).replace(`Database: ${nameOf(url)}\n`, '') };
  };
  return { url, db, folder, imports, settings, write, roster };
}

const usernames = async (db: Db) =>
  (await db.selectFrom('users').select('username').orderBy('username').execute()).map(
    ({ username }) => username,
  );
const SOON = { interval: 10 };
const LIST = 'Login;E-Mail;Name;Shoes\nbob;;Robert;44\ncem;cem@example.org;Cem;\n';

test('a file is applied, as one change that can be undone, and nothing of it is left', async () => {
  const { imports, db, write, roster } = await start();
  const { code, said } = await roster('import', write(LIST), '--yes');
  expect(said).toBe(
    [
      'users.csv: 2 rows, UTF-8, cells apart by semicolon, lines end with LF, matched by username',
      '  Login → Username',
      '  E-Mail → Email',
      '  Name → Full name',
      '  Shoes → left out',
      '  An empty cell leaves it. What Roster has there stays.',
      '1 created, 1 changed (full name of 1), 0 the same, 0 refused',
      '1 created, 1 changed. Undo is in the history: /history/2',
      '',
    ].join('\n'),
  );
  expect(code).toBe(0);
  expect(await usernames(db)).toEqual(['bob', 'cem']);
  expect(readdirSync(imports).filter((name) => name.endsWith('.csv'))).toEqual([]);
  const app = await startApp({}, db);
  const ann = await signedIn(app, await addPerson(db, 'ann', 'admin'));
  const page = pageOf(await get(app, '/history/2', ann));
  expect(page.heading).toBe('Imported 2 users from a file: 1 created, 1 changed');
  await post(app, page.form('Undo').action, {}, ann);
  expect(await usernames(db)).toEqual(['ann', 'bob']);
});

test('full names that have the last name first are turned round where an option says so', async () => {
  const { db, write, roster } = await start();
  const path = write('username;Name\nbob;Braun, Bob\n');
  const { said } = await roster('import', path, '--dry-run');
  expect(said).toContain(
    '  Full names such as “Braun, Bob” seem to have the last name first. They are turned round with --names reversed.\n',
  );
  const turned = await roster('import', path, '--yes', '--names', 'reversed');
  expect(turned.said).toContain('  Name → Full name, turned round\n');
  expect(await db.selectFrom('users').select('full_name').execute()).toEqual([{ full_name: 'Bob Braun' }]);
  const { code, said: refusal } = await roster('import', path, '--names', 'backwards');
  expect(code).toBe(2);
  expect(refusal).toContain('--names cannot be backwards, but reversed.');
});

test('it is told that a title above the names of the columns is left out', async () => {
  const { write, roster } = await start();
  const file = '"Staff list, as of today";\nLogin;E-Mail\ncem;cem@example.org\n';
  const { said } = await roster('import', write(file), '--yes');
  expect(said).toContain('  Line 1, above the names of the columns, is left out.\n  Login → Username\n');
  expect(said).toContain('1 created, 0 changed, 0 the same, 0 refused\n');
});

test('usernames are made from the emails where that is wanted', async () => {
  const { db, write, roster } = await start();
  const path = write('Name,E-mail\nCem,cem@example.org\n');
  const { code, said } = await roster('import', path, '--yes');
  expect(said).toMatch(/or have usernames made of the emails\.\n/);
  expect(code).toBe(2);
  await roster('import', path, '--yes', '--make-usernames');
  expect(await usernames(db)).toEqual(['bob', 'cem']);
});

test('the same file again is 0 changes', async () => {
  const { write, roster } = await start();
  const path = write('username,email\ncem,cem@example.org\n');
  await roster('import', path, '--yes');
  const { code, said } = await roster('import', path, '--yes');
  expect(said).toMatch(/0 created, 0 changed, 1 the same, 0 refused\n0 changes\.\n$/);
  expect(code).toBe(0);
});

test('rows that are refused are in a file beside, the others are applied, and it ends with 1', async () => {
  const { db, folder, write, roster } = await start();
  const path = write('username,email\ncem,cem@example.org\nd d,dora\n');
  const { code, said } = await roster('import', path, '--yes');
  expect(code).toBe(1);
  expect(said).toContain(
    '  Line 3: Use only letters, digits, and the signs . _ - + in the username. Enter an email address like name@example.org.\n',
  );
  expect(await usernames(db)).toEqual(['bob', 'cem']);
  expect(readFileSync(join(folder, 'users.refused.csv'), 'utf8')).toBe(
    '\uFEFFLine,Why,username,email\r\n3,"Use only letters, digits, and the signs . _ - + in the username. Enter an email address like name@example.org.",d d,dora\r\n',
  );
  // Somebody may be at work on that one.
  await roster('import', path, '--yes');
  expect(existsSync(join(folder, 'users.refused-2.csv'))).toBe(true);
});

test('where the refused rows cannot be written beside, it says so, and goes on as it would have', async () => {
  const { db, folder, write, roster } = await start();
  // With the ending it has beside, it is longer than a name can be on any disk.
  const path = write('username,email\ncem,cem@example.org\nd d,d@example.org\n', `${'x'.repeat(245)}.csv`);
  for (const [option, code, end] of [
    ['--dry-run', 1, 'Nothing is changed.\n'],
    ['--yes', 1, /1 created, 0 changed\. Undo is in the history: .*\n/],
  ] as const) {
    const result = await roster('import', path, option);
    expect(result.said).toMatch(
      /The refused rows are in no file: .*xxx\.refused\.csv cannot be written \(ENAMETOOLONG\)\.\n/,
    );
    expect(result.said).toMatch(end);
    expect(result.code).toBe(code);
  }
  expect(await usernames(db)).toEqual(['bob', 'cem']);
  expect(readdirSync(folder).filter((name) => name.includes('refused'))).toEqual([]);
});

const UNREADABLE = '/proc/sys/vm/compact_memory';
test.runIf(existsSync(UNREADABLE))('a file that nobody may read is said to be one', async () => {
  const { imports, roster } = await start();
  const { code, said } = await roster('import', UNREADABLE, '--dry-run');
  expect(said).toBe(`${UNREADABLE} cannot be copied into ${imports} (EACCES).\n`);
  expect(code).toBe(2);
  expect(readdirSync(imports)).toEqual(['identity']);
});

test.each([
  [
    'nobody is there to be asked',
    [],
    2,
    'Nobody is there to be asked: with --yes it is applied.\nNothing is changed.\n',
  ],
  ['it is a dry run', ['--dry-run', '--yes'], 0, 'Nothing is changed.\n'],
])('where %s nothing is changed', async (_why, options, code, end) => {
  const { imports, db, write, roster } = await start();
  const result = await roster('import', write(LIST), ...options);
  expect(result.said).toContain('1 created, 1 changed (full name of 1)');
  expect(result.said.endsWith(end)).toBe(true);
  expect(result.code).toBe(code);
  expect(await usernames(db)).toEqual(['bob']);
  expect(readdirSync(imports)).toEqual(['identity']);
});

test.each([
  ['every row', 'c c,cem@example.org\n', 2],
  ['a row beside one that is the same', 'c c,cem@example.org\nbob,bob@example.org\n', 1],
  ['a row beside one that would be applied', 'c c,cem@example.org\ncem,c@example.org\n', 1],
])(
  'where %s is refused it ends with what that comes to, also where it is a dry run',
  async (_what, rows, code) => {
    const { write, roster } = await start();
    const path = write(`username,email\n${rows}`);
    expect((await roster('import', path, '--dry-run')).code).toBe(code);
    expect((await roster('import', path, '--yes')).code).toBe(code);
  },
);

test('who is who is said by an option', async () => {
  const { db, write, roster } = await start();
  const path = write('username,email\nrob,bob@example.org\n');
  expect((await roster('import', path, '--yes')).code).toBe(2);
  expect((await roster('import', path, '--yes', '--match', 'email')).code).toBe(0);
  expect(await usernames(db)).toEqual(['rob']);
});

test('what an empty cell does is said by an option, and in the preview', async () => {
  const { db, write, roster } = await start();
  const path = write('username,name\nbob,\n');
  expect((await roster('import', path, '--yes')).said).toContain('0 changes.');
  const { said } = await roster('import', path, '--yes', '--empty', 'clear');
  expect(said).toContain(
    '  An empty cell clears it. Takes out a full name. Other fields cannot be empty, and stay.\n',
  );
  expect(said).toContain('0 created, 1 changed (full name of 1)');
  expect(await db.selectFrom('users').select('full_name').execute()).toEqual([{ full_name: null }]);
});

test('how a file is to be read is said by options, where it is not what is recognised', async () => {
  const { db, folder, roster } = await start();
  const path = join(folder, 'users.csv');
  writeFileSync(
    path,
    Buffer.from('username;email;name\ncem;cem@example.org;\xb3ukasz, of the north\n', 'latin1'),
  );
  const { said } = await roster(
    'import',
    path,
    '--yes',
    '--encoding',
    'windows-1250',
    '--delimiter',
    'semicolon',
  );
  expect(said).toContain('Windows, Central European (1250), cells apart by semicolon');
  const names = db.selectFrom('users').select('full_name').where('username', '=', 'cem');
  expect(await names.execute()).toEqual([{ full_name: 'łukasz, of the north' }]);
});

test.each([
  ['--empty', 'delete', '--empty cannot be delete, but leave, clear.'],
  ['--delimiter', 'pipe', '--delimiter cannot be pipe, but comma, semicolon, tab.'],
  ['--encoding', 'klingon', /^--encoding cannot be klingon, but utf-8, utf-16le,/],
])('%s %s is refused with what it can be', async (option, value, sentence) => {
  const { write, roster } = await start();
  const { code, said } = await roster('import', write(LIST), option, value);
  expect(said).toMatch(sentence);
  expect(code).toBe(2);
});

test.each([
  ['no file', ['import'], 'Say which file: npm run roster -- import users.csv'],
  ['a file that is not there', ['import', '/nowhere/users.csv'], 'There is no file /nowhere/users.csv.'],
  ['a folder', ['import', '/dev'], '/dev is no file with rows: give the path of a CSV file.'],
  ['a device', ['import', '/dev/null'], '/dev/null is no file with rows: give the path of a CSV file.'],
  [
    'another match',
    ['import', 'users.csv', '--match', 'name'],
    '--match cannot be name, but username, email, id.',
  ],
  [
    'another option',
    ['import', 'users.csv', '--all'],
    'There is no option --all here. See npm start -- --help.\n',
  ],
  ['a match without a word', ['import', 'users.csv', '--match', '--yes'], 'Say what --match is to be'],
  ['a value for what takes none', ['import', 'users.csv', '--yes=no'], 'The option --yes takes no value.'],
])('%s is nothing done', async (_what, args, sentence) => {
  const { roster } = await start();
  const { code, said } = await roster(...args);
  expect(said).toContain(sentence);
  expect(code).toBe(2);
});

test('what cannot be read says why, and is nothing done', async () => {
  const { imports, write, roster } = await start();
  const { code, said } = await roster('import', write('PK\x03\x04', 'users.xlsx'), '--yes');
  expect(said).toBe('This is an Excel workbook: save it as CSV (File > Save As > CSV UTF-8).\n');
  expect(code).toBe(2);
  expect(readdirSync(imports)).toEqual(['identity']);
});

test('one that is killed while it is applied is gone on with by the next Roster, to its end', async () => {
  const { db, settings, write } = await start();
  const rows = Array.from({ length: 20_000 }, (_, index) => `u${index},u${index}@example.org\n`);
  const child = run(['import', write(`username,email\n${rows.join('')}`), '--yes'], settings);
  const users = async () => {
    const imported = db.selectFrom('change_sets').select('users').where('kind', '=', KINDS.imported);
    return (await imported.executeTakeFirst())?.users ?? 0;
  };
  await expect.poll(users, SOON).toBeGreaterThan(0);
  child.kill('SIGKILL');
  await once(child, 'close');
  expect(await users()).toBeLessThan(20_000);
  await transact(db, (trx) => trx.updateTable('jobs').set({ leased_until: 0 }).execute());
  await startRoster(settings);
  await expect.poll(users, { timeout: 120_000 }).toBe(20_000);
  expect(await db.selectFrom('imports').select('state').execute()).toEqual([{ state: 'done' }]);
});

test('interrupted while it is applied it says so, and ends with 1, for something is done', async () => {
  const { db, settings, write } = await start();
  const rows = Array.from({ length: 40_000 }, (_, index) => `u${index},u${index}@example.org\n`);
  const child = run(['import', write(`username,email\n${rows.join('')}`), '--yes'], settings);
  const error = text(child.stderr);
  const users = async () => {
    const imported = db.selectFrom('change_sets').select('users').where('kind', '=', KINDS.imported);
    return (await imported.executeTakeFirst())?.users ?? 0;
  };
  await expect.poll(users, SOON).toBeGreaterThan(0);
  child.kill('SIGINT');
  const [code] = await once(child, 'exit');
  expect(await error).toContain('It is not all applied yet: the next Roster goes on with it');
  expect(code).toBe(1);
  expect(await users()).toBeLessThan(40_000);
});

test.each([
  ['users.csv', '\uFEFFusername,email,full_name,status,role\r\nbob,bob@example.org,Bob,active,member\r\n'],
  ['users.jsonl', /^\{"id":1,"username":"bob".*\}\n$/],
  ['users.vcf', /^BEGIN:VCARD[\s\S]*FN:Bob\r\n[\s\S]*END:VCARD\r\n$/],
])('everyone is exported to %s, in the place of what was there', async (name, content) => {
  const { db, folder, write, roster } = await start();
  const path = write('old', name);
  const { code, said } = await roster('export', path, '--force');
  expect(said).toBe(`1 users exported to ${path}\n`.replace('1 users', '1 user'));
  expect(code).toBe(0);
  const text = readFileSync(path, 'utf8');
  if (typeof content === 'string') expect(text).toBe(content);
  else expect(text).toMatch(content);
  expect(readdirSync(folder)).toEqual([name]);
  const exported = db.selectFrom('change_sets').select('users').where('kind', '=', KINDS.exported);
  expect(await exported.execute()).toEqual([{ users: 1 }]);
});

test('what an export that was killed has left is gone with the next, and of one that is under way nothing', async () => {
  const { folder, roster } = await start();
  const path = join(folder, 'users.csv');
  const draftOf = (pid: number) => {
    const own = makeDraftFolder(path);
    const draft = own.replace(/\d+$/, `${pid}`);
    renameSync(own, draft);
    writeFileSync(join(draft, 'users.csv'), 'bob,bob@example.org');
    return basename(draft);
  };
  // Of a process that nobody can be, and of one that is there.
  const [killed, underWay] = [draftOf(99_999_999), draftOf(process.ppid)];
  expect(readdirSync(folder).sort()).toEqual([killed, underWay].sort());
  await roster('export', path);
  expect(readdirSync(folder)).toEqual(['users.csv', underWay]);
});

test('an export that is killed leaves a folder that tells whose it is, for its owner alone', async () => {
  const { url, folder, settings } = await start();
  await fillAsCommand(url, (db) => seedUsers(db, 20_000));
  const child = run(['export', join(folder, 'users.csv')], settings);
  const drafts = () => readdirSync(folder).filter((name) => name.startsWith('users.csv'));
  await expect.poll(drafts, { interval: 1 }).toHaveLength(1);
  child.kill('SIGKILL');
  await once(child, 'exit');
  const [left = ''] = drafts();
  expect(left).toMatch(new RegExp(`^users\\.csv\\.new-[\\w-]{8}-${child.pid}$`));
  expect(statSync(join(folder, left)).mode & 0o777).toBe(0o700);
});

test('some are exported, by what stands in the address of a list', async () => {
  const { db, folder, roster } = await start();
  await addUser(db, { username: 'cem', is_active: false });
  const path = join(folder, 'some.csv');
  await roster('export', path, '--filter', 'status=inactive');
  expect(readFileSync(path, 'utf8').match(/^\w+(?=,\w+@)/gm)).toEqual(['cem']);
});

test.each([
  ['status=foo', 'The filter says “status=foo”: it can be active or inactive. Nothing is exported.'],
  ['status=', 'The filter says “status=”: it can be active or inactive. Nothing is exported.'],
  [
    'role=owner',
    'The filter says “role=owner”: it can be member, viewer, editor, admin. Nothing is exported.',
  ],
  [
    'stauts=inactive',
    'The filter cannot be by “stauts”, but by q, status, role, created_after, created_before, signed_in, absent_from. Nothing is exported.',
  ],
  ['status=active&status=inactive', 'The filter says “status” twice. Nothing is exported.'],
  ['sort=size', /^The filter says “sort=size”: it can be /],
  ['', 'The filter is empty: say who, as in "status=active", or leave it out for everyone.'],
])('the filter “%s” is refused, for otherwise everyone would be exported', async (filter, sentence) => {
  const { db, folder, roster } = await start();
  const { code, said } = await roster('export', join(folder, 'some.csv'), '--filter', filter);
  expect(said.trim()).toMatch(sentence);
  expect(code).toBe(2);
  expect(readdirSync(folder)).toEqual([]);
  expect(
    await db.selectFrom('change_sets').select('id').where('kind', '=', KINDS.exported).execute(),
  ).toEqual([]);
});

test.each(['role=administrator', 'role=administrator&sort=-username&page=2', 'role=admin'])(
  'administrators are exported by “%s”',
  async (filter) => {
    const { db, folder, roster } = await start();
    await addUser(db, { username: 'ann', role: 'admin' });
    const path = join(folder, 'some.csv');
    await roster('export', path, '--filter', filter);
    expect(readFileSync(path, 'utf8').match(/^\w+(?=,\w+@)/gm)).toEqual(['ann']);
  },
);

test('an export has its folder, and replaces no file that nobody wants replaced', async () => {
  const { db, folder, write, roster } = await start();
  const nowhere = await roster('export', join(folder, 'none', 'users.csv'));
  expect(nowhere.said).toBe(`There is no folder ${join(folder, 'none')}: make it, or write elsewhere.\n`);
  const path = write('old');
  const there = await roster('export', path);
  expect(there.said).toBe(`There is a file ${path} already: give another name, or --force to replace it.\n`);
  expect([nowhere.code, there.code]).toEqual([2, 2]);
  expect(readFileSync(path, 'utf8')).toBe('old');
  expect(
    await db.selectFrom('change_sets').select('id').where('kind', '=', KINDS.exported).execute(),
  ).toEqual([]);
});

test('an export that cannot be written says so, and is not in the history', async () => {
  const { db, folder, roster } = await start();
  // Longer than a name can be on any disk.
  const { code, said } = await roster('export', join(folder, `${'x'.repeat(250)}.csv`));
  expect(said).toMatch(/xxx\.csv cannot be written \(ENAMETOOLONG\)\.\n$/);
  expect(code).toBe(2);
  expect(
    await db.selectFrom('change_sets').select('id').where('kind', '=', KINDS.exported).execute(),
  ).toEqual([]);
});

test('of very many refused rows the first are said, and how many more there are', async () => {
  const { write, roster } = await start();
  const rows = Array.from({ length: 14 }, (_, index) => `u${index},nowhere\n`);
  const path = write(`username,email\ncem,cem@example.org\n${rows.join('')}`);
  const { said } = await roster('import', path, '--yes');
  expect(said.match(/^ {2}Line /gm)).toHaveLength(5);
  expect(said).toContain('\n  and 9 more\nThe refused rows');
});

test('an export to no format is refused, and what was exported can be imported', async () => {
  const { folder, roster } = await start();
  const refused = await roster('export', join(folder, 'users.xlsx'));
  expect(refused.said).toContain('Say where to: npm run roster -- export users.csv');
  expect(refused.code).toBe(2);
  const path = join(folder, 'users.csv');
  await roster('export', path);
  expect((await roster('import', path, '--yes')).said).toContain('0 changes.');
});

test.runIf(inject('engine') === 'sqlite')('in a process of its own it ends with its code', async () => {
  const { settings, write } = await start();
  const { code, out } = await runToEnd(
    ['import', write('username,email\nc c,cem@example.org\ncem,cem@example.org\n'), '--yes'],
    settings,
  );
  expect(out).toContain('2 refused');
  expect(code).toBe(2);
});
