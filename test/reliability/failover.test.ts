/**
 * A failover as it goes where an address follows the primary: for a while it still leads to the server that has become
 * a standby, and connections that were opened then stay as they are.
 */
import pg from 'pg';
import { expect, inject, onTestFinished, test } from 'vitest';
import { startProxy } from '../postgres/proxy.ts';
import { startPostgres } from '../postgres/start.ts';
import { startRoster } from '../roster.ts';
import { expectAllSaved, startWriters } from './load.ts';

/** Milliseconds from an address that leads to the new primary to users that are created there, with all busy as before; in short, on any machine. */
const BACK = inject('isLong') ? 5_000 : 30_000;

async function ask(url: string, statement: string) {
  const client = new pg.Client(url);
  await client.connect();
  const { rows } = await client.query(statement);
  await client.end();
  return rows;
}

test('after a failover under load writing goes on at the new primary, and nothing that was acknowledged is lost', async () => {
  const primary = await startPostgres([]);
  onTestFinished(() => primary.stop());
  const standby = await primary.standby();
  await ask(primary.url, `alter system set synchronous_standby_names = '*'`);
  await ask(primary.url, 'select pg_reload_conf()');
  const { url, moveTo } = await startProxy(primary.url);
  const { address, child } = await startRoster({ DATABASE_URL: url, LOG_LEVEL: 'silent' });
  const writers = startWriters(address);
  await writers.more(100);

  await primary.demote();
  await ask(standby, 'select pg_promote()');
  await writers.moreAnswers(503, 50);
  moveTo(standby);
  const moved = performance.now();
  await writers.more(1);
  expect(performance.now() - moved).toBeLessThan(BACK);
  await writers.more(100);
  const left = `select 1 from pg_stat_activity where application_name = 'roster'`;
  await expect.poll(() => ask(primary.url, left)).toEqual([]);

  await writers.stop();
  expect([...writers.statuses.keys()].sort()).toEqual([303, 503]);
  expect(child.exitCode).toBeNull();
  await expectAllSaved(writers.acknowledged, standby);
});
