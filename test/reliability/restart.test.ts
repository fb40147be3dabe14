/** PostgreSQL goes away under load, several times: a Roster that runs answers 503 meanwhile, and loses nothing. */
import { expect, onTestFinished, test } from 'vitest';
import { countByStatus } from '../../src/users/queries.ts';
import { startPostgres } from '../postgres/start.ts';
import { startRoster } from '../roster.ts';
import { addUser, get, post, startApp, temporaryDatabase, textOf } from '../support.ts';

const WRITERS = 8;
/** Milliseconds from a PostgreSQL that answers again to a Roster that does. */
const BACK = 5_000;

/** Writers that create users until they are stopped. */
function startWriters(address: string) {
  const acknowledged = new Set<string>();
  const statuses = new Map<number, number>();
  let oneMore = Promise.withResolvers<void>();
  let isStopped = false;
  let number = 0;
  const write = async () => {
    while (!isStopped) {
      const username = `user${number++}`;
      const body = new URLSearchParams({ username, email: `${username}@example.org` });
      const answer = await fetch(`${address}/users`, { method: 'POST', body, redirect: 'manual' });
      statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
      await answer.text();
      if (answer.status !== 303) continue;
      acknowledged.add(username);
      oneMore.resolve();
    }
  };
  const writers = Promise.all(Array.from({ length: WRITERS }, write));
  return {
    acknowledged,
    statuses,
    /** Waits until that many more users have been acknowledged. */
    async more(count: number): Promise<void> {
      const goal = acknowledged.size + count;
      while (acknowledged.size < goal) {
        oneMore = Promise.withResolvers();
        await Promise.race([oneMore.promise, writers]);
      }
    },
    async stop(): Promise<void> {
      isStopped = true;
      await writers;
    },
  };
}

test.each(['restart', 'crash'] as const)(
  'a %s of PostgreSQL under load loses nothing that was acknowledged',
  async (way) => {
    const postgres = await startPostgres([]);
    onTestFinished(() => postgres.stop());
    const { child, address } = await startRoster({ DATABASE_URL: postgres.url, LOG_LEVEL: 'silent' });
    const writers = startWriters(address);
    for (let round = 0; round < 3; round++) {
      await writers.more(200);
      await postgres[way]();
      const started = performance.now();
      await writers.more(1);
      expect(performance.now() - started).toBeLessThan(BACK);
    }
    await writers.more(200);
    await writers.stop();
    expect([...writers.statuses.keys()].sort()).toEqual([303, 503]);
    expect(child.exitCode).toBeNull();

    const db = await temporaryDatabase(postgres.url);
    const stored = new Set(
      (await db.selectFrom('users').select('username').execute()).map((user) => user.username),
    );
    expect([...writers.acknowledged].filter((username) => !stored.has(username))).toEqual([]);
    expect(await countByStatus(db)).toEqual({ active: stored.size, inactive: 0 });
  },
);

test('while the server is a standby, pages are shown and changes are refused in one sentence', async () => {
  const postgres = await startPostgres([]);
  onTestFinished(() => postgres.stop());
  const app = await startApp({}, await temporaryDatabase(postgres.url));
  await addUser(app.db, { username: 'alice' });
  await postgres.demote();
  await expect.poll(async () => (await get(app, '/users/1')).statusCode).toBe(200);
  const page = await post(app, '/users/1', { username: 'alicia' });
  expect(page.statusCode).toBe(503);
  expect(textOf(page.body)).toContain('Nothing was changed');
  await postgres.restart();
  await expect.poll(async () => (await post(app, '/users/1', { username: 'alicia' })).statusCode).toBe(303);
});
