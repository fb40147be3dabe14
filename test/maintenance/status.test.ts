/** What administrators are told of how Roster is. */
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { expect, inject, test } from 'vitest';
import { insertSession } from '../../src/auth/sessions.ts';
import { logSize } from '../../src/backup/disk-space.ts';
import type { Config } from '../../src/config.ts';
import { transact } from '../../src/db/transact.ts';
import { DAY, HOUR } from '../../src/lib/clock.ts';
import { findNotices } from '../../src/maintenance/notice.ts';
import { beginRun, endRun, type Run } from '../../src/maintenance/queries.ts';
import { verdictOf } from '../../src/maintenance/verdict.ts';
import { pageOf } from '../page.ts';
import { addPerson, signedIn } from '../people.ts';
import { addUser, get, startApp, temporaryDatabase, temporaryFolder } from '../support.ts';

type Ended = Parameters<typeof endRun>[2];

async function note(
  { db }: Pick<FastifyInstance, 'db'>,
  kind: Run['kind'],
  at: number,
  ended: Ended,
  isQuick = false,
) {
  await transact(db, async (trx) => endRun(trx, await beginRun(trx, kind, at, isQuick), ended, at + 1));
}

const FILE = '/srv/backups/roster.db';
const good: Ended = { outcome: 'good', file: FILE, size: 4_100_000, users: 1204 };
const bad: Ended = { outcome: 'bad', problem: 'There is no room.' };

const NO_BACKUP = {
  last: undefined,
  good: undefined,
  bad: undefined,
  folder: undefined,
  next: undefined,
  kept: undefined,
  free: undefined,
};
const BAD_RUN: Run = {
  id: 1,
  kind: 'backup',
  begun_at: 7 * DAY,
  ended_at: 7 * DAY,
  outcome: 'bad',
  host: 'here',
  file: null,
  size: null,
  users: null,
  problem: null,
  is_quick: false,
};

async function start(settings = {}) {
  const app = await startApp(settings);
  const ann = await signedIn(app, await addPerson(app.db, 'ann', 'admin'));
  const text = async (address: string) => pageOf(await get(app, address, ann)).text;
  return { app, ann, text };
}

test('the page says what runs, on which database, and who is signed in', async () => {
  const { app, ann, text } = await start();
  await signedIn(app, await addPerson(app.db, 'vera', 'viewer'));
  const status = await text('/admin/status');
  expect(status).toMatch(/Version 0\.1\.0, on Node \d+\./);
  expect(status).toContain(`Process ${process.pid} on ${hostname()}`);
  expect(status).toMatch(/Kind (SQLite|PostgreSQL) \d+\.\d+/);
  expect(status).toContain('Holds 2 users');
  expect(status).toMatch(/Running since (just now|\d+ (minutes?|hours?) ago)/);
  expect(status).toMatch(/Size [\d.,]+ (KB|MB)/);
  if (process.platform === 'linux') expect(status).toContain('Open in This process alone');
  expect(status).toContain('Administrators 1 person');
  expect(status).toContain('Viewers 1 person');
  expect(status).toContain('No mail server is set');
  expect(status).toContain('Roster has made none.');
  expect(status).toContain(
    'Nothing is known to be wrong; but Roster has made no backup of its own, and no check',
  );
  const roles = pageOf(await get(app, '/roles', ann));
  expect(roles.link('Status')).toBe('/admin/status');
});

test('all that whoever runs Roster looks for is on one page, and nothing personal in the words for a report', async () => {
  const { app, ann, text } = await start({ BACKUP_FOLDER: temporaryFolder() });
  await note(app, 'backup', Date.now() - HOUR, good);
  await note(app, 'check', Date.now() - 2 * HOUR, { outcome: 'good', users: 1204 });
  const status = await text('/admin/status');
  for (const [what, words] of Object.entries({
    version: /Version \d+\.\d+\.\d+, on Node \d+/,
    'since when': /Running since (just now|\d+ (minutes?|hours?) ago)/,
    'which process': `Process ${process.pid} on ${hostname()}`,
    database: /Kind (SQLite|PostgreSQL) [\d.]+\b.* Where \S+/,
    'its size': /Size [\d.,]+ (KB|MB)/,
    'the last backup': 'Last good one 1 hour ago',
    'the last check': 'Last made 2 hours ago',
    'processes seen':
      inject('engine') === 'sqlite' ? /Open in This process/ : /Connections \d+ of Rosters on/,
    mail: 'Mail No mail server is set',
    'who is signed in now': /Signed in Administrators 1 person.*ann/,
    'what is under way': 'Under way Nothing.',
    'words for a report': /To report a fault .*Roster \d+\.\d+\.\d+, Node \d+/,
  }))
    expect(status, what).toMatch(words);
  const report = status.slice(status.indexOf('To report a fault'));
  expect(report).not.toMatch(new RegExp(`\\bann\\b|${hostname()}|${app.config.backupFolder}|@`));
  // Of nobody else than administrators.
  for (const role of ['editor', 'viewer'] as const) {
    const other = await signedIn(app, await addPerson(app.db, `some.${role}`, role));
    expect((await get(app, '/admin/status', other)).statusCode).toBe(403);
  }
  expect((await get(app, '/admin/status', ann)).statusCode).toBe(200);
});

test('who is signed in by name, whoever was seen last first, and how many more, but not for a report', async () => {
  const { app, ann } = await start();
  const [now, ids]: [number, number[]] = [Date.now(), []];
  for (let index = 1; index <= 12; index++) {
    const { id } = await addUser(app.db, { username: `vera${index}`, role: 'viewer' });
    ids.push(id);
    const session = { token: `${index}`, user_id: id, address: '', browser: '' };
    await transact(app.db, (trx) => insertSession(trx, session, now - index * HOUR));
  }
  const page = pageOf(await get(app, '/admin/status', ann));
  // Of vera12 the session is over.
  expect(page.text).toContain('ann vera1 vera2 vera3 vera4 vera5 vera6 vera7 vera8 vera9 and 2 more');
  expect(page.link('vera1')).toBe(`/users/${ids[0]}`);
  expect(page.text.slice(page.text.indexOf('To report a fault'))).not.toMatch(/ann|vera/);
});

test('the last good backup, what failed since, and the last check', async () => {
  const { app, ann, text } = await start();
  const now = Date.now();
  await note(app, 'backup', now - 9 * DAY, bad);
  await note(app, 'backup', now - 3 * HOUR, good);
  await note(app, 'check', now - 2 * HOUR, { outcome: 'good', users: 1204 });
  const before = await text('/admin/status');
  expect(before).toContain(`Last good one 3 hours ago, on ${hostname()}`);
  expect(before).toContain(`Its file ${FILE} It holds 1,204 users, 4.1 MB`);
  expect(before).not.toContain('There is no room.');
  expect(before).toContain('All is well: the last backup is 3 hours old, the last check found nothing.');
  expect(before).toContain('Outcome Nothing is wrong');
  await note(app, 'backup', now - HOUR, bad);
  await note(app, 'check', now, { outcome: 'bad', problem: '1 found, the first: this.' });
  const after = await text('/admin/status');
  expect(after).toContain('Last failed 1 hour ago');
  expect(after).toContain('There is no room.');
  expect(after).toContain('Look first at the check of the database: it has found something.');
  const { body } = await get(app, '/admin/status', ann);
  expect(body).toMatch(/<strong class="bad"><bdi[^>]*>There is no room\./);
  expect(after).toContain('1 found, the first: this.');
});

test('when the next one is made, how many there are, and which are of another folder', async () => {
  const folder = temporaryFolder();
  for (const day of ['27', '28']) writeFileSync(join(folder, `roster-2026-11-${day}T03-00-00Z.db`), '');
  const { app, text } = await start({ BACKUP_FOLDER: folder });
  await note(app, 'backup', Date.UTC(2100, 0, 31), good);
  expect(await text('/admin/status')).toContain('Last good one dated in the future');
  await note(app, 'backup', Date.now(), good);
  const elsewhere = await text('/admin/status');
  expect(elsewhere).toContain('Not in the folder into which Roster makes its own');
  expect(elsewhere).toContain('Next one Within ten minutes');
  expect(elsewhere).toContain('There are 2, the oldest of 27 November 2026, 03:00 UTC');
  await note(app, 'backup', Date.now() - HOUR / 2, { ...good, file: join(folder, 'roster.db') });
  const there = await text('/admin/status');
  expect(there).not.toContain('Not in the folder');
  expect(there).toContain('Next one In 23 hours');
});

test('one that has no end is under way for an hour, and was stopped then', async () => {
  const { app, text } = await start();
  await transact(app.db, (trx) => beginRun(trx, 'backup', Date.now()));
  expect(await text('/admin/status')).toContain(': under way');
  await transact(app.db, (trx) => beginRun(trx, 'backup', Date.now() - 2 * HOUR));
  expect(await text('/admin/status')).toContain('stopped before its end');
});

test.each<[string, Parameters<typeof verdictOf>[0]['backup'], string]>([
  ['no good one yet', { ...NO_BACKUP, bad: BAD_RUN }, 'the last one failed, and there is no good one.'],
  [
    'one that is late',
    { ...NO_BACKUP, good: { ...BAD_RUN, outcome: 'good' } },
    'the last good one is 3 days old.',
  ],
  [
    'one by a clock that was ahead',
    { ...NO_BACKUP, good: { ...BAD_RUN, outcome: 'good', begun_at: 11 * DAY } },
    'the last good one is dated in the future.',
  ],
  ['none for days', { ...NO_BACKUP, folder: '/srv' }, 'there is no good one.'],
])('what to look at first: %s', (_what, backup, said) => {
  const verdict = verdictOf({ backup, check: { last: undefined, finding: undefined }, since: 0 }, 10 * DAY);
  expect(verdict).toEqual({ isWell: false, said: `Look first at the backups: ${said}` });
});

test('where a mail server is set, which it is, and that it has sent nothing yet', async () => {
  const { text } = await start({
    SMTP_URL: 'smtps://u:p@mail.example.org',
    ORIGIN: 'https://users.example.org',
    TRUST_PROXY: '10.0.0.1',
  });
  const status = await text('/admin/status');
  expect(status).toContain('Server mail.example.org Last sent Not lately Last not sent Not lately');
  expect(status).not.toContain('No mail server is set');
});

test('the words for a report name nobody, no machine and no place', async () => {
  const settings = {
    SMTP_URL: 'smtps://u:p@mail.example.org',
    ORIGIN: 'https://users.example.org',
    TRUST_PROXY: '10.0.0.1',
  };
  const { app, text } = await start(settings);
  await note(app, 'backup', Date.now() - HOUR, good);
  await note(app, 'backup', Date.now(), bad);
  const status = await text('/admin/status');
  const report = status.slice(status.indexOf('then copy it.'));
  expect(report).toContain('Users: about 1');
  expect(report).toContain('Backups: good 1 hour ago, failed since 0 minutes ago, no folder set');
  expect(report).toContain('Sessions: admin 1');
  for (const word of ['ann', hostname(), '/', 'example', '10.0.0.1', 'no room'])
    expect(report).not.toContain(word);
});

test('administrators are told on the plain list where the last good backup is old or the last check found something', async () => {
  const { app, ann, text } = await start({ BACKUP_FOLDER: temporaryFolder() });
  const ed = await signedIn(app, await addPerson(app.db, 'ed', 'editor'));
  expect(await text('/users')).not.toContain('backup');
  await note(app, 'backup', Date.now() - 3.5 * DAY, good);
  await note(app, 'check', Date.now(), { outcome: 'bad', problem: 'x' });
  const list = pageOf(await get(app, '/users', ann));
  expect(list.text).toContain(
    'A check of the database has found something. The last good backup is 3 days old.',
  );
  expect(list.link('See the status')).toBe('/admin/status');
  expect(await text('/users?status=active')).not.toContain('backup');
  expect(pageOf(await get(app, '/users', ed)).text).not.toContain('backup');
  await note(app, 'backup', Date.now(), good);
  await note(app, 'check', Date.now(), { outcome: 'good' });
  expect(await text('/users')).not.toContain('See the status');
});

test('what a whole check has found is told until a whole one has found nothing', async () => {
  const { app, text } = await start();
  const [now, problem] = [Date.now(), '3 found, the first: this.'];
  const isTold = async () => [
    (await text('/admin/status')).includes(problem),
    (await text('/users')).includes('A check of the database has found something.'),
  ];
  await note(app, 'check', now, { outcome: 'bad', problem });
  expect(await text('/admin/status')).not.toContain('Last made');
  // As many as are kept.
  for (let quick = 0; quick < 102; quick++) await note(app, 'check', now, { outcome: 'good' }, true);
  expect(await text('/admin/status')).toContain('Outcome Nothing is wrong, as far as a quick one looks');
  await note(app, 'check', now, { outcome: 'bad', problem: '1 found, the first: that.' }, true);
  await transact(app.db, (trx) => beginRun(trx, 'check', now - 2 * HOUR));
  expect(await text('/admin/status')).toContain('Outcome Stopped before its end');
  const failed = 'It could not be done: The database is gone.';
  await note(app, 'check', now, { outcome: null, problem: failed });
  expect(await text('/admin/status')).toContain(`Outcome ${failed}`);
  expect(await text('/admin/status')).toContain('Look first at the check of the database');
  expect(await isTold()).toEqual([true, true]);
  await note(app, 'check', now, { outcome: 'good' });
  expect(await isTold()).toEqual([false, false]);
});

test('what a quick check has found is told until any has found nothing', async () => {
  const { app, text } = await start();
  for (const isQuick of [true, false]) {
    await note(app, 'check', Date.now(), { outcome: 'bad', problem: 'x' }, true);
    expect(await text('/users')).toContain('A check of the database has found something.');
    await note(app, 'check', Date.now(), { outcome: 'good' }, isQuick);
    expect(await text('/users')).not.toContain('A check of the database');
  }
});

test('whoever keeps the database in another way is told nothing of backups', async () => {
  const db = await temporaryDatabase();
  const [now, week] = [Date.UTC(2100, 0, 31), 7 * DAY];
  const told = (backupFolder: string | undefined, upFor: number) =>
    findNotices(db, { backupFolder } as Config, now, now - upFor);
  expect(await told(undefined, week)).toEqual([]);
  expect(await told('/srv', HOUR)).toEqual([]);
  expect(await told('/srv', week)).toEqual(['There is no good backup yet.']);
  await note({ db }, 'backup', now, bad);
  expect(await told(undefined, HOUR)).toEqual(['There is no good backup yet.']);
  await note({ db }, 'backup', now - HOUR, good);
  expect(await told('/srv', week)).toEqual([]);
  await note({ db }, 'backup', now + HOUR, good);
  expect(await told(undefined, week)).toEqual(['The last good backup is dated in the future.']);
});

test('what a run says of itself is shown in short, and hides nothing', async () => {
  const { app, ann } = await start();
  await note(app, 'backup', 1, { outcome: 'bad', problem: `\u202E\u0007${'x'.repeat(1_000_000)}` });
  await note(app, 'check', 1, { outcome: 'bad', problem: 'y'.repeat(1_000_000) });
  const page = (await get(app, '/admin/status', ann)).body;
  expect(page.length).toBeLessThan(50_000);
  expect(page).toContain(`\uFFFD\uFFFD${'x'.repeat(498)}…`);
});

test('the log of a file that a symbolic link leads to is that which lies beside the file', async () => {
  const folder = temporaryFolder();
  mkdirSync(join(folder, 'disk'));
  const file = join(folder, 'disk', 'roster.db');
  symlinkSync(file, join(folder, 'roster.db'));
  for (const name of [file, `${file}-wal`]) writeFileSync(name, Buffer.alloc(4096));
  expect(logSize(join(folder, 'roster.db'))).toBe(4096);
});
