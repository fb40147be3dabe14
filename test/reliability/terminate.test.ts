/** PostgreSQL ends all connections under load, again and again: Roster lives, and loses nothing that it acknowledged. */
import pg from 'pg';
import { expect, inject, onTestFinished, test } from 'vitest';
import { mostOfAKind } from '../ha/logs.ts';
import { listenTo, run } from '../roster.ts';
import { readyUrl } from '../support.ts';
import { expectAllSaved, startWriters } from './load.ts';
import { IN_TIME, takesTwoMinutes } from './two-minutes.ts';

takesTwoMinutes();

const ROUNDS = inject('isLong') ? 100 : 10;

test(
  'the end of all connections under load ends nothing else, and writes a line a second to the log',
  IN_TIME,
  async () => {
    const url = await readyUrl('postgres');
    const administrator = new pg.Client(url);
    await administrator.connect();
    onTestFinished(() => administrator.end());
    const child = run([], { PORT: '0', DATABASE_URL: `${url}&application_name=terminated` });
    const { address, said } = await listenTo(child);
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
    expect(mostOfAKind([said()])).toBe(1);
    await expectAllSaved(writers.acknowledged, url);
  },
);
