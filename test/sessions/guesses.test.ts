import { describe, expect, test } from 'vitest';
import type { Db } from '../../src/db/schema.ts';
import { transact } from '../../src/db/transact.ts';
import { guess, networkOf } from '../../src/sessions/guesses.ts';
import { forgetOld } from '../../src/sessions/queries.ts';
import { temporaryDatabase, temporaryUrl } from '../support.ts';

const NOON = Date.UTC(2026, 5, 1, 12);
const HOUR = 3_600_000;

function guesser(db: Db, account = 'number 1', address = '192.0.2.1') {
  return (now: number, isRight = false) => guess(db, account, address, now, async () => isRight);
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
    await guess(db, 'number 1', '192.0.2.1', NOON, async () => {
      isAsked = true;
      return true;
    });
    expect(isAsked).toBe(false);
  });

  test('does not get ahead of the counting by many guesses at once, not even on two Rosters', async () => {
    const url = await temporaryUrl();
    const dbs = [await temporaryDatabase(url), await temporaryDatabase(url)];
    const guesses = Array.from({ length: 40 }, (_, index) => guesser(dbs[index % 2] as Db)(NOON));
    const looked = (await Promise.all(guesses)).filter(({ wait }) => wait === 0);
    expect(looked).toHaveLength(4);
  });

  test('at many accounts from one place waits, too, and others there with a right password after that', async () => {
    const db = await temporaryDatabase();
    for (let number = 0; number < 20; number++)
      expect((await guesser(db, `name ${number}`)(NOON)).wait).toBe(0);
    expect((await guesser(db, 'number 9')(NOON, true)).wait).toBe(1000);
    expect((await guesser(db, 'number 9', '192.0.2.2')(NOON, true)).isRight).toBe(true);
    expect((await guesser(db, 'number 9')(NOON + 1000, true)).isRight).toBe(true);
  });

  test('does not keep the owner of the account out, who is somewhere else', async () => {
    const db = await temporaryDatabase();
    for (let failures = 0; failures < 9; failures++) await guesser(db)(NOON);
    expect((await guesser(db, 'number 1', '198.51.100.7')(NOON, true)).isRight).toBe(true);
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
    const url = await temporaryUrl();
    const dbs = [await temporaryDatabase(url), await temporaryDatabase(url)];
    for (let round = 0; round < 20; round++) {
      const guesses = Array.from({ length: 10 }, (_, index) => guesser(dbs[index % 2] as Db)(NOON, true));
      for (const { isRight, wait } of await Promise.all(guesses)) expect(isRight || wait > 0).toBe(true);
    }
  });

  test('is known after a restart, and nowhere written down is what was guessed at', async () => {
    const url = await temporaryUrl();
    const first = await temporaryDatabase(url);
    const name = 'name my password typed into the wrong field';
    for (let failures = 0; failures < 4; failures++) await guesser(first, name)(NOON);
    const second = await temporaryDatabase(url);
    expect((await guesser(second, name)(NOON)).wait).toBe(1000);
    const rows = await second.selectFrom('guesses').selectAll().execute();
    expect(rows).toHaveLength(2);
    expect(JSON.stringify(rows)).not.toMatch(/password|192/);
    await transact(second, (trx) => forgetOld(trx, NOON + 25 * HOUR, HOUR));
    expect(await second.selectFrom('guesses').selectAll().execute()).toEqual([]);
  });
});

test.each([
  ['192.0.2.1', '192.0.2.1'],
  ['::ffff:192.0.2.1', '192.0.2.1'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:0DB8:0001:0002::1', '2001:db8:1:2::/64'],
  ['2001:db8::1', '2001:db8:0:0::/64'],
  ['::1', '0:0:0:0::/64'],
  ['fe80::1%eth0', 'fe80:0:0:0::/64'],
])('%s counts as %s', (address, network) => {
  expect(networkOf(address)).toBe(network);
});
