/** What the database tells of its time to those who observe it. */
import { AsyncLocalStorage } from 'node:async_hooks';
import { setImmediate } from 'node:timers/promises';
import { sql } from 'kysely';
import { expect, inject, onTestFinished, test } from 'vitest';
import { timingOf } from '../../src/db/engine.ts';
import type { Db } from '../../src/db/schema.ts';
import { readSnapshot, transact } from '../../src/db/transact.ts';
import { findUserByUsername } from '../../src/users/queries.ts';
import { addUser, temporaryDatabase } from '../support.ts';

const isSqlite = inject('engine') === 'sqlite';

/** All that is told from now on. */
function observe(db: Db) {
  const parts: { part: string; ms: number }[] = [];
  const groups: number[] = [];
  const stop = timingOf(db).observe({
    onPart: (part, ms) => void parts.push({ part, ms }),
    onGroup: (size) => void groups.push(size),
  });
  onTestFinished(stop);
  const told = () => parts.map(({ part }) => part);
  return { parts, groups, told, stop };
}

test('a query is told of once, and of nothing once nobody observes any more', async () => {
  const db = await temporaryDatabase();
  await addUser(db, { username: 'alice' });
  const { parts, told, stop } = observe(db);
  const since = performance.now();
  await findUserByUsername(db, 'alice');
  const took = performance.now() - since;
  expect(told()).toEqual(isSqlite ? ['statement'] : ['pool', 'statement']);
  const all = parts.reduce((sum, { ms }) => sum + ms, 0);
  expect(all).toBeGreaterThan(0);
  expect(all).toBeLessThanOrEqual(took);
  stop();
  await findUserByUsername(db, 'alice');
  expect(parts.length).toBe(isSqlite ? 1 : 2);
});

test('a change is told of from the wait for its turn to the moment when it is saved', async () => {
  const db = await temporaryDatabase();
  await addUser(db, { username: 'alice' });
  const { told, groups } = observe(db);
  await transact(db, (trx) => trx.updateTable('users').set({ full_name: 'Alice' }).execute());
  // On PostgreSQL, `begin` is a statement.
  expect(told()).toEqual(
    isSqlite ? ['lock', 'statement', 'commit'] : ['pool', 'statement', 'statement', 'commit'],
  );
  expect(groups).toEqual(isSqlite ? [1] : []);
});

test('what fails is told of, too', async () => {
  const db = await temporaryDatabase();
  const { told } = observe(db);
  await expect(sql`select * from nowhere`.execute(db)).rejects.toThrow('nowhere');
  expect(told().at(-1)).toBe('statement');
});

test('who waits is told of with all of the wait', async () => {
  const db = await temporaryDatabase(undefined, 1);
  const { parts } = observe(db);
  const { promise: free, resolve: endFirst } = Promise.withResolvers<void>();
  const first = transact(db, () => free);
  for (let turn = 0; turn < 3; turn++) await setImmediate();
  const second = transact(db, async () => {});
  for (let turn = 0; turn < 3; turn++) await setImmediate();
  const since = performance.now();
  for (let turn = 0; turn < 20; turn++) await setImmediate();
  const waited = performance.now() - since;
  endFirst();
  await Promise.all([first, second]);
  const waits = parts.filter(({ part }) => part === (isSqlite ? 'lock' : 'pool'));
  expect(waits.length).toBe(2);
  expect(waits[1]?.ms).toBeGreaterThanOrEqual(waited);
});

test('of several who ask at once each is told of what it waits for itself', async () => {
  const db = await temporaryDatabase();
  const asking = new AsyncLocalStorage<string[]>();
  onTestFinished(timingOf(db).observe({ onPart: (part) => void asking.getStore()?.push(part) }));
  const parts = (act: () => Promise<unknown>) => {
    const own: string[] = [];
    return asking.run(own, act).then(() => own.filter((part) => part !== 'pool'));
  };
  const [added, other, found] = await Promise.all([
    parts(() => transact(db, (trx) => sql`select 1`.execute(trx))),
    parts(() => transact(db, (trx) => sql`select 1`.execute(trx))),
    parts(() => findUserByUsername(db, 'alice')),
  ]);
  const change = isSqlite ? ['lock', 'statement', 'commit'] : ['statement', 'statement', 'commit'];
  expect([added, other, found]).toEqual([change, change, ['statement']]);
});

test.runIf(isSqlite)('those that are synced together are counted, without what was rolled back', async () => {
  const db = await temporaryDatabase();
  await addUser(db, { username: 'alice' });
  const { groups } = observe(db);
  const change = (name: string) =>
    transact(db, (trx) => trx.updateTable('users').set({ full_name: name }).execute());
  const fails = () =>
    transact(db, async () => {
      throw new Error('no');
    });
  await Promise.allSettled([change('one'), fails(), change('two'), change('three')]);
  expect(groups).toEqual([3]);
  await readSnapshot(db, async () => {});
  await transact(db, async () => {});
  expect(groups).toEqual([3]);
});
