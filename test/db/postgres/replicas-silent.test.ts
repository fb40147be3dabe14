/** Servers that fall silent, or end, under a page that is being read there: it is read elsewhere as soon as something else can answer. */
import { setTimeout } from 'node:timers/promises';
import { sql } from 'kysely';
import { beforeAll, expect, test } from 'vitest';
import { replicasOf } from '../../../src/db/engine.ts';
import { REQUEST_TIMEOUTS } from '../../../src/db/postgres/timeouts.ts';
import { MINUTE } from '../../../src/lib/clock.ts';
import { pageOf } from '../../page.ts';
import { movableClock } from '../../people.ts';
import type { Proxy as Between } from '../../postgres/proxy.ts';
import { expectInUse, pause, resume, type Servers, startReading, startServers } from './replicas.ts';

let servers: Servers;
beforeAll(async () => {
  servers = await startServers();
  return () => servers.stop();
});

/** A page's query is given up by then, wherever it is asked. */
const PATIENCE = REQUEST_TIMEOUTS.query_timeout;

async function timed<T>(work: Promise<T>): Promise<[result: T, milliseconds: number]> {
  const since = performance.now();
  const result = await work;
  return [result, performance.now() - since];
}

/** What says that is not answered; nothing else is, from then on. */
async function fallSilentAt(primary: Between, at: string): Promise<void> {
  const before = primary.heard().length;
  primary.breakOnce({ at, is: 'silence' });
  await expect.poll(() => primary.heard().slice(before), { interval: 5 }).toContain(at);
  primary.fallSilent();
}

test('a page whose replica falls silent is read at the primary before its query would be given up', async () => {
  const { app, db, ann, standbys } = await startReading(servers);
  await expectInUse(db, 2);
  await ann.get(app, '/users');
  for (const standby of standbys) standby.fallSilent();
  const [page, milliseconds] = await timed(ann.get(app, '/users'));
  expect(page.statusCode).toBe(200);
  expect(milliseconds).toBeLessThan(PATIENCE);
});

test('a page that is slow is waited for at its replica', async () => {
  const { db } = await startReading(servers);
  await expectInUse(db, 2);
  const reader = replicasOf(db)?.choose(0, 0) ?? db;
  const { rows } = await sql<{ port: string }>`
    select current_setting('port') as port from pg_sleep(2.5)`.execute(reader);
  expect(rows).toEqual([{ port: new URL(servers.standbys[0] ?? '').port }]);
});

test('a page that is read at the primary for want of a replica is read where something stands in, once that falls silent', async () => {
  const { app, db, ann, primary } = await startReading(servers);
  await expectInUse(db, 2);
  await pause(servers.standbys);
  const bob = { username: 'bob', email: 'bob@example.org' };
  expect((await ann.post(app, '/users', bob)).statusCode).toBe(303);
  const asked = ann.get(app, '/users');
  await fallSilentAt(primary, 'from "revisions"');
  await resume(servers.standbys);
  const page = await asked;
  expect(page.statusCode).toBe(200);
  expect(pageOf(page).users.toSorted()).toEqual([1, 2]);
});

test('nor does a page wait for it any longer whose session is just noted as in use', async () => {
  const clock = movableClock();
  const { app, db, ann, primary } = await startReading(servers, 60_000, clock);
  await expectInUse(db, 2);
  await ann.get(app, '/users');
  clock.move(2 * MINUTE);
  const asked = timed(ann.get(app, '/users'));
  await fallSilentAt(primary, 'update "sessions"');
  const [page, milliseconds] = await asked;
  expect(page.statusCode).toBe(200);
  expect(milliseconds).toBeLessThan(PATIENCE);
});

const LOOK = ' as identity';
const countLooks = (primary: Between) => primary.heard().split(LOOK).length;

async function untilLookedAt(primary: Between): Promise<void> {
  const before = countLooks(primary);
  await expect.poll(() => countLooks(primary), { interval: 5 }).toBeGreaterThan(before);
}

test('where a session cannot be read the primary is looked at at once', async () => {
  const { app, db, ann, primary } = await startReading(servers);
  await expectInUse(db, 2);
  await ann.get(app, '/users');
  await untilLookedAt(primary);
  const before = countLooks(primary);
  primary.breakOnce(...Array.from({ length: 2 }, () => ({ at: 'from "sessions"', is: 'before' }) as const));
  expect((await ann.get(app, '/users')).statusCode).toBe(503);
  await expect.poll(() => countLooks(primary), { interval: 5, timeout: 300 }).toBeGreaterThan(before);
});

test('whose session cannot be read at the primary any more is let in where something stands in by then, also between two looks', async () => {
  const { app, db, ann, primary } = await startReading(servers);
  await expectInUse(db, 2);
  await ann.get(app, '/users');
  await untilLookedAt(primary);
  await setTimeout(200);
  await sql`select 1`.execute(db);
  // As a pooler does that makes those wait who are connected, and refuses others.
  primary.breakOnce(
    { at: 'from "sessions"', is: 'silence' },
    ...Array.from({ length: 20 }, () => ({ at: LOOK, is: 'before' }) as const),
  );
  const asked = ann.get(app, '/users');
  await expect.poll(() => replicasOf(db)?.hasStandIn, { interval: 5, timeout: 5_000 }).toBe(true);
  primary.cutOff();
  expect((await asked).statusCode).toBe(200);
});
