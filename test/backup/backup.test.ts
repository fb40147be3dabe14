/** `npm run roster -- backup`: a file of one moment, whatever else is done, or none. */

import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { sql } from 'kysely';
import { describe, expect, inject, onTestFinished, test } from 'vitest';
import { commandLine } from '../../src/auth/actor.ts';
import { findCredentials, setCode } from '../../src/auth/credentials.ts';
import { openSecret, sealSecret } from '../../src/auth/second-factor-secrets.ts';
import { loadKey } from '../../src/auth/secret-key.ts';
import { datedName, dateOf } from '../../src/backup/file-names.ts';
import { makeBackup } from '../../src/backup/make.ts';
import { verify } from '../../src/backup/verify.ts';
import { seedUsers } from '../../src/cli/seed.ts';
import { filePathOf } from '../../src/database-url.ts';
import { openDatabase } from '../../src/db/database.ts';
import { engineOf } from '../../src/db/engine.ts';
import { transact } from '../../src/db/transact.ts';
import { eraseUser } from '../../src/erasure/commands.ts';
import { ledgerOf, readLedger } from '../../src/erasure/ledger.ts';
import { eraseAgain } from '../../src/erasure/ledger-replay.ts';
import { readIdentity, writeIdentity } from '../../src/erasure/queries.ts';
import { beginSet } from '../../src/history/record.ts';
import { findAbsentAfter, insertAbsent } from '../../src/imports/absent-queries.ts';
import { findJobsAfter, insertJob } from '../../src/jobs/queries.ts';
import { findLastRun } from '../../src/maintenance/queries.ts';
import { deleteUser } from '../../src/users/commands.ts';
import { countByStatus } from '../../src/users/counts.ts';
import { runCommand } from '../command.ts';
import { addPerson, CODE_SECRET } from '../people.ts';
import { preloading, run, runToEnd, startRoster } from '../roster.ts';
import {
  addUser,
  addUsers,
  fillAsCommand,
  minuteByMinute,
  readyUrl,
  temporaryDatabase,
  temporaryFolder,
} from '../support.ts';
import { backupsIn, draftSize, expectWhole, find, openBackup, until } from './files.ts';

const onSqlite = inject('engine') === 'sqlite';

/** A database with some users, and what a command is told of it. */
async function start(usernames: readonly string[] = ['alice', 'bob']) {
  const url = await readyUrl();
  const db = await temporaryDatabase(url);
  await addUsers(db, usernames);
  const settings = { DATABASE_URL: url, SECRET_KEY_FILE: join(temporaryFolder(), 'secret.key') };
  const folder = temporaryFolder();
  const make = (...args: string[]) => runCommand(['backup', ...args], settings);
  return { db, url, settings, folder, make };
}

/** As another program leaves them that deletes something: in a page that is free, or in what a page has left. */
function leaveBytes(url: string, word: string): void {
  const program = new Sqlite(filePathOf(url) ?? '');
  program.pragma('secure_delete = OFF');
  program.prepare('insert into zeros (content) values (?)').run(Buffer.from(word.repeat(1_000)));
  program.exec('delete from zeros');
  program.close();
}

/** Says last what was done with the file until it has its name. */
const TELLING_STEPS = preloading(`
  import fs from 'node:fs';
  import { createRequire, syncBuiltinESMExports } from 'node:module';
  import { basename } from 'node:path';
  import { isMainThread } from 'node:worker_threads';
  const PACKAGE = ${JSON.stringify(join(import.meta.dirname, '..', '..', 'package.json'))};
  const Sqlite = createRequire(PACKAGE)('better-sqlite3');
  const steps = [];
  const names = new Map();
  const { openSync, fsyncSync, renameSync } = fs;
  fs.openSync = (path, ...more) => {
    const file = openSync(path, ...more);
    names.set(file, basename(String(path)));
    return file;
  };
  fs.fsyncSync = (file) => {
    fsyncSync(file);
    steps.push('sync ' + names.get(file));
  };
  fs.renameSync = (from, to) => {
    renameSync(from, to);
    steps.push('rename ' + basename(from) + ' to ' + basename(to));
  };
  const { prepare } = Sqlite.prototype;
  Sqlite.prototype.prepare = function (text) {
    if (text.includes('integrity_check')) steps.push('look through ' + basename(this.name));
    return prepare.call(this, text);
  };
  syncBuiltinESMExports();
  if (isMainThread) process.on('exit', () => fs.writeFileSync(2, JSON.stringify(steps)));`);

describe('a backup', () => {
  test('into a folder is a file of its date, whole, and noted in the database', async () => {
    const { db, folder, make } = await start();
    const { out, error, code } = await make(folder);
    expect({ error, code }).toEqual({ error: '', code: 0 });
    expect(readdirSync(folder)).toEqual([
      'erased.jsonl',
      expect.stringMatching(/^roster-\d{4}-\d\d-\d\dT\d\d-\d\d-\d\dZ\.db$/),
    ]);
    const [name = ''] = backupsIn(folder);
    const file = join(folder, name);
    expect(out).toContain(`${file}: 2 users, `);
    const copy = await expectWhole(file);
    expect(await countByStatus(copy)).toEqual({ active: 2, inactive: 0 });
    expect(await find(copy, 'lic')).toBe(1);
    const { size } = statSync(file);
    expect(await findLastRun(db, 'backup')).toMatchObject({ outcome: 'good', file, size, users: 2 });
  });

  test('is looked through to its end on a machine that takes long for everything', async () => {
    const { folder, make } = await start();
    await make(folder);
    const [name = ''] = backupsIn(folder);
    expect(await verify(join(folder, name), minuteByMinute())).toMatchObject({ users: 2, faults: [] });
  });

  test('is a database with which Roster starts as it is', async () => {
    const { folder, settings, make } = await start();
    await make(folder);
    const [name = ''] = backupsIn(folder);
    const { address } = await startRoster({ ...settings, DATABASE_URL: `sqlite:${join(folder, name)}` });
    expect(await (await fetch(`${address}/users`)).text()).toContain('>alice<');
  });

  test('is of one moment, with all that was acknowledged before it began, while others write', async () => {
    const { db, settings, folder } = await start([]);
    await seedUsers(db, 2_000);
    const before = Array.from({ length: 20 }, (_, index) => `before${index}`);
    await addUsers(db, before);
    const making = runToEnd(['backup', folder], settings);
    let isOver = false;
    void making.finally(() => {
      isOver = true;
    });
    let meanwhile = 0;
    while (!isOver) await addUser(db, { username: `meanwhile${meanwhile++}` });
    expect(await making).toMatchObject({ code: 0 });
    const copy = await expectWhole(join(folder, `${backupsIn(folder)[0]}`));
    const { active, inactive } = await countByStatus(copy);
    const rows = await copy.selectFrom('users').select('username').orderBy('id').execute();
    expect(rows.length).toBe(active + inactive);
    const names = rows.map(({ username }) => username).slice(2_000);
    const all = [...before, ...Array.from({ length: meanwhile }, (_, index) => `meanwhile${index}`)];
    expect(names.length).toBeGreaterThanOrEqual(before.length);
    expect(names.length).toBeLessThan(all.length);
    expect(names).toEqual(all.slice(0, names.length));
    expect(await find(copy, 'before19')).toBe(1);
  });

  test('into a file may have a name with spaces, and replaces none unless it is told to', async () => {
    const { db, folder, make } = await start();
    const file = join(folder, 'of today.db');
    expect((await make(file)).code).toBe(0);
    const first = readFileSync(file);
    await addUsers(db, ['carol']);
    expect(await make(file)).toMatchObject({
      code: 1,
      error: `There is a file ${file} already: give another name, or --force to replace it.\n`,
    });
    expect(readFileSync(file).equals(first)).toBe(true);
    expect((await make(file, '--force')).code).toBe(0);
    expect(await countByStatus(await expectWhole(file))).toEqual({ active: 3, inactive: 0 });
    expect(readdirSync(folder)).toEqual(['of today.db']);
  });

  test('that is compact holds nothing of what was deleted and lies in the file still, as another one does', async () => {
    const { db, url, folder, make } = await start();
    const { id } = await addUser(db, { username: 'zqxjv', full_name: 'Zqxjv Qqzzq' });
    await transact(db, (trx) => deleteUser(trx, commandLine, id, 1));
    await transact(db, (trx) => eraseUser(trx, commandLine, id, 2));
    if (onSqlite) leaveBytes(url, 'vjxkw');
    const wordsIn = async (name: string, ...args: string[]) => {
      const file = join(folder, name);
      expect((await make(file, ...args)).code).toBe(0);
      await expectWhole(file);
      const bytes = readFileSync(file).toString('latin1').toLowerCase();
      return ['zqx', 'qqz', 'vjxkw'].filter((word) => bytes.includes(word));
    };
    // Of a server it is written row by row in any case.
    expect(await wordsIn('plain.db')).toEqual(onSqlite ? ['zqx', 'qqz', 'vjxkw'] : []);
    expect(await wordsIn('compact.db', '--compact')).toEqual([]);
  });

  test('has its name once it is looked through, and on the disk', async () => {
    const { settings, folder } = await start();
    const { error, code } = await runToEnd(['backup', join(folder, 'x.db')], {
      ...settings,
      ...TELLING_STEPS,
    });
    expect(code).toBe(0);
    const steps = JSON.parse(error.slice(error.indexOf('["'))) as string[];
    const looked = steps.slice(steps.indexOf('look through backup.db'));
    expect(looked.filter((step) => step.includes('backup.db'))).toEqual([
      'look through backup.db',
      'sync backup.db',
      'rename backup.db to x.db',
    ]);
    expect(steps.at(-1)).toBe(`sync ${basename(folder)}`);
  });

  test('takes along what is under way, so that it can be gone on with', async () => {
    const { db, folder, make } = await start();
    const params = JSON.stringify({ undo: 1 });
    await transact(db, async (trx) => {
      const set = await beginSet(trx, commandLine, { at: 3, kind: 'changed' });
      await insertJob(trx, { kind: 'undo', set_id: set, actor_id: null, params, total: 2 });
      await insertAbsent(trx, 7, [{ first_id: 1, last_id: 2 }]);
    });
    expect((await make(folder)).code).toBe(0);
    const copy = await openBackup(join(folder, `${backupsIn(folder)[0]}`));
    expect(await findJobsAfter(copy, 0, 10)).toEqual(await findJobsAfter(db, 0, 10));
    expect(await findAbsentAfter(copy, { import_id: 0, first_id: 0 }, 10)).toHaveLength(1);
    expect(await readIdentity(copy)).toBe(await readIdentity(db));
    for (const table of ['users', 'change_sets', 'jobs', 'imports'] as const)
      expect(await engineOf(copy).readLastId(copy, table)).toBe(await engineOf(db).readLastId(db, table));
  });

  test.runIf(onSqlite)(
    'is refused, and not changed, beside a log of the file that it is put in the place of',
    async () => {
      const { db, url, folder, make } = await start();
      await make(join(folder, 'put-back.db'));
      // Roster goes on, and is killed later.
      await addUsers(db, ['carol']);
      copyFileSync(`${filePathOf(url)}-wal`, join(folder, 'put-back.db-wal'));
      const before = readFileSync(join(folder, 'put-back.db'));
      await expect(openDatabase(`sqlite:${join(folder, 'put-back.db')}`)).rejects.toThrow(
        'are not of one making',
      );
      expect(readFileSync(join(folder, 'put-back.db')).equals(before)).toBe(true);
    },
  );

  test.runIf(!onSqlite)('of a server says how far the server’s own tools are set up', async () => {
    const { folder, make } = await start();
    const { out } = await make(folder);
    expect(out).toMatch(/^PostgreSQL \d+ here keeps no archive of its log \(archive_mode is off\)\.$/m);
    expect(out).toMatch(/^(There is no pg_dump in PATH\.|pg_dump (of|in) .*)$/m);
  });

  test('of a database that cannot be written is made all the same, with a warning', async () => {
    const { db, url, folder, make } = await start();
    if (onSqlite) {
      const other = new Sqlite(`${filePathOf(url)}`);
      onTestFinished(() => void other.close());
      // It goes on writing for longer than anybody waits.
      other.exec('begin immediate');
    } else {
      const refuse = sql`alter table maintenance_runs add constraint no_runs check (false)`;
      await transact(db, (trx) => refuse.execute(trx));
    }
    const { error, code } = await make(folder);
    expect(code).toBe(0);
    expect(error).toMatch(/^Warning: the database cannot be written, so nothing is noted there \(.*\)\.\n/);
    expect(backupsIn(folder)).toHaveLength(1);
  });

  test.runIf(onSqlite)('of a database with a trigger of somebody else is none, and says why', async () => {
    const { db, folder, make } = await start();
    const trigger = sql`create trigger evil after insert on users begin update users set role = 'admin'; end`;
    await transact(db, (trx) => trigger.execute(trx));
    const { error, code } = await make(folder);
    expect(code).toBe(1);
    expect(error).toContain(
      "There is a trigger evil, which is none of Roster's. So it is not kept as a backup",
    );
    expect(backupsIn(folder)).toEqual([]);
  });
});

describe('the secret key', () => {
  async function withCode() {
    const started = await start();
    const ann = await addPerson(started.db, 'ann', 'admin');
    const { key } = await loadKey(started.db, started.settings.SECRET_KEY_FILE);
    const code = { sealed: sealSecret(key, ann.id, CODE_SECRET), step: 1, recoveryHashes: [] };
    await transact(started.db, (trx) => setCode(trx, ann.id, code));
    return { ...started, ann };
  }

  test('stays where it is, and it is said what that means', async () => {
    const { folder, make, settings } = await withCode();
    const { out } = await make(folder);
    expect(out).toContain(
      `Without the secret key: whoever restores it on another machine needs ${settings.SECRET_KEY_FILE}, too, or second factors do not work there.`,
    );
    expect(readdirSync(folder)).toEqual(['erased.jsonl', backupsIn(folder)[0]]);
  });

  test('that is not there is not called for, and it is said what that means', async () => {
    const { folder, make, settings } = await withCode();
    rmSync(settings.SECRET_KEY_FILE);
    const { out, error, code } = await make(folder);
    expect(code).toBe(onSqlite ? 0 : 1);
    expect(error).toContain(`${settings.SECRET_KEY_FILE} is not there.`);
    if (onSqlite) expect(error).toContain('Roster does not start like this. Put the file');
    expect(out).not.toContain('Keep a copy');
  });

  test('lies beside it on demand, for its owner alone, and opens second factors', async () => {
    const { folder, make, ann } = await withCode();
    const { out } = await make(folder, '--with-key');
    const file = join(folder, `${backupsIn(folder)[0]}`);
    expect(out).toContain(`${file}.key: whoever has both has the secrets of all second factors.`);
    expect(statSync(`${file}.key`).mode & 0o777).toBe(0o600);
    const copy = await openBackup(file);
    const { key } = await loadKey(copy, `${file}.key`);
    expect(openSecret(key, ann.id, (await findCredentials(copy, ann.id))?.code_secret ?? '')).toBe(
      CODE_SECRET,
    );
  });

  test('that is not there yet is not put anywhere', async () => {
    const { folder, make } = await start();
    const { error, code } = await make(folder, '--with-key');
    expect({ error, code }).toEqual({
      error: expect.stringMatching(/^The database has no key yet/),
      code: 1,
    });
    expect(readdirSync(folder)).toEqual([]);
  });
});

describe('who was erased', () => {
  test('is noted beside the backups, to which each adds what is new, and takes nothing away', async () => {
    const { db, url, settings, folder, make } = await start();
    const [anybody, somebody] = [
      await addUser(db, { username: 'a1' }),
      await addUser(db, { username: 'a2' }),
    ];
    const erase = async (id: number) => {
      await transact(db, (trx) => deleteUser(trx, commandLine, id, 1));
      await transact(db, (trx) => eraseUser(trx, commandLine, id, 2));
    };
    const ledger = join(folder, 'erased.jsonl');
    const idsIn = () => readLedger(ledger).flatMap(({ users }) => users.map(({ user_id }) => user_id));
    await erase(anybody.id);
    await make(folder);
    expect(idsIn()).toEqual([anybody.id]);
    expect(statSync(ledger).mode & 0o777).toBe(0o600);
    const first = readFileSync(ledger, 'utf8');
    // Known beside the database alone, as of one that was put back.
    const line = {
      database: await readIdentity(db),
      lastId: 90,
      users: [{ user_id: 80, created_at: 1, erased_at: 2, erased_by: null }],
    };
    writeFileSync(ledgerOf(url, settings.SECRET_KEY_FILE), `${JSON.stringify(line)}\n`);
    // As each start does: until then no backup is made of it.
    await eraseAgain(db, ledgerOf(url, settings.SECRET_KEY_FILE));
    await erase(somebody.id);
    await make(folder);
    expect(readFileSync(ledger, 'utf8').startsWith(first)).toBe(true);
    expect(idsIn()).toEqual([anybody.id, 80, somebody.id]);
    await make(join(folder, 'one.db'));
    expect(readLedger(join(folder, 'one.db.erased.jsonl')).length).toBeGreaterThan(0);
  });
});

describe('--keep', () => {
  test('leaves the newest good ones of this database, and all that is somebody else’s', async () => {
    const { folder, make } = await start();
    await make(folder);
    const [first = ''] = backupsIn(folder);
    const copyTo = (name: string) => {
      copyFileSync(join(folder, first), join(folder, name));
      return name;
    };
    const at = (days: number) => datedName(Number(dateOf(first)) - days * 86_400_000);
    const [yesterday, before, ahead] = [copyTo(at(1)), copyTo(at(2)), copyTo(at(-400))];
    writeFileSync(join(folder, `${before}.key`), 'its key');
    const cutOff = at(3);
    writeFileSync(join(folder, cutOff), readFileSync(join(folder, first)).subarray(0, 40_000));
    const foreign = await start();
    await transact(foreign.db, (trx) => writeIdentity(trx, 'another one'));
    await foreign.make(join(folder, 'foreign.db'));
    const others = [copyTo('roster-of-may.db'), copyTo('roster-2020-13-45T03-00-00Z.db'), cutOff, at(5)];
    copyFileSync(join(folder, 'foreign.db'), join(folder, at(5)));

    const { out, code } = await make(folder, '--keep', '3');
    expect(code).toBe(0);
    // What is dated in the future was made by a clock that was ahead, before all others.
    expect(out).toContain(`Removed, as 3 are kept: ${before}, ${ahead}`);
    const left = readdirSync(folder);
    expect(left).toEqual(expect.arrayContaining([...others, 'foreign.db', first, yesterday]));
    expect(left).toHaveLength(others.length + 5);
  });

  test('removes a key whose backup is gone, where the same key stays beside the newest', async () => {
    const { db, folder, make, settings } = await start();
    await loadKey(db, settings.SECRET_KEY_FILE);
    await make(folder, '--with-key');
    const [first = ''] = backupsIn(folder);
    const at = (days: number) => `${datedName(Number(dateOf(first)) - days * 86_400_000)}.key`;
    copyFileSync(settings.SECRET_KEY_FILE, join(folder, at(3)));
    writeFileSync(join(folder, at(4)), 'another key');
    copyFileSync(settings.SECRET_KEY_FILE, join(folder, 'mine.key'));
    const { out } = await make(folder, '--with-key', '--keep', '2');
    expect(out).toContain(`Removed, as 2 are kept: ${at(3)}\n`);
    expect(readdirSync(folder)).toHaveLength(7);
    copyFileSync(settings.SECRET_KEY_FILE, join(folder, at(3)));
    await make(folder, '--keep', '3');
    expect(readdirSync(folder)).toContain(at(3));
  });

  test.skipIf(process.platform === 'win32')(
    'waits for nobody at a pipe that is named like a backup',
    async () => {
      const { folder, settings, make } = await start();
      execFileSync('mkfifo', [join(folder, datedName(0))]);
      await make(folder);
      expect(await runToEnd(['backup', folder, '--keep', '1'], settings)).toMatchObject({ code: 0 });
      expect(readdirSync(folder)).toHaveLength(3);
    },
  );

  test.skipIf(process.platform === 'win32')(
    'nor at one that is named like the list of who was erased',
    async () => {
      const { folder, settings } = await start();
      execFileSync('mkfifo', [join(folder, 'erased.jsonl')]);
      expect(await runToEnd(['backup', folder], settings)).toMatchObject({
        code: 1,
        error: expect.stringMatching(/erased\.jsonl, .*: it is no file\.\n$/),
      });
    },
  );

  test('is for folders, and a number', async () => {
    const { folder, make } = await start();
    for (const args of [
      [folder, '--keep', '0'],
      [folder, '--keep', 'all'],
      [join(folder, 'x.db'), '--keep', '3'],
    ])
      expect(await make(...args)).toMatchObject({
        code: 1,
        error: '--keep says how many backups stay in a folder, such as --keep 14.\n',
      });
    expect(readdirSync(folder)).toEqual([]);
  });
});

describe('where it cannot be made', () => {
  test('a sentence says why, and nothing is left', async () => {
    const { folder, url, settings, make } = await start();
    const own = filePathOf(url) ?? settings.SECRET_KEY_FILE;
    writeFileSync(settings.SECRET_KEY_FILE, 'a key');
    symlinkSync(own, join(folder, 'link.db'));
    const refusals: [string[], RegExp][] = [
      [[], /^Say where to: npm run roster -- backup /],
      [[folder, folder], /^Say where to/],
      [[`${join(folder, 'none')}/`], /^There is no folder .*none: make it, or write elsewhere\.\n$/],
      [[join(folder, 'none', 'x.db')], /^There is no folder .*none: make it, or write elsewhere\.\n$/],
      [[own, '--force'], /is what Roster itself works with: give the backup another name\.\n$/],
      [[join(folder, 'link.db'), '--force'], /is what Roster itself works with/],
      [[join(own, 'x.db')], /^There is no folder /],
      [
        [join(folder, 'none')],
        /^There is no folder .*none: make it, or name a file .* such as .*none\.db\.\n$/,
      ],
      [[join(folder, 'none'), '--keep', '14'], /^There is no folder .*none: make it/],
    ];
    for (const [args, sentence] of refusals)
      expect(await make(...args)).toMatchObject({ code: 1, error: expect.stringMatching(sentence) });
    expect(readdirSync(folder)).toEqual(['link.db']);
    if (onSqlite) expect((await find(await openBackup(own), 'alice')) === 1).toBe(true);
  });

  test('as where Roster’s own log would lie, beside the file that a symbolic link leads to', async () => {
    const real = filePathOf(await readyUrl('sqlite')) ?? '';
    const link = join(temporaryFolder(), 'link.db');
    symlinkSync(real, link);
    for (const ending of ['', '-wal', '-shm']) {
      const made = await runCommand(['backup', real + ending, '--force'], { DATABASE_URL: `sqlite:${link}` });
      expect(made).toMatchObject({
        code: 1,
        error: `${real}${ending} is what Roster itself works with: give the backup another name.\n`,
      });
      expect(existsSync(`${real}-wal`)).toBe(false);
    }
  });

  test('as where something is that no backup has put there, also with --force', async () => {
    const { db, folder, settings, make } = await start();
    await loadKey(db, settings.SECRET_KEY_FILE);
    const other = await readyUrl('sqlite');
    await (await openDatabase(other)).destroy();
    const file = join(folder, 'x.db');
    const taken = (path: string) =>
      `${path} is there, and no backup has put it there: give another name, or move it away.\n`;
    writeFileSync(join(folder, 'notes'), 'mine');
    // Stands for a device, of which a test must not lose one.
    const pipe = join(folder, 'pipe');
    if (process.platform !== 'win32') execFileSync('mkfifo', [pipe]);
    for (const path of [pipe, filePathOf(other) ?? '', join(folder, 'notes')].filter(existsSync))
      expect(await make(path, '--force')).toMatchObject({ code: 1, error: taken(path) });
    const key = readFileSync(settings.SECRET_KEY_FILE);
    for (const path of [`${settings.SECRET_KEY_FILE}.next`, settings.SECRET_KEY_FILE.replace(/\.key$/, '')])
      expect(await make(path, '--force', '--with-key')).toMatchObject({
        code: 1,
        error: expect.stringContaining('is what Roster itself works with'),
      });
    expect(readFileSync(settings.SECRET_KEY_FILE).equals(key)).toBe(true);
    writeFileSync(`${file}.key`, 'of somebody else');
    expect(await make(file, '--with-key')).toMatchObject({
      code: 1,
      error: `There is a file ${file}.key already: give another name, or --force to replace it.\n`,
    });
    expect((await make(file, '--with-key', '--force')).code).toBe(1);
    expect(readFileSync(`${file}.key`, 'utf8')).toBe('of somebody else');
    expect((await make(file)).code).toBe(0);
    writeFileSync(`${file}.key`, `${Buffer.alloc(32, 1).toString('base64url')}\n`);
    expect((await make(file, '--with-key', '--force')).code).toBe(0);
    expect(readFileSync(`${file}.key`).equals(key)).toBe(true);
  });

  test.runIf(existsSync('/proc/self'))('as in a folder that takes no files, it says so', async () => {
    const { db, make } = await start();
    expect(await make('/proc/')).toMatchObject({
      code: 1,
      error: expect.stringMatching(/^There is room for 0 bytes in \/proc, /),
    });
    expect(await findLastRun(db, 'backup')).toMatchObject({
      outcome: 'bad',
      problem: expect.stringMatching(/^There is room for 0 bytes/),
    });
  });

  test('without room nothing is begun', async () => {
    const { db, url, settings, folder } = await start();
    const destination = { file: join(folder, 'x.db'), isDated: false };
    const options = {
      db,
      databaseUrl: url,
      secretKeyFile: settings.SECRET_KEY_FILE,
      destination,
      free: () => 50_000_000,
    };
    await expect(makeBackup(options)).rejects.toThrow(
      /^There is room for 50 MB in .*, and a backup needs 6\d(\.\d)? MB: make room, or give another folder\.$/,
    );
    expect(readdirSync(folder)).toEqual([]);
  });

  test.runIf(onSqlite)('as while the log of the database would fill the disk, it is given up', async () => {
    const { db, url, settings, folder } = await start([]);
    await seedUsers(db, 10_000);
    const writer = new Sqlite(filePathOf(url) ?? '');
    onTestFinished(() => void writer.close());
    let isLittle = false;
    const free = () => (isLittle ? 50_000_000 : 10_000_000_000);
    const say = () => {
      writer.exec('insert into zeros (content) values (zeroblob(1000000))');
      isLittle = true;
    };
    const destination = { file: join(folder, 'x.db'), isDated: false };
    const options = { db, databaseUrl: url, secretKeyFile: settings.SECRET_KEY_FILE, destination, free, say };
    await expect(makeBackup(options)).rejects.toThrow(
      /^So much is changed meanwhile that the log beside .*roster\.db would fill the disk \(it has grown by [\d.]+ [KM]B\)/,
    );
    expect(readdirSync(folder)).toEqual([]);
  });

  test.runIf(onSqlite)('as of a damaged file, none is kept that is damaged, too', async () => {
    const { db, url, folder, make } = await start([]);
    await seedUsers(db, 3_000);
    await db.destroy();
    const path = filePathOf(url) ?? '';
    const file = new Sqlite(path);
    const root = file
      .prepare("select rootpage from sqlite_schema where name = 'users_name_sort'")
      .pluck()
      .get() as number;
    file.close();
    const bytes = readFileSync(path);
    bytes.fill(0x55, 4096 * (root - 1) + 2_000, 4096 * root);
    writeFileSync(path, bytes);
    const { code, error } = await make(folder);
    expect({ code, error }).toEqual({
      code: 1,
      error: expect.stringMatching(
        /^The file is damaged: .*\. So it is not kept as a backup, and earlier ones stay/,
      ),
    });
    expect(readdirSync(folder)).toEqual([]);
  });
});

describe('killed', () => {
  const MOMENTS: [string, string[], (folder: string) => boolean][] = [
    ['as it begins', [], (folder) => readdirSync(folder).length > 0],
    ['with some of it written', [], (folder) => draftSize(folder, 'backup.db') > 2_000_000],
    [
      'as it leaves out what was deleted',
      ['--compact'],
      (folder) => draftSize(folder, 'compact.db') > 500_000,
    ],
  ];

  test.each(MOMENTS)(
    '%s, it leaves no backup that is not whole, and the next one tidies up',
    async (_when, args, isSo) => {
      const { url, settings, folder, make } = await start([]);
      await fillAsCommand(url, (db) => seedUsers(db, 10_000));
      const child = run(['backup', folder, ...args], settings);
      const ended = once(child, 'exit');
      await until(() => isSo(folder) || child.exitCode !== null);
      child.kill('SIGKILL');
      await ended;
      expect(backupsIn(folder)).toEqual([]);
      expect(readdirSync(folder)).toHaveLength(1);
      mkdirSync(join(folder, 'mine.new-abcdefgh-1'));
      expect((await make(folder, ...args)).code).toBe(0);
      const [name = ''] = backupsIn(folder);
      expect(readdirSync(folder).sort()).toEqual(['erased.jsonl', 'mine.new-abcdefgh-1', name]);
      await expectWhole(join(folder, name));
    },
  );
});
