/** PostgreSQL ends all connections under load, again and again: Roster lives, and loses nothing that it acknowledged. */
import pg from 'pg';
import { expect, inject, onTestFinished, test } from 'vitest';
import { startRoster } from '../roster.ts';
import { readyUrl } from '../support.ts';
import { expectAllSaved, startWriters } from './load.ts';

const ROUNDS = inject('isLong') ? 100 : 10;

test('the end of all connections under load ends nothing else', async () => {
  const url = await readyUrl('postgres');
  const administrator = new pg.Client(url);
  await administrator.connect();
  onTestFinished(() => administrator.end());
  const { child, address } = await startRoster({
    DATABASE_URL: `${url}&application_name=terminated`,
    LOG_LEVEL: 'silent',
  });
  const writers = startWriters(address);
  for (let round = 0; round < ROUNDS; round++) {
    await writers.more(5);
    await administrator.query(
      `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'terminated'`,
    );
  }
  await writers.more(20);
  await writers.stop();
  expect([...writers.statuses.keys()].sort()).toEqual([303, 503]);
  expect(child.exitCode).toBeNull();
  await expectAllSaved(writers.acknowledged, url);
});
