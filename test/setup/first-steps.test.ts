/** The first start: how one becomes the administrator, and what is left to do then. */
import { execFile } from 'node:child_process';
import { networkInterfaces } from 'node:os';
import { promisify } from 'node:util';
import type { FastifyInstance } from 'fastify';
import { describe, expect, test } from 'vitest';
import { commandLine } from '../../src/auth/actor.ts';
import { transact } from '../../src/db/transact.ts';
import { beginSet } from '../../src/history/record.ts';
import { beginRun, endRun } from '../../src/maintenance/queries.ts';
import { pageOf } from '../page.ts';
import { addPerson, PASSWORD, signedIn } from '../people.ts';
import { isLacking } from '../requirements.ts';
import { addUser, get, listen, post, startApp, temporaryFolder } from '../support.ts';

const PROXY = { ORIGIN: 'https://users.example.org', TRUST_PROXY: '10.0.0.1' };

describe('an empty directory', () => {
  test('welcomes with three ways on', async () => {
    const app = await startApp();
    const page = pageOf(await get(app, '/users'));
    expect([page.heading, page.notices]).toEqual(['Welcome to Roster', []]);
    expect(page.text).toContain('Become administrator');
    expect(page.link('Add the first user')).toBe('/users/new');
    expect(page.form('Add made-up people').action).toBe('/made-up-people');
  });

  test('says where the link to the administrator stands, and what to type, where it is not known who asks', async () => {
    const app = await startApp();
    const answer = await get(app, '/users');
    const { text, buttons } = pageOf(answer);
    expect(text).toContain('No administrator yet: make one at http://localhost/setup/…');
    expect(text).toContain('npm run roster -- admin alice --email alice@example.com');
    expect(buttons).not.toContain('Become administrator');
    expect(answer.body).not.toContain(app.setupToken);
    const pressed = await post(app, '/setup');
    expect(pressed.statusCode).toBe(403);
    expect(pageOf(pressed).text).toContain('anyone else opens the link in its log. Nothing was changed.');
    expect(JSON.stringify(pressed.headers)).not.toContain(app.setupToken);
  });
});

/** What Roster says to a program that runs as another user of this machine. */
async function askAs(uid: number, address: string, method: string): Promise<string> {
  const program = `fetch(process.argv[1], { method: process.argv[2], redirect: 'manual' }).then(async (answer) =>
    console.log(answer.status, answer.headers.get('location'), await answer.text()))`;
  const { stdout } = await promisify(execFile)(process.execPath, ['-e', program, address, method], {
    uid,
    cwd: '/',
  });
  return stdout;
}

// Who is at the other end of a connection is known on Linux alone.
describe.runIf(process.platform === 'linux')('the button by which one becomes administrator', () => {
  const press = async (address: string, headers = {}) =>
    fetch(`${address}/setup`, { method: 'POST', redirect: 'manual', headers });

  const addresses = Object.values(networkInterfaces()).flatMap((some) => some?.map(({ address }) => address));

  test.each(['127.0.0.1', '::1'].filter((host) => addresses.includes(host)))(
    'leads whoever runs Roster to the form, at %s',
    async (host) => {
      const app = await startApp({ HOST: host });
      const address = await app.listen({ host, port: 0 });
      const page = pageOf(await (await fetch(`${address}/users`)).text());
      expect(page.form('Become administrator').action).toBe('/setup');
      expect(page.text).not.toContain('npm run roster');
      const answer = await press(address);
      expect([answer.status, answer.headers.get('location')]).toEqual([303, `/setup/${app.setupToken}`]);
      expect(answer.headers.get('cache-control')).toBe('no-store');
    },
  );

  test('is still there beside the first users, on the list alone', async () => {
    const app = await startApp();
    const address = await listen(app);
    await addUser(app.db, { username: 'zoe' });
    const at = async (path: string) => pageOf(await (await fetch(address + path)).text());
    expect((await at('/users')).primary).toEqual(['Become administrator']);
    expect((await at('/users?status=active')).buttons).not.toContain('Become administrator');
  });

  test('leads nowhere by way of a proxy or from another site', async () => {
    const address = await listen(await startApp());
    const { port } = new URL(address);
    for (const headers of [
      { 'x-forwarded-for': '127.0.0.1' },
      { via: '1.1 proxy' },
      { origin: 'https://evil.example' },
      { 'sec-fetch-site': 'cross-site' },
      { origin: `http://evil.example:${port}` },
    ])
      expect((await press(address, headers)).status, JSON.stringify(headers)).toBe(403);
    expect((await press(address.replace('127.0.0.1', 'localhost'))).status).toBe(303);
  });

  test.skipIf(isLacking(process.getuid?.() === 0))('leads no other user of the machine there', async () => {
    const app = await startApp();
    const address = await listen(app);
    const page = await askAs(65_534, `${address}/users`, 'GET');
    expect(page).toMatch(/^200 /);
    expect(page).toContain('npm run roster');
    const pressed = await askAs(65_534, `${address}/setup`, 'POST');
    expect(pressed).toMatch(/^403 null /);
    expect(page + pressed).not.toContain(app.setupToken);
    expect(await askAs(0, `${address}/setup`, 'POST')).toContain(`303 /setup/${app.setupToken} `);
  });

  test('leads nowhere once there is an administrator', async () => {
    const app = await startApp();
    const address = await listen(app);
    const headers = await signedIn(app, await addPerson(app.db, 'ann', 'admin'));
    expect((await press(address)).status).toBe(401);
    expect((await press(address, headers)).status).toBe(409);
  });
});

describe('what is left to do', () => {
  const ORIGIN = 'Let others reach Roster';
  const INVITE = 'Invite someone';
  const BACKUP = 'Keep backups';

  async function startWithAnn(settings = {}) {
    const app = await startApp(settings);
    const headers = await signedIn(app, await addPerson(app.db, 'ann', 'admin'));
    return { app, headers, read: async (path = '/users') => pageOf(await get(app, path, headers)) };
  }

  test('is said to an administrator, and gone step by step', async () => {
    const { app, headers, read } = await startWithAnn();
    const page = await read();
    for (const step of ['What is left to do', INVITE, ORIGIN, BACKUP]) expect(page.text).toContain(step);
    expect(page.link('Invite someone')).toBe('/invite');
    await addUser(app.db, { username: 'max' });
    expect((await read()).text).toContain(INVITE);
    const vera = await addUser(app.db, { username: 'vera', role: 'viewer' });
    expect((await read()).text).toContain(INVITE);
    await post(app, `/users/${vera.id}/invitation`, {}, headers);
    expect((await read()).text).not.toContain(INVITE);
    expect((await read()).text).toContain(ORIGIN);
  });

  test('begins with what is wanted most: to invite, until somebody else can sign in', async () => {
    const { app, headers, read } = await startWithAnn();
    expect((await read()).primary).toEqual(['Invite']);
    await post(app, '/invite', { email: 'vera@example.org' }, headers);
    expect((await read()).primary).toEqual(['New user']);
  });

  test('is folded up where more than a page of people is what one comes for, and not while some are made up', async () => {
    const { app, headers, read } = await startWithAnn();
    const isOpen = async () => (await read()).isOpen('What is left to do');
    expect(await isOpen()).toBe(true);
    await post(app, '/made-up-people', {}, headers);
    expect(await isOpen()).toBe(true);
    await post(app, '/made-up-people/delete', {}, headers);
    for (let number = 0; number < 10; number++) await addUser(app.db, { username: `user${number}` });
    expect(await isOpen()).toBe(false);
  });

  test('stands in the order in which it is done', async () => {
    const { text } = await (await startWithAnn()).read();
    const steps = ['Import a file', INVITE, ORIGIN, BACKUP].map((step) => text.indexOf(step));
    expect(steps).toEqual(steps.toSorted((one, other) => one - other));
  });

  test('is not to invite someone once somebody else has a link, or has used it, whichever Roster is asked', async () => {
    const { app, headers, read } = await startWithAnn();
    const { location } = (await post(app, '/invite', { email: 'vera@example.org' }, headers)).headers;
    const other = async () => pageOf(await get(await startApp({}, app.db), '/users', headers)).text;
    expect(await other()).not.toContain(INVITE);
    const { pathname } = new URL((await read(String(location))).secret);
    await post(app, pathname, { new_password: PASSWORD, new_password_again: PASSWORD });
    expect(await other()).not.toContain(INVITE);
    await post(app, '/users/2/delete', {}, headers);
    expect(await other()).toContain(INVITE);
  });

  test('is not to keep backups where Roster makes them', async () => {
    const { read } = await startWithAnn({ BACKUP_FOLDER: temporaryFolder() });
    expect((await read()).text).not.toContain(BACKUP);
  });

  test('is gone as a whole once all of it is done', async () => {
    const { app, read } = await startWithAnn(PROXY);
    expect((await read()).text).not.toContain(ORIGIN);
    expect((await read()).text).toContain(INVITE);
    await addPerson(app.db, 'vera', 'viewer');
    expect((await read()).link('Import a file')).toBe('/import');
    await transact(app.db, (trx) => beginSet(trx, commandLine, { at: 1, kind: 'imported' }));
    expect((await read()).text).not.toContain('Import a file');
    expect((await read()).text).toContain(BACKUP);
    await transact(app.db, async (trx) =>
      endRun(trx, await beginRun(trx, 'backup', 1), { outcome: 'good' }, 2),
    );
    expect((await read()).text).not.toContain('What is left to do');
  });

  test('stands on the plain list alone, and nobody else sees it', async () => {
    const { app, read } = await startWithAnn();
    expect((await read('/users?sort=name')).text).not.toContain('What is left to do');
    for (const role of ['viewer', 'editor'] as const) {
      const headers = await signedIn(app, await addPerson(app.db, role, role));
      expect(pageOf(await get(app, '/users', headers)).text).not.toContain('What is left to do');
    }
  });

  test('can be hidden, in one browser', async () => {
    const { app, headers, read } = await startWithAnn();
    const hidden = await post(app, '/first-steps/delete', {}, headers);
    expect([hidden.statusCode, hidden.headers.location]).toEqual([303, '/users']);
    const [{ name, value, maxAge } = { name: '', value: '' }] = hidden.cookies;
    expect(maxAge).toBe(400 * 24 * 60 * 60);
    const again = await get(app, '/users', { ...headers, cookie: `${headers.cookie}; ${name}=${value}` });
    expect(pageOf(again).text).not.toContain('What is left to do');
    expect((await read()).text).toContain('What is left to do');
  });

  test('costs nobody a query who does not see it, nor an administrator who has no made-up people', async () => {
    const { app, read } = await startWithAnn();
    await addUser(app.db, { username: 'zoe' });
    const others = [];
    for (const role of ['viewer', 'editor'] as const)
      others.push(await signedIn(app, await addPerson(app.db, role, role)));
    expect((await read()).heading).toBe('Users 4');
    await transact(app.db, (trx) => trx.schema.dropTable('made_up_people').execute());
    for (const headers of others) expect((await get(app, '/users', headers)).statusCode).toBe(200);
    expect((await read()).heading).toBe('Users 4');
    expect((await read('/users?sort=name')).heading).toBe('Users 4');
  });
});

test('who becomes the administrator by the button keeps the made-up people until they are taken out', async () => {
  const app: FastifyInstance = await startApp();
  await post(app, '/made-up-people');
  const fields = { username: 'ann', email: 'ann@example.org' };
  const passwords = { new_password: PASSWORD, new_password_again: PASSWORD };
  await post(app, `/setup/${app.setupToken}`, { ...fields, ...passwords });
  const ann = await app.db
    .selectFrom('users')
    .selectAll()
    .where('username', '=', 'ann')
    .executeTakeFirstOrThrow();
  const headers = await signedIn(app, ann);
  expect(pageOf(await get(app, '/users', headers)).text).toContain('100 made-up people');
  expect((await post(app, '/made-up-people/delete', {}, headers)).statusCode).toBe(303);
  expect(pageOf(await get(app, '/users', headers)).heading).toBe('Users 1');
});

test('made-up people can be taken out again whichever Roster is asked, also one that had known of none', async () => {
  const app = await startApp();
  const other = await startApp({}, app.db);
  const headers = await signedIn(app, await addPerson(app.db, 'ann', 'admin'));
  const zoe = await addUser(app.db, { username: 'zoe' });
  expect(pageOf(await get(other, '/users', headers)).text).not.toContain('made-up people');
  await post(app, `/users/${zoe.id}/delete`, {}, headers);
  await post(app, '/made-up-people', {}, headers);
  for (const one of [app, other])
    expect(pageOf(await get(one, '/users', headers)).text).toContain('100 made-up people');
});
