/** A page of a table that PostgreSQL cannot read any more: whoever waits gets nothing from there, and other pages are there. */
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { sql } from 'kysely';
import { beforeAll, expect, test } from 'vitest';
import { replicasOf } from '../../../src/db/engine.ts';
import { pageOf } from '../../page.ts';
import { addPerson, signedIn } from '../../people.ts';
import { ask } from '../../postgres/ask.ts';
import { addUser, get, startApp, temporaryDatabase } from '../../support.ts';
import { expectInUse, expectThere, queryAt, type Servers, setUp, startServers } from './replicas.ts';

let servers: Servers;
beforeAll(async () => {
  servers = await startServers();
  return () => servers.stop();
});

/** The next time the server is started it reads something else where the users are. @param url its own address */
async function overwriteUsers(url: string): Promise<void> {
  const { rows } = await queryAt(
    url,
    `select current_setting('data_directory') as folder, pg_relation_filepath('users') as file`,
  );
  const file = await open(join(rows[0].folder, rows[0].file), 'r+');
  await file.write(Buffer.alloc(8192, 'x'), 0, 8192, 0);
  await file.close();
}

test('on a replica it is read at the primary, and the replica is left out', async () => {
  const { url, open } = await setUp(servers);
  const db = await open();
  const app = await startApp({}, db);
  const headers = await signedIn(app, await addPerson(db, 'ann', 'admin'));
  await ask(url, 'vacuum freeze users', 'checkpoint');
  await expectInUse(db, 2);
  for (const standby of servers.standbys) {
    const address = Object.assign(new URL(standby), { pathname: new URL(url).pathname }).href;
    await ask(address, 'checkpoint');
    await overwriteUsers(address);
    await servers.kill(standby);
    await servers.revive(standby);
    await expectThere(standby, 'select');
  }
  await expectInUse(db, 2);
  const problems = async () => {
    expect((await get(app, '/users/1', headers)).statusCode).toBe(200);
    return replicasOf(db)
      ?.states()
      .map(({ problem }) => problem);
  };
  const damaged = /^it failed a query: The database is damaged \(invalid page in block 0/;
  await expect.poll(problems).toContainEqual(expect.stringMatching(damaged));
});

test('it is said to be damaged, and connections are used on', async () => {
  const { url } = await setUp(servers);
  const db = await temporaryDatabase(url, 1);
  const app = await startApp({}, db);
  await addUser(db, { username: 'bob' });
  await ask(url, 'vacuum freeze users', 'checkpoint');
  await overwriteUsers(url);
  await servers.crash();
  const pid = async () => (await sql`select pg_backend_pid() as pid`.execute(db)).rows;
  const before = await pid();
  const page = await get(app, '/users/1');
  expect([page.statusCode, pageOf(page).text]).toEqual([
    500,
    expect.stringContaining('damaged. Tell whoever runs Roster: its log says what to do.'),
  ]);
  expect(await pid()).toEqual(before);
});
