/** Guessing passwords: whoever fails waits, a little longer each time. Kept in the database, so that a restart forgets nothing. */

import type { Db, Trx } from '../db/schema.ts';
import { transact } from '../db/transact.ts';
import { HOUR, isWithin, MINUTE } from '../lib/clock.ts';
import { networksOf } from './networks.ts';
import { hashOf } from './tokens.ts';

export const FREE_FAILURES = 4;
const LONGEST_WAIT = MINUTE;
export const FAILURE_LASTS = HOUR;

/** `hash` is of what is guessed at and from where; after the free failures there is a wait. */
type Counter = { hash: string; freeFailures: number };

export type Counters = { networks: readonly Counter[]; target: Counter };

/** A network counts the names that failures were at: a neighbour who mistypes one keeps nobody else waiting. */
export function byNetwork(name: string, address: string): Counters {
  const networks = networksOf(address);
  const narrowest = networks.at(-1)?.name;
  return {
    networks: networks.map((network) => ({
      hash: hashOf(`network ${network.name}`),
      freeFailures: network.freeNames,
    })),
    target: { hash: hashOf(`account ${name} ${narrowest}`), freeFailures: FREE_FAILURES },
  };
}

/** A browser that has signed in before, or is signed in, has a counter of its own, whatever others do. */
export function byBrowser(browser: string): Counters {
  return { networks: [], target: { hash: hashOf(`browser ${browser}`), freeFailures: FREE_FAILURES } };
}

/** `wait` is in milliseconds; where there is one, nothing has been looked at. */
export type Attempt = { isRight: boolean; wait: number };

/** Only looks: whoever is refused leaves no trace. */
export async function waitOf(db: Db, { networks, target }: Counters, now: number): Promise<number> {
  const counters = [...networks, target];
  const hashes = counters.map(({ hash }) => hash);
  const rows = await db.selectFrom('guesses').selectAll().where('key_hash', 'in', hashes).execute();
  const waits = rows.map((row) => {
    const counter = counters.find(({ hash }) => hash === row.key_hash);
    return counter ? waitAfter(row, counter.freeFailures, now) : 0;
  });
  return Math.max(0, ...waits);
}

/** It counts as a failure until it has turned out right: of many that come at once none gets ahead of the counting. */
export async function attempt(
  db: Db,
  counters: Counters,
  now: number,
  check: () => Promise<boolean>,
): Promise<Attempt> {
  const wait = await waitOf(db, counters, now);
  if (wait > 0) return { isRight: false, wait };
  try {
    const before = await transact(db, (trx) => count(trx, counters, now));
    const isRight = await check();
    if (isRight) await transact(db, (trx) => takeBack(trx, counters, before, now));
    return { isRight, wait: 0 };
  } catch (error) {
    if (!(error instanceof MustWait)) throw error;
    return { isRight: false, wait: error.wait };
  }
}

export function tooMany(wait: number): string {
  const seconds = Math.ceil(wait / 1000);
  return `Too many attempts. Wait ${seconds} ${seconds === 1 ? 'second' : 'seconds'}, then try again.`;
}

/** Somebody else's failure came first: rolls back what has been counted. */
class MustWait extends Error {
  readonly wait: number;

  constructor(wait: number) {
    super('There is a wait.');
    this.wait = wait;
  }
}

type Failures = { failures: number; failed_at: number };

/** @returns what was counted before, by the hash of each counter. @throws MustWait */
async function count(
  trx: Trx,
  { networks, target }: Counters,
  now: number,
): Promise<ReadonlyMap<string, Failures>> {
  const before = new Map<string, Failures>();
  // In one order, so that no two wait for each other.
  for (const { hash, freeFailures } of [...networks, target]) {
    const row = await lockCounter(trx, hash, now);
    const wait = waitAfter(row, freeFailures, now);
    if (wait > 0) throw new MustWait(wait);
    before.set(hash, isWithin(row.failed_at, FAILURE_LASTS, now) ? row : { failures: 0, failed_at: now });
  }
  const isNewName = before.get(target.hash)?.failures === 0;
  for (const [hash, { failures, failed_at }] of before) {
    const more = hash === target.hash || isNewName ? 1 : 0;
    // Another machine's clock may be a little ahead.
    await setCounter(trx, hash, { failures: failures + more, failed_at: Math.max(now, failed_at) });
  }
  return before;
}

/** Found, made and locked in one statement: whoever is right takes it away. */
async function lockCounter(trx: Trx, key_hash: string, now: number): Promise<Failures> {
  return trx
    .insertInto('guesses')
    .values({ key_hash, failures: 0, failed_at: now })
    .onConflict((conflict) => conflict.column('key_hash').doUpdateSet({ key_hash }))
    .returning(['failures', 'failed_at'])
    .executeTakeFirstOrThrow();
}

async function setCounter(trx: Trx, hash: string, failures: Failures): Promise<void> {
  await trx.updateTable('guesses').set(failures).where('key_hash', '=', hash).execute();
}

/** The name is in the right hands; others in its networks may be guessing, so their failures stay. */
async function takeBack(
  trx: Trx,
  { networks, target }: Counters,
  before: ReadonlyMap<string, Failures>,
  now: number,
): Promise<void> {
  const locked = new Map<string, Failures>();
  for (const { hash } of networks) locked.set(hash, await lockCounter(trx, hash, now));
  const { numDeletedRows } = await trx
    .deleteFrom('guesses')
    .where('key_hash', '=', target.hash)
    .executeTakeFirstOrThrow();
  // Another attempt at the same name has been right meanwhile.
  if (numDeletedRows === 0n) return;
  for (const [hash, { failures, failed_at }] of locked) {
    // A right password moves no clock, unless another failure has come since.
    const last = failed_at === now ? before.get(hash)?.failed_at : undefined;
    await setCounter(trx, hash, { failures: Math.max(0, failures - 1), failed_at: last ?? failed_at });
  }
}

/** What is left of the wait after the last failure, in milliseconds; 0 or less for none. */
export function waitAfter({ failures, failed_at }: Failures, freeFailures: number, now: number): number {
  // A clock that was set back must not make anyone wait until it is there again.
  if (failures < freeFailures || !isWithin(failed_at, FAILURE_LASTS, now)) return 0;
  return Math.min(LONGEST_WAIT, 1000 * 2 ** (failures - freeFailures)) - Math.max(0, now - failed_at);
}

export async function forgetFailures(trx: Trx): Promise<void> {
  await trx.deleteFrom('guesses').execute();
}
