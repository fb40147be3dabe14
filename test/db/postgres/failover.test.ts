/** A standby that has become primary without all that was saved: what was lost with the former one is not shown again, nor waited for. */
import { setTimeout } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { replicasOf } from '../../../src/db/engine.ts';
import { addPerson, signedIn } from '../../people.ts';
import { ask } from '../../postgres/ask.ts';
import { get, post, startApp, temporaryDatabase } from '../../support.ts';
import {
  Browser,
  cutFromPrimary,
  expectInUse,
  expectThere,
  queryAt,
  setUp,
  startServers,
} from './replicas.ts';

/** What takes up so much of the log. */
const writeMegabytes = (count: number) =>
  `select pg_logical_emit_message(false, '', repeat('x', ${count} * 1000 * 1000))`;

/** A primary whose standbys can take its place, the first of them at once. */
async function start() {
  const servers = await startServers();
  onTestFinished(() => servers.stop());
  const setup = await setUp(servers);
  const [first = '', second = ''] = servers.standbys;
  const promoted = Object.assign(new URL(first), { pathname: new URL(setup.url).pathname }).href;
  const failOver = async () => {
    setup.primary.cutOff();
    await ask(first, 'select pg_promote()');
    setup.primary.moveTo(promoted);
  };
  return { ...setup, first, second, promoted, failOver };
}

const bob = { username: 'bob', email: 'bob@example.org' };

test('a page that shows what was lost does not hold any more, once as much has been changed anew', async () => {
  const { url, primary, first, failOver } = await start();
  const app = await startApp({}, await temporaryDatabase(primary.url));
  const headers = await signedIn(app, await addPerson(app.db, 'ann', 'admin'));
  const eve = await addPerson(app.db, 'eve', 'viewer');
  const rename = (id: number, full_name: string) => post(app, `/users/${id}`, { full_name }, headers);
  const { rows } = await queryAt(url, 'select pg_current_wal_lsn() as position');
  await expectThere(first, `select where pg_last_wal_replay_lsn() >= '${rows[0].position}'`);
  await cutFromPrimary([first]);
  expect((await rename(eve.id, 'Evelyn')).statusCode).toBe(303);
  const page = await get(app, '/users', headers);
  expect(page.body).toContain('Evelyn');
  await failOver();
  await expect.poll(async () => (await rename(1, 'Annabel')).statusCode).toBe(303);
  const again = await get(app, '/users', { ...headers, 'if-none-match': page.headers.etag });
  expect(again.statusCode).toBe(200);
  expect(again.body).toContain('Annabel');
  expect(again.body).not.toContain('Evelyn');
});

test('a standby that has got what was lost shows nobody the past, however far the new primary goes on', async () => {
  const { url, primary, standbys, first, promoted, failOver, open } = await start();
  const db = await open(60_000, [standbys[1]?.url ?? '']);
  const app = await startApp({}, db);
  const ann = new Browser(await signedIn(app, await addPerson(db, 'ann', 'admin')));
  await expectInUse(db, 1);
  await cutFromPrimary([first]);
  await ask(url, writeMegabytes(2));
  await expectInUse(db, 1);
  await failOver();
  const create = async () => (await ann.post(app, '/users', bob)).statusCode;
  await expect.poll(create).toBe(303);
  await ask(promoted, writeMegabytes(4));
  for (let look = 0; look < 4; look++) {
    await setTimeout(500);
    expect(await ann.users(app)).toHaveLength(2);
  }
  await expect
    .poll(() => replicasOf(db)?.states())
    .toMatchObject([{ problem: 'it may not follow the primary that there is now' }]);
  primary.cutOff();
});

test('a standby of the new primary stands in for it, though less than was lost is saved there', async () => {
  const { url, primary, standbys, first, second, promoted, failOver, open } = await start();
  const db = await open(60_000, [standbys[1]?.url ?? '']);
  const app = await startApp({}, db);
  const ann = new Browser(await signedIn(app, await addPerson(db, 'ann', 'admin')));
  await expectInUse(db, 1);
  await cutFromPrimary([first, second]);
  await ask(url, writeMegabytes(20));
  expect((await ann.post(app, '/users', bob)).statusCode).toBe(303);
  await failOver();
  await ask(second, `alter system set primary_conninfo = '${first}'`, 'select pg_reload_conf()');
  await expect.poll(async () => (await ann.get(app, '/users/1')).statusCode).toBe(200);
  await setTimeout(1_000);
  await ask(promoted, writeMegabytes(1));
  await expectInUse(db, 1);
  primary.cutOff();
  await expect.poll(() => replicasOf(db)?.standIn()).toBeDefined();
});

test('nobody stands in beside one that was promoted, though that is away, too', async () => {
  const { primary, standbys, first, open } = await start();
  const db = await open();
  const replicas = replicasOf(db);
  await expectInUse(db, 2);
  primary.cutOff();
  await expect.poll(() => replicas?.standIn()).toBeDefined();
  await ask(first, 'select pg_promote()');
  const problem = () => replicas?.states()[0]?.problem;
  await expect.poll(problem).toBe('it is no standby');
  standbys[0]?.cutOff();
  await expect.poll(problem).not.toBe('it is no standby');
  await expect.poll(() => replicas?.states()[1]?.problem).toBeUndefined();
  expect(replicas?.standIn()).toBeUndefined();
});
