/** Who is in Roster but not in a file: said when it was read, a filter of the list, and changed in bulk by whoever wants to. */
import fc from 'fast-check';
import type { FastifyInstance } from 'fastify';
import { expect, test } from 'vitest';
import { commandLine } from '../../src/auth/actor.ts';
import { seedUsers } from '../../src/cli/seed.ts';
import type { Trx } from '../../src/db/schema.ts';
import { transact } from '../../src/db/transact.ts';
import { forgetAbsent, keepAbsent } from '../../src/imports/absent.ts';
import { forgetAll } from '../../src/imports/queries.ts';
import { DAY } from '../../src/lib/clock.ts';
import { deleteUser, restoreUser } from '../../src/users/commands.ts';
import { absentUsers, isAbsent } from '../../src/users/list/absent.ts';
import { confirm } from '../bulk/asking.ts';
import { pageOf } from '../page.ts';
import { addPerson, type Headers, movableClock, signedIn } from '../people.ts';
import { runs } from '../runs.ts';
import { addUsers, get, post, startApp, temporaryDatabase } from '../support.ts';
import { apply, bring } from './by-pages.ts';

const NOW = Date.UTC(2100, 0, 31);

async function start() {
  const clock = movableClock(NOW);
  const app = await startApp({}, undefined, clock);
  const ann = await signedIn(app, await addPerson(app.db, 'ann', 'admin'));
  await addUsers(app.db, ['bob', 'cem', 'dora', 'emil', 'fay', 'gus']);
  return { app, clock, ann };
}

/** Two editors and a viewer, signed in. */
async function addColleagues(app: FastifyInstance) {
  return {
    ed: await signedIn(app, await addPerson(app.db, 'ed', 'editor')),
    eva: await signedIn(app, await addPerson(app.db, 'eva', 'editor')),
    vic: await signedIn(app, await addPerson(app.db, 'vic', 'viewer')),
  };
}

/** The same, changed, refused by a role, refused by somebody’s email, and somebody new. */
const FILE = [
  'username,email,full_name,role',
  'ann,,,',
  'bob,,Bob,',
  'cem,,,captain',
  'other,dora@example.org,,',
  'zed,zed@example.com,,',
].join('\n');

test('who is not in a file is told, listed by a link, searched among and changed in bulk', async () => {
  const { app, ann } = await start();
  const address = await bring(app, ann, FILE);
  const page = pageOf(await get(app, address, ann));
  expect(page.text).toContain('3 users are in Roster but not in this file, and stay as they are.');
  const { href = '' } = page.links.find(({ text }) => text === '3 users') ?? {};
  const listed = async (rest = '') => pageOf(await get(app, href + rest, ann)).text;
  for (const rest of ['', '&sort=-name', '&status=active', '&q=example']) {
    const text = await listed(rest);
    for (const username of ['emil', 'fay', 'gus']) expect(text).toContain(username);
    for (const username of ['bob', 'cem', 'dora', 'zed']) expect(text).not.toContain(username);
    expect(text).toContain('of 3');
  }
  expect(await listed()).toContain(`Not in the file of import ${address.split('/')[2]}`);
  expect(await listed('&q=fay')).not.toContain('gus');
  await apply(app, ann, address);
  const done = pageOf(await get(app, address, ann)).text;
  expect(done).toContain('3 users are in Roster but not in this file.');
  const from = href.slice('/users?'.length);
  await confirm(app, ann, 'deactivate', `from=${encodeURIComponent(from)}&all=on`);
  const inactive = await app.db
    .selectFrom('users')
    .select('username')
    .where('is_active', '=', false)
    .execute();
  expect(inactive.map(({ username }) => username).sort()).toEqual(['emil', 'fay', 'gus']);
});

test('who is deleted as it is read and comes back is not among them: they may be in the file', async () => {
  const { app, ann } = await start();
  const { db } = app;
  const { id } = await db
    .selectFrom('users')
    .select('id')
    .where('username', '=', 'emil')
    .executeTakeFirstOrThrow();
  await transact(db, (trx) => deleteUser(trx, commandLine, id, NOW));
  const address = await bring(app, ann, 'username,email\nann,\nemil,emil@example.org\n');
  await transact(db, (trx) => restoreUser(trx, commandLine, id, NOW));
  const from = `/users?absent_from=${address.split('/')[2]}`;
  const { text } = pageOf(await get(app, from, ann));
  for (const username of ['dora', 'fay']) expect(text).toContain(username);
  expect(text).not.toContain('emil');
});

test('where everyone is in the file nothing is said of it', async () => {
  const { app, ann } = await start();
  const address = await bring(app, ann, 'username\nann\nbob\ncem\ndora\nemil\nfay\ngus\n');
  expect(pageOf(await get(app, address, ann)).text).not.toContain('not in this file');
});

test.each([
  ['from the page that offers it', (id: string) => `/import?of=${id}`],
  ['as any other file', () => '/import'],
])('of refused rows that are corrected and brought %s it is no news', async (_, to) => {
  const { app, ann } = await start();
  const address = await bring(app, ann, FILE);
  const { body } = await get(app, `${address}/refused`, ann);
  const id = address.split('/')[2] ?? '';
  const right = await bring(app, ann, body.replace(',,,captain', ',,,viewer'), 'right.csv', to(id));
  expect(pageOf(await get(app, right, ann)).text).not.toContain('not in this file');
  await apply(app, ann, right);
  expect(pageOf(await get(app, right, ann)).text).not.toContain('not in this file');
});

test('nor is anything said of it once somebody is erased, after which it is not known how a file was read', async () => {
  const { app, ann } = await start();
  const address = await bring(app, ann, FILE);
  await apply(app, ann, address);
  await transact(app.db, forgetAll);
  const page = pageOf(await get(app, address, ann));
  expect(page.heading).toBe('Imported');
  expect(page.text).not.toContain('not in this file');
});

test('nor is it where all in the file are new', async () => {
  const { app, ann } = await start();
  const address = await bring(app, ann, 'username,email\nzed,zed@example.com\nyve,yve@example.com\n');
  expect(pageOf(await get(app, address, ann)).text).not.toContain('not in this file');
});

test('it is for whoever has brought the file and for administrators: others cannot list, export or change them', async () => {
  const { app, ann } = await start();
  const { ed, eva, vic } = await addColleagues(app);
  const address = await bring(app, ed, FILE);
  const from = `absent_from=${address.split('/')[2]}`;
  const selected = `from=${encodeURIComponent(from)}&all=on`;
  const urls = [`/users?${from}`, `/export?${selected}`, `/export/file?${selected}&format=csv`];
  const bulk = `/bulk?${selected}&do=deactivate`;
  for (const url of [...urls, bulk])
    for (const headers of [ed, ann]) expect((await get(app, url, headers)).statusCode, url).toBe(200);
  for (const [headers, seen] of [
    [vic, urls],
    [eva, [...urls, bulk]],
  ] as const)
    for (const url of seen) {
      const answer = await get(app, url, headers);
      expect(answer.statusCode, url).toBe(404);
      expect(pageOf(answer).text).toContain('There is no such import');
    }
  expect((await post(app, bulk, {}, eva)).statusCode).toBe(404);
});

test('nor does the way back to a list of them, which others may have passed on, say how many they are', async () => {
  const { app, ann } = await start();
  const { ed, eva, vic } = await addColleagues(app);
  const address = await bring(app, ed, FILE);
  const absent = `absent_from=${address.split('/')[2]}&`;
  const from = `from=${encodeURIComponent(`${absent}per_page=1&page=99999`)}`;
  const back = async (headers: Headers) => {
    const page = pageOf(await get(app, `/users/2?${from}`, headers));
    return page.links.find(({ href }) => href.startsWith('/users?'))?.href;
  };
  for (const headers of [ed, ann]) expect(await back(headers)).toBe(`/users?${absent}per_page=1&page=6`);
  for (const headers of [eva, vic]) expect(await back(headers)).toBe('/users?per_page=1&page=10');
  const { headers } = await post(app, `/users/5/delete?${from}`, {}, eva);
  expect(headers.location).toBe('/users?per_page=1&page=9');
  expect((await post(app, `/users/6/delete?${from}`, {}, ed)).headers.location).toBe(
    `/users?${absent}per_page=1&page=4`,
  );
});

test('where imports cannot be read nor can the way back: nobody is led to a list without the filter', async () => {
  const { app, ann } = await start();
  await transact(app.db, (trx) => trx.schema.alterTable('imports').renameTo('lost').execute());
  expect((await get(app, '/users/2?from=absent_from%3D1', ann)).statusCode).toBe(500);
  expect((await get(app, '/users/2?from=q%3Dbob', ann)).statusCode).toBe(200);
});

test('it is known for as long as the import', async () => {
  const { app, clock, ann } = await start();
  const address = await bring(app, ann, FILE);
  clock.move(DAY + 1);
  await app.runJobs();
  expect(await app.db.selectFrom('absent_users').selectAll().execute()).toEqual([]);
  const id = address.split('/')[2];
  const later = await signedIn(app, await addPerson(app.db, 'zoe', 'admin'));
  const text = pageOf(await get(app, `/users?absent_from=${id}`, later)).text;
  expect(text).toContain('Nobody matches');
  expect(text).toContain('Roster knows for a day who is not in an imported file.');
});

test('once the import is forgotten nobody sees it any more, also where it is not gone yet', async () => {
  const { app, ann } = await start();
  const vic = await signedIn(app, await addPerson(app.db, 'vic', 'viewer'));
  const address = await bring(app, ann, FILE);
  const from = `absent_from=${address.split('/')[2]}`;
  await transact(app.db, (trx) => trx.deleteFrom('imports').execute());
  const selected = `from=${encodeURIComponent(from)}&all=on`;
  for (const url of [`/users?${from}`, `/export?${selected}`, `/export/file?${selected}&format=csv`])
    for (const headers of [vic, ann]) {
      const answer = await get(app, url, headers);
      expect(answer.statusCode, url).toBe(404);
      expect(pageOf(answer).text).toContain('There is no such import');
    }
});

test('whoever is in a file, all others are found, and are forgotten in parts', async () => {
  const db = await temporaryDatabase();
  await seedUsers(db, 60);
  const ids = (await db.selectFrom('users').select('id').orderBy('id').execute()).map(({ id }) => id);
  const write = <T>(work: (trx: Trx) => Promise<T>) => transact(db, work);
  const report = async () => {};
  const absent = async (imported: number) =>
    (await absentUsers(db, imported).execute()).map(({ id }) => id).sort((one, other) => one - other);
  await fc.assert(
    fc.asyncProperty(fc.subarray([...ids, 1_000, 1_001]), async (present) => {
      const others = ids.filter((id) => !present.includes(id));
      const count = await keepAbsent(db, 7, new Set(present), { write, report });
      expect(count).toBe(others.length);
      expect(await absent(7)).toEqual(others);
      const matching = db.selectFrom('users').select('id').where(isAbsent(7)).orderBy('id');
      expect((await matching.execute()).map(({ id }) => id)).toEqual(others);
    }),
    runs(200),
  );
  await keepAbsent(db, 8, new Set([3]), { write, report });
  await forgetAbsent(7, write);
  expect(await absent(7)).toEqual([]);
  expect(await absent(8)).toEqual(ids.filter((id) => id !== 3));
});
