import { describe, expect, test } from 'vitest';
import { networksOf } from '../../src/auth/networks.ts';
import { prune } from '../../src/auth/pruning.ts';
import { attempt, byBrowser, byNetwork, type Counters } from '../../src/auth/throttle.ts';
import type { Db } from '../../src/db/schema.ts';
import { transact } from '../../src/db/transact.ts';
import { readyUrl, temporaryDatabase } from '../support.ts';

const NOON = Date.UTC(2026, 5, 1, 12);
const HOUR = 3_600_000;

function guesser(db: Db, name = 'name 1', address = '192.0.2.1') {
  return by(db, byNetwork(name, address));
}

function by(db: Db, counters: Counters) {
  return (now: number, isRight = false) => attempt(db, counters, now, async () => isRight);
}

async function rowsOf(db: Db) {
  return db.selectFrom('guesses').selectAll().orderBy('key_hash').execute();
}

describe('who guesses', () => {
  test('waits twice as long after each failure, at most a minute, and then the right password works', async () => {
    const tryAt = guesser(await temporaryDatabase());
    const waits: number[] = [];
    let now = NOON;
    for (let failures = 0; failures < 14; failures++) {
      const { wait } = await tryAt(now);
      waits.push(wait / 1000);
      if (wait > 0) {
        // Too early by a moment is too early, also for what is right.
        expect(await tryAt(now + wait - 1, true)).toEqual({ isRight: false, wait: 1 });
        now += wait;
        expect((await tryAt(now)).wait).toBe(0);
      }
    }
    expect(waits).toEqual([0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 60, 60, 60, 60]);
    expect(await tryAt(now + 60_000, true)).toEqual({ isRight: true, wait: 0 });
    for (let failures = 0; failures < 4; failures++) expect((await tryAt(now + 60_000)).wait).toBe(0);
  });

  test('is not looked at while waiting', async () => {
    const db = await temporaryDatabase();
    const tryAt = guesser(db);
    for (let failures = 0; failures < 4; failures++) await tryAt(NOON);
    let isAsked = false;
    await attempt(db, byNetwork('name 1', '192.0.2.1'), NOON, async () => {
      isAsked = true;
      return true;
    });
    expect(isAsked).toBe(false);
  });

  test('does not get ahead of the counting by many guesses at once, not even on two Rosters', async () => {
    const url = await readyUrl();
    const dbs = [await temporaryDatabase(url), await temporaryDatabase(url)];
    const guesses = Array.from({ length: 40 }, (_, index) => guesser(dbs[index % 2] as Db)(NOON));
    const looked = (await Promise.all(guesses)).filter(({ wait }) => wait === 0);
    expect(looked).toHaveLength(4);
  });

  test('at many accounts from one place waits, too, and others there with a right password after that', async () => {
    const db = await temporaryDatabase();
    for (let number = 0; number < 20; number++)
      expect((await guesser(db, `name ${number}`)(NOON)).wait).toBe(0);
    expect((await guesser(db, 'name 9')(NOON, true)).wait).toBe(1000);
    expect((await guesser(db, 'name 9', '192.0.2.2')(NOON, true)).isRight).toBe(true);
    expect((await guesser(db, 'name 9')(NOON + 1000, true)).isRight).toBe(true);
  });

  test('does not keep the owner of the account out, who is somewhere else', async () => {
    const db = await temporaryDatabase();
    for (let failures = 0; failures < 9; failures++) await guesser(db)(NOON);
    expect((await guesser(db, 'name 1', '198.51.100.7')(NOON, true)).isRight).toBe(true);
  });

  test('is forgotten after an hour without a failure', async () => {
    const tryAt = guesser(await temporaryDatabase());
    for (let failures = 0; failures < 4; failures++) await tryAt(NOON);
    for (let failures = 0; failures < 4; failures++) expect((await tryAt(NOON + HOUR)).wait).toBe(0);
    expect((await tryAt(NOON + HOUR)).wait).toBe(1000);
  });

  test('does not wait until a clock that was set back has caught up', async () => {
    const tryAt = guesser(await temporaryDatabase());
    for (let failures = 0; failures < 12; failures++) await tryAt(NOON + failures * 60_000);
    expect((await tryAt(NOON - 10 * HOUR, true)).isRight).toBe(true);
  });

  test('gains nothing by going from one Roster to another whose clock is a little ahead', async () => {
    const tryAt = guesser(await temporaryDatabase());
    const guesses: { wait: number }[] = [];
    for (let failures = 0; failures < 40; failures++)
      guesses.push(await tryAt(NOON + ((failures + 1) % 2) * 60_000));
    expect(guesses.filter(({ wait }) => wait === 0)).toHaveLength(4);
  });

  test('is answered each time, also when many who know it come at once', async () => {
    const url = await readyUrl();
    const dbs = [await temporaryDatabase(url), await temporaryDatabase(url)];
    for (let round = 0; round < 20; round++) {
      const guesses = Array.from({ length: 10 }, (_, index) => guesser(dbs[index % 2] as Db)(NOON, true));
      for (const { isRight, wait } of await Promise.all(guesses)) expect(isRight || wait > 0).toBe(true);
    }
  });

  test('is known after a restart, and nowhere written down is what was guessed at', async () => {
    const url = await readyUrl();
    const first = await temporaryDatabase(url);
    const name = 'name my password typed into the wrong field';
    for (let failures = 0; failures < 4; failures++) await guesser(first, name)(NOON);
    const second = await temporaryDatabase(url);
    expect((await guesser(second, name)(NOON)).wait).toBe(1000);
    const rows = await second.selectFrom('guesses').selectAll().execute();
    expect(rows).toHaveLength(2);
    expect(JSON.stringify(rows)).not.toMatch(/password|192/);
    await prune(second, NOON + 25 * HOUR, HOUR);
    expect(await rowsOf(second)).toEqual([]);
  });
});

describe('a neighbour who guesses', () => {
  test('at one name again and again keeps nobody else at their address waiting', async () => {
    const db = await temporaryDatabase();
    for (let failures = 0; failures < 30; failures++)
      expect((await guesser(db)(NOON + failures * 60_000)).wait).toBe(0);
    const colleague = guesser(db, 'name of a colleague');
    expect(await colleague(NOON + 29 * 60_000, true)).toEqual({ isRight: true, wait: 0 });
  });

  test('does not wait longer for what a colleague gets right: only failures move the clock', async () => {
    const db = await temporaryDatabase();
    for (let number = 0; number < 22; number++)
      await guesser(db, `name ${number}`)(NOON + Math.max(0, number - 19) * 60_000);
    const before = await rowsOf(db);
    // Twenty-two names: four seconds after the last one.
    const after = NOON + 124_000;
    expect(await guesser(db, 'colleague')(after - 1, true)).toEqual({ isRight: false, wait: 1 });
    expect(await rowsOf(db)).toEqual(before);
    expect((await guesser(db, 'colleague')(after, true)).isRight).toBe(true);
    expect((await guesser(db, 'another colleague')(after, true)).isRight).toBe(true);
    expect(await rowsOf(db)).toEqual(before);
  });

  test('keeps no browser waiting that has signed in before, at any address and name', async () => {
    const db = await temporaryDatabase();
    for (let number = 0; number < 40; number++) await guesser(db, `name ${number % 20}`)(NOON);
    expect((await guesser(db, 'name 1')(NOON, true)).wait).toBeGreaterThan(0);
    expect((await by(db, byBrowser('known'))(NOON, true)).isRight).toBe(true);
  });

  test('in a browser that has signed in before waits like everyone else', async () => {
    const tryAt = by(await temporaryDatabase(), byBrowser('known'));
    for (let failures = 0; failures < 4; failures++) expect((await tryAt(NOON)).wait).toBe(0);
    expect(await tryAt(NOON, true)).toEqual({ isRight: false, wait: 1000 });
  });

  test('from other networks of one customer is counted there, too', async () => {
    const db = await temporaryDatabase();
    const tryFrom = async (address: string, name: string) => (await guesser(db, name, address)(NOON)).wait;
    for (let number = 0; number < 40; number++)
      expect(await tryFrom(`2001:db8:0:${number.toString(16)}::1`, `name ${number}`)).toBe(0);
    expect(await tryFrom('2001:db8:0:ff::1', 'another name')).toBe(1000);
    for (let number = 0; number < 60; number++)
      expect(await tryFrom(`2001:db8:0:${number + 1}00::1`, `name ${number}`)).toBe(0);
    expect(await tryFrom('2001:db8:0:fe00::1', 'another name')).toBe(1000);
    expect(await tryFrom('2001:db8:1::1', 'another name')).toBe(0);
  });
});

test('who is refused leaves no trace, however often', async () => {
  const db = await temporaryDatabase();
  for (let number = 0; number < 20; number++) await guesser(db, `name ${number}`)(NOON);
  const before = await rowsOf(db);
  const refused = Array.from({ length: 100 }, (_, number) => guesser(db, `name ${number}`)(NOON, true));
  for (const { wait } of await Promise.all(refused)) expect(wait).toBe(1000);
  expect(await rowsOf(db)).toEqual(before);
});

test('what is old is forgotten a few rows at a time, and nothing else is', async () => {
  const db = await temporaryDatabase();
  const rows = Array.from({ length: 1_200 }, (_, number) => ({
    key_hash: `${number}`,
    failures: 1,
    failed_at: number < 1_100 ? NOON : NOON + 3 * HOUR,
  }));
  const statements: number[] = [];
  const watched = db.withPlugin({
    transformQuery: ({ node }) => node,
    transformResult: async ({ result }) => {
      statements.push(Number(result.numAffectedRows ?? 0));
      return result;
    },
  });
  await transact(db, (trx) => trx.insertInto('guesses').values(rows).execute());
  await prune(watched, NOON + 4 * HOUR, HOUR);
  expect(await rowsOf(db)).toHaveLength(100);
  expect(Math.max(...statements)).toBe(500);
});

test.each([
  ['192.0.2.1', ['192.0.2.1']],
  ['unknown', ['unknown']],
  ['2001:db8:1:2ff:3:4:5:6', ['2001:db8:1::/48', '2001:db8:1:200::/56', '2001:db8:1:2ff::/64']],
  ['2001:db8::1', ['2001:db8::/48', '2001:db8::/56', '2001:db8::/64']],
  ['::1', ['::/48', '::/56', '::/64']],
  ['fe80::', ['fe80::/48', 'fe80::/56', 'fe80::/64']],
])('%s counts as %j', (address, names) => {
  expect(networksOf(address).map(({ name }) => name)).toEqual(names);
});
