/** Which database it is: said before it is changed, and made where that is meant alone. */

import {
  existsSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, expect, inject, test } from 'vitest';
import { loadKey } from '../../src/auth/secret-key.ts';
import { filePathOf } from '../../src/database-url.ts';
import { nameOf } from '../../src/db/database.ts';
import { appendToLedger, ledgerOf, reachIn, readLedger } from '../../src/erasure/ledger.ts';
import { readIdentity } from '../../src/erasure/queries.ts';
import { runCommand } from '../command.ts';
import { isDatabaseAt } from '../engines.ts';
import { installRoster } from '../installation.ts';
import { addPerson, PASSWORD } from '../people.ts';
import { run, runToEnd } from '../roster.ts';
import { addUser, readyUrl, temporaryDatabase, temporaryFolder, temporaryUrl } from '../support.ts';

/** Runs a command to its end, with a password on standard input. */
function roster(args: readonly string[], settings: Record<string, string>) {
  return runCommand(args, { PORT: '0', ...settings }, `${PASSWORD}\n`);
}

/** The same by another installation, from some folder: in this project's own there may be a database. */
function installed(
  args: readonly string[],
  settings: Record<string, string>,
  main: string,
  folder = temporaryFolder(),
) {
  return runToEnd(args, { PORT: '0', ...settings }, `${PASSWORD}\n`, main, folder);
}

/** Starts to serve, and is stopped: what it said on standard output. */
async function served(settings: Record<string, string>, main?: string): Promise<string> {
  const child = run([], { PORT: '0', ...settings }, '', main, temporaryFolder());
  let out = '';
  for await (const chunk of child.stdout) {
    // Once: a second signal would end it at once.
    if (out === '') child.kill('SIGTERM');
    out += chunk;
  }
  return out;
}

const ADMIN = ['admin', 'ann', '--email', 'ann@example.org'];
/** With the path of a folder in the place of its name. */
const inFolder = (args: readonly string[]) =>
  args.map((arg) => arg.replace('FOLDER', () => temporaryFolder()));
const FOR_OTHERS = { ORIGIN: 'https://users.example.org', TRUST_PROXY: '127.0.0.1' };

/** The address of no database yet: of a file in a folder that is not there either, or of a schema without tables. */
async function nowhere() {
  const url =
    inject('engine') === 'sqlite'
      ? `sqlite:${join(temporaryFolder(), 'data', 'roster.db')}`
      : await temporaryUrl();
  return { url, name: nameOf(url) };
}

describe('where there is no database', () => {
  test.each([
    [ADMIN, {}, 1],
    [['rebuild-search'], {}, 1],
    [['change-key'], {}, 1],
    [['give-up-key', '0123456789abcdef'], {}, 1],
    [['purge'], {}, 1],
    [['import', import.meta.filename], {}, 2],
    [['export', 'FOLDER/users.csv'], {}, 2],
    [[], { REQUIRE_DATABASE: '1' }, 1],
    [[], FOR_OTHERS, 1],
  ])('%o with %o says so and where, and makes none', async (args, settings, endsWith) => {
    const { url, name } = await nowhere();
    const { out, error, code } = await roster(inFolder(args), { DATABASE_URL: url, ...settings });
    expect({ out, code }).toEqual({ out: '', code: endsWith });
    expect(error).toBe(
      `There is no database of Roster's at ${name}. Give DATABASE_URL the one that is meant, and see that its disk is there; to make a new one: npm run roster -- admin alice --email alice@example.com --new-database\n`,
    );
    expect(await isDatabaseAt(url)).toBe(false);
    const path = filePathOf(url);
    if (path) expect(readdirSync(dirname(dirname(path)))).toEqual([]);
  });

  test.each([[['check']], [['backup', 'FOLDER']]])(
    '%o, which only reads, says where there is none, and makes none',
    async (args) => {
      const { url, name } = await nowhere();
      const { out, error, code } = await roster(inFolder(args), { DATABASE_URL: url });
      expect({ out, code }).toEqual({ out: '', code: args[0] === 'check' ? 2 : 1 });
      expect(error).toContain(name);
      expect(await isDatabaseAt(url)).toBe(false);
      const path = filePathOf(url);
      if (path) expect(readdirSync(dirname(dirname(path)))).toEqual([]);
    },
  );

  test('admin makes one where it is told to, also where others ask for one that is there', async () => {
    const { url, name } = await nowhere();
    const settings = { DATABASE_URL: url, REQUIRE_DATABASE: '1' };
    const { out, code } = await roster([...ADMIN, '--new-database'], settings);
    expect(out).toMatch(/^Database: (.*), which is new\nann is an administrator, /);
    expect(out).toContain(`Database: ${name}, which is new\n`);
    expect(code).toBe(0);
    expect(await served({ ...settings, ...FOR_OTHERS })).toMatch(/^Roster is at .*\n$/);
  });

  test('seed says so and where, and makes none', async () => {
    const { url, name } = await nowhere();
    const { out, error, code } = await roster(['seed', '5'], { DATABASE_URL: url });
    expect({ out, code }).toEqual({ out: '', code: 1 });
    expect(error).toContain(`There is no database of Roster's at ${name}. `);
    expect(error).toMatch(/; to make a new one: npm run seed -- 5 --new-database\n$/);
    expect(await isDatabaseAt(url)).toBe(false);
  });

  test('seed makes one where it is told to, and says so first', async () => {
    const { url, name } = await nowhere();
    // Whose folder is not there before the first start.
    const settings = { DATABASE_URL: url, SECRET_KEY_FILE: join(temporaryFolder(), 'data', 'secret.key') };
    const { out, error, code } = await roster(['seed', '5', '--new-database'], settings);
    expect(out).toMatch(/^Database: .*, which is new\n5 of 5 users added/);
    expect(out).toContain(`Database: ${name}, which is new\n`);
    expect({ error, code }).toEqual({ error: '', code: 0 });
    const ledger = ledgerOf(url, settings.SECRET_KEY_FILE);
    expect(reachIn(readLedger(ledger)).users).toBeGreaterThanOrEqual(5);
  });

  // Beside a file of SQLite's there is a folder.
  test.runIf(inject('engine') === 'postgres')(
    'seed goes on where numbers cannot be noted, and warns of it',
    async () => {
      const { url } = await nowhere();
      const file = join(temporaryFolder(), 'file');
      writeFileSync(file, '');
      const settings = { DATABASE_URL: url, SECRET_KEY_FILE: join(file, 'secret.key') };
      const { error, code } = await roster(['seed', '5', '--new-database'], settings);
      expect(error).toMatch(/^Warning: .*, in which Roster notes who is erased, cannot be written: ENOTDIR/);
      expect(code).toBe(0);
    },
  );

  test('Roster makes one, and says so with where it is; the second start does not', async () => {
    const { url, name } = await nowhere();
    const first = await served({ DATABASE_URL: url });
    expect(first).toContain(`\nThere was no database, so Roster has made a new one: ${name}\n`);
    const second = await served({ DATABASE_URL: url, REQUIRE_DATABASE: '1' });
    expect(second).toMatch(/^Roster is at .*\nNo administrator yet: .*\n$/);
  });

  test('Roster says so also where it then does not start: the next start finds one', async () => {
    const { url, name } = await nowhere();
    const { error } = await roster([], {
      DATABASE_URL: url,
      SECRET_KEY_FILE: join(import.meta.filename, 'key'),
    });
    expect(error).toMatch(/^There was no database, .*\n.*key cannot be read: ENOTDIR/);
    expect(error).toContain(` ${name}\n`);
  });

  test('a copy that cannot be made for want of its source’s key makes no target', async () => {
    const from = await readyUrl('sqlite');
    await loadKey(await temporaryDatabase(from), join(temporaryFolder(), 'secret.key'));
    const { url } = await nowhere();
    const { error } = await roster(['copy', '--from', from, '--to-env', 'TO'], { TO: url });
    expect(error).toMatch(/^Secrets in the database are sealed with the key /);
    expect(await isDatabaseAt(url)).toBe(false);
  });

  test('a copy makes its target, and says so before', async () => {
    const from = await readyUrl('sqlite');
    await temporaryDatabase(from);
    const { url, name } = await nowhere();
    const key = join(temporaryFolder(), 'secret.key');
    const { out } = await roster(['copy', '--from', from, '--to-env', 'TO'], {
      TO: url,
      SECRET_KEY_FILE: key,
    });
    expect(out).toContain(`From: ${nameOf(from)}\nTo: ${name}, which is new\nIts key: ${key}\n`);
    expect(out).toMatch(/All 0 users have arrived as they were\.\nAfterwards move .*\n$/);
  });
});

describe('a database that is there', () => {
  test.each([
    [ADMIN],
    [['seed', '5']],
    [['rebuild-search']],
    [['change-key']],
    [['give-up-key', '0123456789abcdef']],
    [['purge']],
    [['import', import.meta.filename]],
    [['export', 'FOLDER/users.csv']],
    [['check', '--quick']],
    [['backup', 'FOLDER']],
  ])('is named by %o before anything is done with it', async (args) => {
    const { url, name } = await nowhere();
    await temporaryDatabase(url);
    const { out } = await roster(inFolder(args), { DATABASE_URL: url });
    expect(out.split('\n')[0]).toBe(`Database: ${name}`);
  });

  test('has no key made in passing', async () => {
    const { url } = await nowhere();
    await temporaryDatabase(url);
    const key = join(temporaryFolder(), 'secret.key');
    for (const args of [ADMIN, ['change-key'], ['give-up-key', '0123456789abcdef'], ['rebuild-search']])
      await roster(args, { DATABASE_URL: url, SECRET_KEY_FILE: key });
    expect(existsSync(key)).toBe(false);
    const { error } = await roster(['change-key'], { DATABASE_URL: url, SECRET_KEY_FILE: key });
    expect(error).toBe('The database has no key yet, which the first start of Roster with it makes.\n');
  });
});

test('without DATABASE_URL it is the project’s own, whatever folder one stands in', async () => {
  const project = installRoster();
  const out = await served({}, join(project, 'src', 'main.js'));
  expect(out).toContain(`a new one: ${join(project, 'data', 'roster.db')}\n`);
  expect(readdirSync(join(project, 'data'))).toEqual(['roster.db']);
});

describe('the project’s own', () => {
  test('is made by the first seed, which says where, and by none that comes after something was kept there', async () => {
    const project = installRoster();
    const path = join(project, 'data', 'roster.db');
    const seed = (settings = {}) => installed(['seed', '5'], settings, join(project, 'src', 'main.js'));
    expect((await seed({ REQUIRE_DATABASE: '1' })).error).toContain(path);
    expect((await seed()).out).toMatch(new RegExp(`^Database: ${path}, which is new\n5 of 5 users added`));
    writeFileSync(join(project, 'data', 'secret.key'), '');
    for (const file of readdirSync(join(project, 'data')))
      if (/^roster/.test(file)) rmSync(join(project, 'data', file));
    expect((await seed()).error).toContain(`There is no database of Roster's at ${path}. `);
    expect(readdirSync(join(project, 'data'))).toEqual(['secret.key']);
  });

  test('is not taken silently where the folder one stands in has another one, as was the default once', async () => {
    const project = installRoster();
    const main = join(project, 'src', 'main.js');
    const folder = realpathSync(temporaryFolder());
    const here = join(folder, 'data', 'roster.db');
    await temporaryDatabase(`sqlite:${here}`);
    const own = join(project, 'data', 'roster.db');
    for (const args of [[], ['seed', '5'], ADMIN]) {
      const { error, code } = await installed(args, {}, main, folder);
      expect([error, code]).toEqual([
        `There is a database at ${here}, but without DATABASE_URL Roster takes ${own}: set DATABASE_URL to the one that is meant, sqlite:${here} or sqlite:${own}.\n`,
        1,
      ]);
    }
    expect(existsSync(own)).toBe(false);
    expect((await installed(['seed', '5'], { DATABASE_URL: `sqlite:${here}` }, main, folder)).code).toBe(0);
    // By another way to the same file.
    symlinkSync(join(folder, 'data'), join(project, 'data'));
    expect((await installed(['seed', '5'], {}, main, folder)).code).toBe(0);
  });
});

test.runIf(inject('engine') === 'sqlite')('a file that cannot be seen is no new one', async () => {
  const path = join(temporaryFolder(), 'roster.db');
  symlinkSync(path, path);
  for (const args of [ADMIN, []]) {
    const { error, code } = await roster(args, { DATABASE_URL: `sqlite:${path}` });
    expect(error).toMatch(new RegExp(`^${path} cannot be looked for: ELOOP.*\n$`));
    expect(code).toBe(1);
  }
});

test('a path from the folder one stands in is shown whole', async () => {
  const folder = temporaryFolder();
  const path = join(folder, 'no', 'r.db');
  const { error } = await roster(['rebuild-search'], { DATABASE_URL: `sqlite:${relative('.', path)}` });
  expect(error).toContain(`There is no database of Roster's at ${path}. `);
});

describe('a copy of before somebody was erased', () => {
  /** Of an administrator, and somebody who was erased since; `database`: whose list lies beside it. */
  async function putBack(database?: string) {
    const url = await readyUrl();
    const settings = { DATABASE_URL: url, SECRET_KEY_FILE: join(temporaryFolder(), 'secret.key') };
    const db = await temporaryDatabase(url, 2);
    await addPerson(db, 'ann', 'admin');
    const { id: user_id, created_at } = await addUser(db, { username: 'zora' });
    const erased = { user_id, created_at, erased_at: Date.now(), erased_by: 1 };
    appendToLedger(ledgerOf(url, settings.SECRET_KEY_FILE), {
      database: database ?? (await readIdentity(db)),
      lastId: 9,
      users: [erased],
    });
    return { db, settings };
  }

  test('is erased from before a command gives anybody out, and it is said', async () => {
    const { db, settings } = await putBack();
    const file = join(temporaryFolder(), 'users.csv');
    const { code, error } = await roster(['export', file], settings);
    expect({ code, error }).toEqual({
      code: 0,
      error: 'This database is from before: 1 user who was erased since is erased from it again.\n',
    });
    expect(readFileSync(file, 'utf8')).toMatch(/ann/);
    expect(readFileSync(file, 'utf8')).not.toMatch(/zora/);
    expect((await addUser(db, { username: 'next' })).id).toBe(10);
  });

  test('gets no backup, which would keep them', async () => {
    const { settings } = await putBack();
    const folder = temporaryFolder();
    expect(await roster(['backup', folder], settings)).toMatchObject({
      code: 1,
      error: expect.stringContaining('holds people who were erased since: start Roster with it once.'),
    });
    expect(readdirSync(folder)).toEqual([]);
  });

  test('gets an administrator first, where one is needed for that', async () => {
    const { settings } = await putBack();
    expect(await roster(ADMIN.slice(0, 2), settings)).toMatchObject({ code: 0, error: '' });
  });

  test.each([['export', join('nowhere', 'users.csv')], ['backup', 'nowhere'], ['purge']])(
    'stops %s where the list beside it is another database’s',
    async (command, ...more) => {
      const { settings } = await putBack('another');
      const args = more.map((one) => one.replace('nowhere', temporaryFolder()));
      expect(await roster([command, ...args], settings)).toMatchObject({
        code: expect.toSatisfy((code) => code > 0),
        error: expect.stringContaining('says who was erased from another database'),
      });
    },
  );

  test('is what check finds where the list beside it is another database’s', async () => {
    const { settings } = await putBack('another');
    expect(await roster(['check', '--quick'], settings)).toMatchObject({
      code: 1,
      out: expect.stringContaining('says who was erased from another database'),
    });
  });
});
