/** PostgreSQL goes away under load, several times: a Roster that runs answers 503 meanwhile, and loses nothing. */
import { expect, inject, onTestFinished, test } from 'vitest';
import { pageOf } from '../page.ts';
import { startPostgres } from '../postgres/start.ts';
import { startRoster } from '../roster.ts';
import { addUser, get, post, startApp, temporaryDatabase } from '../support.ts';
import { expectAllSaved, startWriters } from './load.ts';

/** Milliseconds from a PostgreSQL that answers again to a Roster that does, on a machine that has nothing else to do at length. */
const BACK = inject('isLong') ? 5_000 : 30_000;
/** So many are created between two of them, by some who all wait for an answer at any moment. */
const EACH = inject('isLong') ? 200 : 50;

test.each(['restart', 'crash'] as const)(
  'a %s of PostgreSQL under load loses nothing that was acknowledged',
  async (way) => {
    const postgres = await startPostgres([]);
    onTestFinished(() => postgres.stop());
    const { child, address } = await startRoster({ DATABASE_URL: postgres.url, LOG_LEVEL: 'silent' });
    const writers = startWriters(address);
    for (let round = 0; round < 3; round++) {
      await writers.more(EACH);
      await postgres[way]();
      const started = performance.now();
      await writers.more(1);
      expect(performance.now() - started).toBeLessThan(BACK);
    }
    await writers.more(EACH);
    await writers.stop();
    expect([...writers.statuses.keys()].sort()).toEqual([303, 503]);
    expect(child.exitCode).toBeNull();
    await expectAllSaved(writers.acknowledged, postgres.url);
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
  expect(pageOf(page).text).toContain('Nothing was changed');
  await postgres.restart();
  await expect.poll(async () => (await post(app, '/users/1', { username: 'alicia' })).statusCode).toBe(303);
});
