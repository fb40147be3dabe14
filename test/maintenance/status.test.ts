/** What administrators are told of how Roster is. */
import { hostname } from 'node:os';
import type { FastifyInstance } from 'fastify';
import { expect, test } from 'vitest';
import type { Config } from '../../src/config.ts';
import { transact } from '../../src/db/transact.ts';
import { DAY, HOUR } from '../../src/lib/clock.ts';
import { findNotices } from '../../src/maintenance/notice.ts';
import { beginRun, endRun, type Run } from '../../src/maintenance/queries.ts';
import { pageOf } from '../page.ts';
import { addPerson, signedIn } from '../people.ts';
import { get, startApp, temporaryDatabase } from '../support.ts';

type Ended = Parameters<typeof endRun>[2];

async function note({ db }: Pick<FastifyInstance, 'db'>, kind: Run['kind'], at: number, ended: Ended) {
  await transact(db, async (trx) => endRun(trx, await beginRun(trx, kind, at), ended, at + 1));
}

const FILE = '/srv/backups/roster.db';
const good: Ended = { outcome: 'good', file: FILE, size: 4_100_000, users: 1204 };
const bad: Ended = { outcome: 'bad', problem: 'There is no room.' };

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
  expect(status).toContain('Administrators 1 person');
  expect(status).toContain('Viewers 1 person');
  expect(status).toContain('No mail server is set');
  expect(status).toContain('Roster has made none.');
  const roles = pageOf(await get(app, '/roles', ann));
  expect(roles.link('Status')).toBe('/admin/status');
});

test('the last good backup, what failed since, and the last check', async () => {
  const { app, text } = await start();
  const now = Date.now();
  await note(app, 'backup', now - 9 * DAY, bad);
  await note(app, 'backup', now - 3 * HOUR, good);
  await note(app, 'check', now - 2 * HOUR, { outcome: 'good', users: 1204 });
  const before = await text('/admin/status');
  expect(before).toContain(`Last good one 3 hours ago, on ${hostname()}`);
  expect(before).toContain(`Its file ${FILE} It holds 1,204 users, 4.1 MB`);
  expect(before).not.toContain('There is no room.');
  expect(before).toContain('Outcome Nothing is wrong');
  await note(app, 'backup', now - HOUR, bad);
  await note(app, 'check', now, { outcome: 'bad', problem: '1 found, the first: this.' });
  const after = await text('/admin/status');
  expect(after).toContain('Last failed 1 hour ago');
  expect(after).toContain('There is no room.');
  expect(after).toContain('1 found, the first: this.');
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
  const { app, ann, text } = await start();
  const ed = await signedIn(app, await addPerson(app.db, 'ed', 'editor'));
  expect(await text('/users')).not.toContain('backup');
  await note(app, 'backup', Date.now() - 3.5 * DAY, good);
  await note(app, 'check', Date.now(), { outcome: 'bad', problem: 'x' });
  const list = pageOf(await get(app, '/users', ann));
  expect(list.text).toContain(
    'The last good backup is 3 days old. The last check of the database found something.',
  );
  expect(list.link('See the status')).toBe('/admin/status');
  expect(await text('/users?status=active')).not.toContain('backup');
  expect(pageOf(await get(app, '/users', ed)).text).not.toContain('backup');
  await note(app, 'backup', Date.now(), good);
  await note(app, 'check', Date.now(), { outcome: 'good' });
  expect(await text('/users')).not.toContain('See the status');
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
});
