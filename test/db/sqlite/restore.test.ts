/** A backup in the place of a file that is there, that is none, or that is damaged. */
import {
  chownSync,
  copyFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { expect, onTestFinished, test } from 'vitest';
import { removeKilledRestores } from '../../../src/backup/restore-folder.ts';
import { filePathOf } from '../../../src/database-url.ts';
import { openDatabase } from '../../../src/db/database.ts';
import { engineOf } from '../../../src/db/engine.ts';
import { MIGRATIONS } from '../../../src/db/migration-list.ts';
import { readRevision } from '../../../src/db/revision.ts';
import { APPLICATION_ID } from '../../../src/db/sqlite/header.ts';
import { ledgerOf } from '../../../src/erasure/ledger.ts';
import { eraseAgain } from '../../../src/erasure/ledger-replay.ts';
import { readIdentity } from '../../../src/erasure/queries.ts';
import {
  backUp,
  erase,
  faultsIn,
  fill,
  keyPathOf,
  restore,
  usernamesIn,
  within,
} from '../../backup/backed-up.ts';
import { runCommand } from '../../command.ts';
import { withRoom } from '../../full-disk.ts';
import { isLacking } from '../../requirements.ts';
import { run, startRoster, WITHOUT_LINKS } from '../../roster.ts';
import { addUser, addUsers, readyUrl, temporaryFolder } from '../../support.ts';
import { restoreVersion } from '../versions/restore.ts';

const NEWEST = MIGRATIONS.length;
const THEN = ['ann', 'ed', 'ada', 'bob', 'cem'];

/** A database, its backup, and what was done since. */
async function backedUp(...args: string[]) {
  const url = await readyUrl('sqlite');
  await fill(url);
  const file = await backUp(url, ...args);
  await within(url, (db) => addUsers(db, ['late', 'later']));
  return { url, path: filePathOf(url) ?? '', file };
}

/** An address in a folder that is not there yet. */
function bareUrl(): string {
  return `sqlite:${join(temporaryFolder(), 'data', 'roster.db')}`;
}

function linkTo(path: string): string {
  const link = join(temporaryFolder(), 'link.db');
  symlinkSync(path, link);
  return link;
}

function asideOf(path: string): string | undefined {
  const name = readdirSync(dirname(path)).find((one) => one.startsWith(`${basename(path)}.before-restore-`));
  return name && join(dirname(path), name);
}

test('it takes the place of what is there, which is kept aside, whole', async () => {
  const { url, path, file } = await backedUp();
  const backup = readFileSync(file);
  const { out, code } = await restore(url, file, '--yes');
  expect(code).toBe(0);
  expect(await within(url, usernamesIn)).toEqual(THEN);
  expect(await faultsIn(url)).toEqual([]);
  const aside = asideOf(path) ?? '';
  expect(out).toContain(`What was there is kept in ${aside}.`);
  expect(await within(`sqlite:${aside}`, usernamesIn)).toEqual([...THEN, 'late', 'later']);
  expect(await faultsIn(`sqlite:${aside}`)).toEqual([]);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(readFileSync(file).equals(backup)).toBe(true);
});

test('what it would bring is shown beside what is there, and without a terminal nothing is done', async () => {
  const { url, path, file } = await backedUp();
  const before = readFileSync(path);
  const { out, code } = await restore(url, file);
  expect(code).toBe(2);
  expect(out.replaceAll(/\d+ \w+ 20\d\d, \d\d:\d\d UTC */g, 'WHEN ').replaceAll(' \n', '\n')).toBe(
    [
      `Database: ${path}`,
      '                the backup                      what is there',
      'made            WHEN now',
      `version         ${NEWEST}                              ${NEWEST}`,
      'users           5                               7',
      '  active        5                               7',
      '  inactive      0                               0',
      'administrators  1                               1',
      'last change     WHEN WHEN',
      'The last change in the backup: The command line created cem',
      'The last change there: The command line created later',
      'Lost would be what was done since: 2 changes.',
      'Not restored: nobody is there to be asked. Give --yes.',
      'Nothing is changed.',
      '',
    ].join('\n'),
  );
  expect(readFileSync(path).equals(before)).toBe(true);
  expect(readdirSync(dirname(path)).sort()).toEqual(['roster.db', 'secret.key']);
});

test('on a bare machine it is the database', async () => {
  const { file } = await backedUp('--with-key');
  const url = bareUrl();
  const { out, code } = await restore(url, file, '--yes');
  expect(out).toContain(', which is new\n');
  expect(out).toContain(`The secret key comes with it, from ${file}.key.`);
  expect(code).toBe(0);
  const path = filePathOf(url) ?? '';
  expect(readdirSync(dirname(path)).sort()).toEqual(['roster.db', 'roster.db.erased.jsonl', 'secret.key']);
  expect(readFileSync(keyPathOf(url))).toEqual(readFileSync(`${file}.key`));
  expect(await within(url, usernamesIn)).toEqual(THEN);
  const roster = await startRoster({ DATABASE_URL: url });
  expect((await fetch(`${roster.address}/sign-in`)).status).toBe(200);
});

test('whoever has it open keeps it: Roster, a command, another program', async () => {
  const { url, path, file } = await backedUp();
  const refused = async () => {
    const { error, code } = await restore(url, file, '--yes');
    expect(error).toBe(
      `${path} is in use: stop every Roster and command that has it open first. Nothing was changed.\n`,
    );
    expect(code).toBe(2);
  };
  const db = await openDatabase(url);
  await refused();
  await addUser(db, { username: 'still' });
  await db.destroy();
  const roster = await startRoster({ DATABASE_URL: url });
  await refused();
  roster.child.kill('SIGKILL');
  await new Promise((resolve) => roster.child.once('exit', resolve));
  const program = new Sqlite(path, { readonly: true });
  program.prepare('select count(*) from users').get();
  await refused();
  program.close();
  expect((await restore(url, file, '--yes')).code).toBe(0);
  expect(await within(url, usernamesIn)).toEqual(THEN);
});

test('what a killed Roster has left in the log is in what is kept aside, and never in the other', async () => {
  const { url, path } = await backedUp();
  // By hand, so that it is of the same history.
  const file = join(temporaryFolder(), 'copy.db');
  copyFileSync(path, file);
  const logged = Array.from({ length: 12 }, (_, index) => `logged${index}`);
  const db = await openDatabase(url);
  await addUsers(db, logged);
  const folder = temporaryFolder();
  for (const ending of ['', '-wal', '-shm']) copyFileSync(path + ending, join(folder, `roster.db${ending}`));
  await db.destroy();
  for (const ending of ['', '-wal', '-shm']) copyFileSync(join(folder, `roster.db${ending}`), path + ending);
  expect((await restore(url, file, '--yes')).code).toBe(0);
  expect(existsSync(`${path}-wal`)).toBe(false);
  expect(await within(`sqlite:${asideOf(path)}`, usernamesIn)).toEqual([...THEN, 'late', 'later', ...logged]);
  // The same log once more, as a tool that puts files back would leave it.
  copyFileSync(join(folder, 'roster.db-wal'), `${path}-wal`);
  await expect(openDatabase(url)).rejects.toThrow('are not of one making');
});

test.each([
  ['cut off in the middle', (path: string) => truncateSync(path, 20_000)],
  ['no database any more', (path: string) => writeFileSync(path, 'milk, bread')],
  ['empty', (path: string) => truncateSync(path, 0)],
])('a database that is %s is put aside as it is', async (_how, damage) => {
  const { url, path, file } = await backedUp();
  damage(path);
  const before = readFileSync(path);
  const { out, code } = await restore(url, file, '--yes');
  expect(out).toContain(
    'What is there cannot be read: all of it would be put aside as it is. Numbers that it has given to users since then are given again, to others.',
  );
  expect(code).toBe(0);
  expect(await within(url, usernamesIn)).toEqual(THEN);
  expect(readFileSync(asideOf(path) ?? '').length).toBe(before.length);
});

test('a file beside a log that is not its own is put aside with it, and a log without a file, too', async () => {
  const { url, path, file } = await backedUp();
  const log = await within(url, async (db) => {
    await addUsers(db, ['first', 'logged']);
    return readFileSync(`${path}-wal`);
  });
  copyFileSync(file, path);
  writeFileSync(`${path}-wal`, log);
  await expect(openDatabase(url)).rejects.toThrow('are not of one making');
  expect((await restore(url, file, '--yes')).code).toBe(0);
  const aside = asideOf(path) ?? '';
  expect(readFileSync(`${aside}-wal`).equals(log)).toBe(true);
  expect(await within(url, usernamesIn)).toEqual(THEN);
  rmSync(aside);
  rmSync(path);
  writeFileSync(`${path}-wal`, log);
  expect((await restore(url, file, '--yes')).code).toBe(0);
  expect(await within(url, usernamesIn)).toEqual(THEN);
  expect(existsSync(`${path}-wal`)).toBe(false);
});

test('what is no backup, newer, damaged, not there or the database itself is refused', async () => {
  const { url, path, file } = await backedUp();
  const before = readFileSync(path);
  const folder = temporaryFolder();
  const at = (name: string) => join(folder, name);
  writeFileSync(at('list.txt'), 'milk, bread');
  new Sqlite(at('other.db')).exec('create table t (a)').close();
  writeFileSync(at('empty.db'), '');
  copyFileSync(file, at('newer.db'));
  const newer = new Sqlite(at('newer.db'));
  newer.pragma(`user_version = ${Number(newer.pragma('user_version', { simple: true })) + 1}`);
  newer.close();
  copyFileSync(file, at('damaged.db'));
  const bytes = readFileSync(file);
  bytes.fill(0x55, 4096 * 20, 4096 * 40);
  writeFileSync(at('damaged.db'), bytes);
  copyFileSync(file, at('cut.db'));
  truncateSync(at('cut.db'), 40_000);
  linkSync(path, at('link.db'));
  const hollow = new Sqlite(at('hollow.db'));
  hollow.pragma(`application_id = ${APPLICATION_ID}`);
  hollow.close();
  const refusals: [string, RegExp][] = [
    ['no.db', /^There is no file .*no\.db\.\n$/],
    ['list.txt', /^.*list\.txt is no backup of Roster's\.\n$/],
    ['other.db', /^.*other\.db is no backup of Roster's\.\n$/],
    ['empty.db', /^.*empty\.db is no backup of Roster's\.\n$/],
    ['hollow.db', /^.*hollow\.db cannot be restored: .*holds nothing: .*Nothing was changed\.\n$/],
    [
      'newer.db',
      /^.*newer\.db was written by a newer Roster \(version \d+, this one knows \d+\); update Roster\.\n$/,
    ],
    ['damaged.db', /^.*damaged\.db cannot be restored: .*Take another backup\. Nothing was changed\.\n$/],
    ['cut.db', /^.*cut\.db cannot be restored: .*Nothing was changed\.\n$/],
    ['link.db', /^.*link\.db is the database itself: say which backup is to take its place\.\n$/],
  ];
  for (const [name, sentence] of refusals) {
    const { error, code } = await restore(url, at(name), '--yes');
    expect(error, name).toMatch(sentence);
    expect(error, name).not.toContain('restoring');
    expect(code, name).toBe(2);
  }
  const missing = await restore(url, '');
  expect(missing.error).toMatch(/^There is no file|^Say which backup/);
  expect(readFileSync(path).equals(before)).toBe(true);
  expect(asideOf(path)).toBeUndefined();
});

test('without room for it nothing is done', async () => {
  const { url, path, file } = await backedUp();
  const { error, code } = await withRoom(1_000_000, () => restore(url, file, '--yes'));
  expect(error).toMatch(
    /^There is room for 1 MB where the database is to be, and restoring .* needs [\d.]+ MB: make room\./,
  );
  expect(code).toBe(2);
  expect(await within(url, usernamesIn)).toHaveLength(7);
  expect(readdirSync(dirname(path)).sort()).toEqual(['roster.db', 'secret.key']);
});

test('who was erased since is erased from it again, by what lies beside the database or the backup', async () => {
  const { url, path, file } = await backedUp();
  await within(url, (db) => erase(db, 3));
  // As the server notes it, and each backup after that.
  const later = await backUp(url);
  copyFileSync(join(dirname(later), 'erased.jsonl'), join(dirname(file), 'erased.jsonl'));
  const bare = bareUrl();
  const { out } = await restore(bare, file, '--yes');
  expect(out).toContain('Of those in it 1 had been erased since, and is erased from it again.');
  expect(await within(bare, usernamesIn)).toEqual(['ann', 'ed', 'bob', 'cem']);
  expect(readFileSync(ledgerOf(bare, ''), 'utf8')).toContain('"user_id":3');

  rmSync(join(dirname(file), 'erased.jsonl'));
  copyFileSync(ledgerOf(bare, ''), ledgerOf(url, ''));
  await restore(url, file, '--yes');
  expect(await within(url, usernamesIn)).toEqual(['ann', 'ed', 'bob', 'cem']);
  expect(await faultsIn(url)).toEqual([]);
  expect(existsSync(path)).toBe(true);
});

test('where the last administrator was erased since it says how to go on', async () => {
  const { url, file } = await backedUp();
  await within(url, async (db) => {
    const { addPerson } = await import('../../people.ts');
    await addPerson(db, 'eve', 'admin');
    await erase(db, 1);
  });
  const later = await backUp(url);
  copyFileSync(join(dirname(later), 'erased.jsonl'), join(dirname(file), 'erased.jsonl'));
  const { error, code } = await restore(url, file, '--yes');
  expect(error).toContain(
    'has been erased since: restore it with --without-access, and make an administrator then.',
  );
  expect(code).toBe(2);
  expect(await within(url, usernamesIn)).toContain('eve');
  expect((await restore(url, file, '--yes', '--without-access')).code).toBe(0);
  expect(await within(url, usernamesIn)).toEqual(THEN.slice(1));
});

test('who was erased there stays erased, though nothing but what is there knows of it', async () => {
  const { url, file } = await backedUp();
  await within(url, (db) => erase(db, 3));
  rmSync(ledgerOf(url, ''), { force: true });
  const { out, code } = await restore(url, file, '--yes');
  expect(out).toContain('Of those in it 1 had been erased since, and is erased from it again.');
  expect(code).toBe(0);
  expect(await within(url, usernamesIn)).toEqual(['ann', 'ed', 'bob', 'cem']);
  expect(readFileSync(ledgerOf(url, ''), 'utf8')).toContain('"user_id":3');
});

test.each([
  ['a backup of another name', 'monday.db', 'erased.jsonl'],
  [
    'one among those of a folder',
    'roster-2026-11-29T03-00-00Z.db',
    'roster-2026-11-29T03-00-00Z.db.erased.jsonl',
  ],
])('what lies beside it says who was erased: %s', async (_which, name, ledger) => {
  const { url, file } = await backedUp();
  await within(url, (db) => erase(db, 3));
  const later = await backUp(url);
  const folder = temporaryFolder();
  copyFileSync(file, join(folder, name));
  copyFileSync(join(dirname(later), 'erased.jsonl'), join(folder, ledger));
  for (const path of [join(folder, name), linkTo(join(folder, name))]) {
    const bare = bareUrl();
    await restore(bare, path, '--yes');
    expect(await within(bare, usernamesIn), path).toEqual(['ann', 'ed', 'bob', 'cem']);
    expect(readFileSync(ledgerOf(bare, ''), 'utf8')).toContain('"user_id":3');
  }
});

test('after a move an old backup of before brings nobody back who was erased there', async () => {
  const { url, file } = await backedUp();
  await within(url, (db) => erase(db, 3));
  rmSync(ledgerOf(url, ''), { force: true });
  const moved = bareUrl();
  const { code, error } = await runCommand(
    ['copy', '--from', url, '--from-key', keyPathOf(url), '--to', moved, '--to-key', keyPathOf(moved)],
    {},
  );
  expect(error).toBe('');
  expect(code).toBe(0);
  expect(await within(moved, usernamesIn)).toEqual(['ann', 'ed', 'bob', 'cem', 'late', 'later']);
  await within(moved, (db) => eraseAgain(db, ledgerOf(moved, '')));
  await restore(moved, file, '--yes');
  expect(await within(moved, usernamesIn)).toEqual(['ann', 'ed', 'bob', 'cem']);
});

test('what is there knows its own ledger until something else is there', async () => {
  const { url, path } = await backedUp();
  const other = await readyUrl('sqlite');
  await fill(other);
  const file = await backUp(other);
  const before = readFileSync(path);
  await restore(url, file, '--yes');
  // As where it was killed before the other one had its name.
  writeFileSync(path, before);
  await within(url, (db) => eraseAgain(db, ledgerOf(url, '')));
  renameSync(asideOf(path) ?? '', path);
  await within(url, (db) => eraseAgain(db, ledgerOf(url, '')));
});

test('a ledger with numbers that no database comes to is refused', async () => {
  const { url, file } = await backedUp();
  const database = await within(url, readIdentity);
  const line = { database, lastId: 2 ** 53 - 1, users: [] };
  writeFileSync(join(dirname(file), 'erased.jsonl'), `${JSON.stringify(line)}\n`);
  const { error, code } = await restore(url, file, '--yes');
  expect(error).toContain(
    "erased.jsonl, which says who was erased, cannot be read: its entry 1 is none of Roster's.",
  );
  expect(code).toBe(2);
  expect(await within(url, usernamesIn)).toHaveLength(7);
});

test('a backup with a number that no database comes to is refused, and what is there still starts', async () => {
  const { url, file } = await backedUp();
  const backup = new Sqlite(file);
  backup.exec("update sqlite_sequence set seq = 9223372036854775807 where name = 'users'");
  backup.close();
  const { error, code } = await restore(url, file, '--yes');
  expect(error).toContain('it would hold a number that no database comes to');
  expect(code).toBe(2);
  await within(url, (db) => eraseAgain(db, ledgerOf(url, '')));
});

test.each<[string, (db: Sqlite.Database) => unknown]>([
  ['tables', (db) => db.exec('drop table sessions')],
  ['history', (db) => db.exec('drop table change_sets')],
  ['its identity', (db) => db.exec("delete from secrets where name = 'identity'")],
])('a backup without %s is refused in a sentence', async (_what, spoil) => {
  const { url, path, file } = await backedUp();
  const before = readFileSync(path);
  const db = new Sqlite(file);
  spoil(db);
  db.close();
  const { error, code } = await restore(url, file, '--yes');
  expect(error).toMatch(/^.* cannot be restored: [^\n]*\n$/);
  expect(code).toBe(2);
  expect(readFileSync(path).equals(before)).toBe(true);
});

test('where it cannot be written nothing is done, in a sentence', async () => {
  const { url, file } = await backedUp();
  const refused = async (target: string, sentence: RegExp) => {
    const { error, code } = await restore(target, file, '--yes');
    expect(error).toMatch(sentence);
    expect(code).toBe(2);
  };
  const folder = temporaryFolder();
  const link = join(folder, 'roster.db');
  symlinkSync(join(folder, 'gone.db'), link);
  await refused(
    `sqlite:${link}`,
    /roster\.db is a symbolic link to what is not there: .* Nothing was changed\.\n$/,
  );
  writeFileSync(join(folder, 'file'), '');
  await refused(
    `sqlite:${join(folder, 'file', 'roster.db')}`,
    /cannot be restored: E\w+: .*\. What is there is as it was\.\n$/,
  );
  expect(await within(url, usernamesIn)).toHaveLength(7);
});

test.skipIf(isLacking(process.getuid?.() === 0))(
  'what root restores for another user is that user’s',
  async () => {
    const { url, path, file } = await backedUp('--with-key');
    await within(url, (db) => erase(db, 3));
    rmSync(ledgerOf(url, ''), { force: true });
    chownSync(path, 4242, 4343);
    await restore(url, file, '--yes');
    const own = (name: string) => [statSync(name).uid, statSync(name).gid];
    for (const name of [path, asideOf(path) ?? '', ledgerOf(url, '')])
      expect(own(name), name).toEqual([4242, 4343]);
    const bare = `sqlite:${join(temporaryFolder(), 'roster.db')}`;
    const folder = dirname(filePathOf(bare) ?? '');
    chownSync(folder, 4242, 4343);
    await restore(bare, file, '--yes');
    for (const name of readdirSync(folder)) expect(own(join(folder, name)), name).toEqual([4242, 4343]);
    expect(existsSync(keyPathOf(bare))).toBe(true);
  },
);

test('a database that somebody works with is no backup, and its log is left alone', async () => {
  const { url, path: live, file } = await backedUp();
  const log = await within(url, async (db) => {
    await addUsers(db, ['first', 'logged']);
    return readFileSync(`${live}-wal`);
  });
  copyFileSync(file, live);
  writeFileSync(`${live}-wal`, log);
  const { error, code } = await restore(bareUrl(), live, '--yes');
  expect(error).toBe(
    `${live} cannot be restored: Beside it is ${live}-wal, so somebody may be working with it, and that log belongs to it: leave both as they are, and have Roster make a backup of it: npm run roster -- backup. Nothing was changed.\n`,
  );
  expect(code).toBe(2);
});

test('what lies scattered in it is said before it is restored', async () => {
  const { url, file } = await backedUp();
  const db = new Sqlite(file);
  db.exec("update users set full_name = 'Somebody Else' where id = 3");
  db.close();
  const { error, code } = await restore(url, file);
  expect(error).toContain('Warning: in the backup: ');
  expect(code).toBe(2);
});

test('no number is given again that was given there since, and nothing that was seen then stands', async () => {
  const { url, file } = await backedUp();
  const before = await within(url, async (db) => ({
    set: await engineOf(db).readLastId(db, 'change_sets'),
    revision: await readRevision(db),
  }));
  await restore(url, file, '--yes');
  await within(url, async (db) => {
    expect(await readRevision(db)).toBeGreaterThan(before.revision);
    expect((await addUser(db, { username: 'next' })).id).toBe(8);
    const sets = await db.selectFrom('change_sets').select('id').orderBy('id', 'desc').limit(2).execute();
    expect(sets.map(({ id }) => id)).toEqual([before.set + 2, before.set + 1]);
  });
});

test('an older version is brought up to date, and no copy is kept of what is a copy', async () => {
  const url = await readyUrl('sqlite');
  const old = filePathOf(await restoreVersion(15)) ?? '';
  const { out, code } = await restore(url, old, '--yes');
  expect(out).toContain(`version         15                              ${NEWEST}\n`);
  expect(out).toContain('It is of another database: ');
  // The key of that version lies nowhere here, and a second factor is sealed with it.
  expect(code).toBe(1);
  expect(await within(url, usernamesIn)).toHaveLength(58);
  expect(readdirSync(dirname(filePathOf(url) ?? '')).filter((name) => name.includes('version'))).toEqual([]);
});

test('over the database of a newer Roster, too: what was kept before a migration', async () => {
  const { url, path, file } = await backedUp();
  const newer = new Sqlite(path);
  newer.pragma(`user_version = ${Number(newer.pragma('user_version', { simple: true })) + 1}`);
  newer.close();
  const { out, code } = await restore(url, file, '--yes');
  expect(out).toContain(`version         ${NEWEST}                              ${NEWEST + 1}\n`);
  expect(code).toBe(0);
  expect(await within(url, usernamesIn)).toEqual(THEN);
});

test('where the file system has no hard links what was there is copied aside', async () => {
  const { url, path, file } = await backedUp();
  const child = run(['restore', file, '--yes'], { DATABASE_URL: url, ...WITHOUT_LINKS });
  const [code] = await new Promise<[number]>((resolve) =>
    child.once('exit', (...args) => resolve(args as never)),
  );
  expect(code).toBe(0);
  expect(await within(url, usernamesIn)).toEqual(THEN);
  expect(await within(`sqlite:${asideOf(path)}`, usernamesIn)).toHaveLength(7);
});

test('a Roster that waits to open what is replaced meanwhile does not start, and leaves the other one alone', async () => {
  const { path, url, file } = await backedUp();
  // As `restore` holds it, in another process: it lets go only once the other one has its name.
  const holder = new Sqlite(path);
  onTestFinished(() => void holder.close());
  holder.pragma('locking_mode = EXCLUSIVE');
  holder.exec('begin exclusive; commit');
  holder.pragma('journal_mode = DELETE');
  const starting = run([], { DATABASE_URL: url, PORT: '0' });
  let said = '';
  starting.stderr.on('data', (chunk) => {
    said += chunk;
  });
  const ended = new Promise((resolve) => starting.once('exit', resolve));
  // It has the file open as soon as it waits.
  await expect.poll(() => isOpenBy(starting.pid ?? 0, path)).toBe(true);
  copyFileSync(file, `${path}.new`);
  renameSync(`${path}.new`, path);
  holder.close();
  expect(await ended).toBe(1);
  expect(said).toContain(`${path} was replaced while it was being opened: start again.`);
  expect(existsSync(`${path}-wal`)).toBe(false);
  expect(await within(url, usernamesIn)).toEqual(THEN);
});

/** Twice: to look at it, and by SQLite. */
function isOpenBy(pid: number, path: string): boolean {
  const folder = `/proc/${pid}/fd`;
  try {
    const links = readdirSync(folder).map(
      (name) => statSync(join(folder, name), { throwIfNoEntry: false })?.ino,
    );
    return links.filter((ino) => ino === statSync(path).ino).length >= 2;
  } catch {
    return false;
  }
}

test('what an ended restore has left is gone after the next one', async () => {
  const { url, path, file } = await backedUp();
  const { makeDraftFolder } = await import('../../../src/backup/draft-folder.ts');
  const own = makeDraftFolder(`${path}.restoring`);
  // Of a process that has ended.
  const left = own.replace(/\d+$/, '4194304');
  renameSync(own, left);
  mkdirSync(left, { recursive: true });
  writeFileSync(join(left, 'restored.db'), 'half');
  await restore(url, file, '--yes');
  expect(existsSync(left)).toBe(false);
});

test('one more name, or half a copy, which a killed restore has made of what is there, is gone at the next start, or restore', async () => {
  const { url, path, file } = await backedUp();
  const asides = () => readdirSync(dirname(path)).filter((name) => name.includes('.before-restore-'));
  const other = '.before-restore-2026-11-28T03-00-00Z';
  copyFileSync(path, path + other);
  const add = () => {
    linkSync(path, `${path}.before-restore-2026-11-29T03-00-00Z`);
    // Where there are no hard links.
    writeFileSync(`${path}.before-restore-2026-11-29T04-00-00Z.new`, 'half');
  };
  add();
  removeKilledRestores(url, '');
  expect(asides()).toEqual([basename(path) + other]);
  add();
  await restore(url, file, '--yes');
  expect(asides()).toHaveLength(2);
  expect(await within(url, usernamesIn)).toEqual(THEN);
});
