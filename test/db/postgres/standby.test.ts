/** A server that only reads, and connections that lead there after those who write have gone elsewhere. */
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { sql } from 'kysely';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { openDatabase, openToRead } from '../../../src/db/database.ts';
import { replicasOf } from '../../../src/db/engine.ts';
import type { Db } from '../../../src/db/schema.ts';
import { transact } from '../../../src/db/transact.ts';
import { startProxy } from '../../postgres/proxy.ts';
import { startPostgres } from '../../postgres/start.ts';
import { run } from '../../roster.ts';
import { addUser, get, startApp, temporaryDatabase } from '../../support.ts';

let primary: string;
let standby: string;
beforeAll(async () => {
  const postgres = await startPostgres(['fsync=off']);
  primary = postgres.url;
  await (await openDatabase(primary)).destroy();
  standby = await postgres.standby();
  return () => postgres.stop();
});

async function portOf(db: Db): Promise<string> {
  const { rows } = await sql<{ port: string }>`select current_setting('port') as port`.execute(db);
  return rows[0]?.port ?? '';
}

/** A database whose address has led to the standby, where five connections still are, and leads to the primary now. */
async function startStale() {
  const { url, moveTo } = await startProxy(primary);
  const db = await temporaryDatabase(url);
  moveTo(standby);
  await Promise.all(Array.from({ length: 5 }, () => sql`select pg_sleep(0.2)`.execute(db)));
  moveTo(primary);
  return db;
}

test.each([
  ['to serve', []],
  ['a command', ['seed', '10']],
  ['to make an administrator', ['admin', 'alice', '--email', 'alice@example.org']],
])('starting at a standby (%s) is refused in one sentence', async (_what, args) => {
  const child = run(args, { PORT: '0', DATABASE_URL: standby });
  const [error, [code]] = await Promise.all([text(child.stderr), once(child, 'close')]);
  expect(error).toBe(
    'The server is a standby, which only reads; give Roster the address of the primary, or of whatever leads there.\n',
  );
  expect(code).toBe(1);
});

test('a standby can be read from', async () => {
  const db = await openToRead(standby);
  expect(await portOf(db)).toBe(new URL(standby).port);
  await db.destroy();
});

test('what a standby refuses to begin is done on another connection, and none that is as old is used again', async () => {
  const db = await startStale();
  expect(await portOf(db)).toBe(new URL(standby).port);
  await expect.poll(() => addUser(db, { username: 'alice' }).then(() => 'saved', String)).toBe('saved');
  const ports = await Promise.all(Array.from({ length: 5 }, () => portOf(db)));
  expect(ports).toEqual(ports.map(() => new URL(primary).port));
});

test('where the primary’s address has led to a standby, it is known again that the primary is there', async () => {
  const { url, cutOff, moveTo } = await startProxy(primary);
  const db = await openDatabase(url, { connections: 2, following: { urls: [standby], longestLag: 60_000 } });
  onTestFinished(() => db.destroy());
  const ask = () =>
    replicasOf(db)
      ?.readPosition()
      .catch(({ message }) => message);
  expect(await ask()).toEqual(expect.any(Number));
  cutOff();
  moveTo(standby);
  await expect.poll(ask).toBe('the primary is away');
  moveTo(primary);
  await expect.poll(ask).toEqual(expect.any(Number));
});

test('whoever runs Roster hears from it that its server only reads', async () => {
  const { url, moveTo } = await startProxy(primary);
  const app = await startApp({}, await temporaryDatabase(url));
  moveTo(standby);
  await expect
    .poll(async () => (await get(app, '/readyz')).body)
    .toBe('the database cannot be written: its server only reads\n');
});

test('a transaction in which nothing can be written is rolled back, and its connection is not used again', async () => {
  const db = await temporaryDatabase(primary, 1);
  const pid = async () =>
    (await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(db)).rows[0]?.pid;
  const before = await pid();
  const writing = transact(db, async (trx) => {
    // As the reading endpoints of some services do, which let a transaction begin.
    await sql`set transaction read only`.execute(trx);
    await trx.deleteFrom('users').execute();
  });
  await expect(writing).rejects.toThrow('the server only reads');
  expect(await pid()).not.toBe(before);
});
