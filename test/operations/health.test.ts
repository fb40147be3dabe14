/** Health checks: what they ask of the database, how often, and what they say. */
import type { FastifyInstance } from 'fastify';
import type { KyselyPlugin } from 'kysely';
import { expect, test } from 'vitest';
import type { Db } from '../../src/db/schema.ts';
import { transact } from '../../src/db/transact.ts';
import { dump } from '../engines.ts';
import { listenTo, run } from '../roster.ts';
import { addUser, get, readyUrl, startApp, temporaryDatabase } from '../support.ts';

/** The answer, and its status. */
async function ready(app: FastifyInstance): Promise<[status: number, sentence: string]> {
  const { statusCode, body } = await get(app, '/readyz');
  return [statusCode, body];
}

/** A database that tells how many rows were sent to it. */
function counted(db: Db) {
  let inserts = 0;
  const plugin: KyselyPlugin = {
    transformQuery({ node }) {
      if (node.kind === 'InsertQueryNode') inserts++;
      return node;
    },
    transformResult: async ({ result }) => result,
  };
  return { db: db.withPlugin(plugin), inserts: () => inserts };
}

test('the health checks answer, and leave nothing behind', async () => {
  const app = await startApp();
  // The first write of a connection to SQLite says how the index is to be kept.
  await addUser(app.db, { username: 'alice' });
  const before = await dump(app.db);
  expect((await get(app, '/healthz')).body).toBe('ok\n');
  expect(await ready(app)).toEqual([200, 'ready\n']);
  expect(await dump(app.db)).toEqual(before);
});

test('who cannot read is not ready', async () => {
  const app = await startApp();
  await transact(app.db, (trx) => trx.schema.dropTable('user_counts').execute());
  expect(await ready(app)).toEqual([503, 'the database does not answer\n']);
  expect((await get(app, '/healthz')).statusCode).toBe(200);
});

test('who cannot write is not ready, though pages are shown', async () => {
  const app = await startApp();
  await transact(app.db, (trx) => trx.schema.dropTable('heartbeats').execute());
  expect(await ready(app)).toEqual([503, 'the database cannot be written\n']);
  expect((await get(app, '/users')).statusCode).toBe(200);
});

test('however many ask, and however often, it is tried once in a while, and not when nobody asks', async () => {
  const { db, inserts } = counted(await temporaryDatabase());
  const app = await startApp({}, db);
  await addUser(db, { username: 'alice' });
  const before = inserts();
  expect(await (await get(app, '/users')).statusCode).toBe(200);
  expect(inserts()).toBe(before);
  for (let round = 0; round < 5; round++)
    await Promise.all(
      Array.from({ length: 20 }, () => expect(ready(app)).resolves.toEqual([200, 'ready\n'])),
    );
  // Seconds may have gone by, on a slow machine.
  expect(inserts() - before).toBeLessThan(5);
});

test('whoever asks hears before a lock is given up for which a write waits', async () => {
  const url = await readyUrl();
  const app = await startApp({}, await temporaryDatabase(url));
  const other = await temporaryDatabase(url);
  const over = Promise.withResolvers<void>();
  const locked = Promise.withResolvers<void>();
  const locking = transact(other, async (trx) => {
    // Whatever else wants to write this table waits, on either engine.
    await trx.schema.alterTable('heartbeats').renameTo('lost').execute();
    locked.resolve();
    await over.promise;
    throw new Error('never mind');
  });
  const unlocked = locking.catch(() => {});
  await locked.promise;
  const started = performance.now();
  const answers = await Promise.all([ready(app), ready(app), ready(app)]);
  // A health checker waits for two seconds; a machine that has much else to do may take longer.
  expect(performance.now() - started).toBeLessThan(10_000);
  over.resolve();
  await unlocked;
  for (const answer of answers) expect(answer).toEqual([503, 'the database does not answer\n']);
  await expect.poll(() => ready(app)).toEqual([200, 'ready\n']);
});

test('the log hears of it once, and once when it is over', async () => {
  const url = await readyUrl();
  const child = run([], { PORT: '0', DATABASE_URL: url });
  const { address, said } = await listenTo(child);
  const ask = async () => (await fetch(`${address}/readyz`)).status;
  const lines = (message: string) => said().split(message).length - 1;
  const db = await temporaryDatabase(url);
  const rename = (from: 'heartbeats' | 'lost', to: string) =>
    transact(db, (trx) => trx.schema.alterTable(from).renameTo(to).execute());

  expect(await ask()).toBe(200);
  await rename('heartbeats', 'lost');
  await expect.poll(ask).toBe(503);
  await rename('lost', 'heartbeats');
  await expect.poll(ask).toBe(200);
  await expect.poll(() => lines('ready again')).toBe(1);
  expect(lines('not ready: the database cannot be written')).toBe(1);
});
