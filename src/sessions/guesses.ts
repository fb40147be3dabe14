/** Guessing: whoever fails waits, a little longer each time. Kept in the database, so that a restart forgets nothing. */
import { isIPv6 } from 'node:net';
import { isWithin } from '../clock.ts';
import type { Db, Trx } from '../db/schema.ts';
import { transact } from '../db/transact.ts';
import { hashOf } from './tokens.ts';

/** Failures after which there is a wait, of one account from one network, and of one network alone. */
const FREE = { account: 4, network: 20 };
const LONGEST_WAIT = 60_000;
/** After so long without one, in milliseconds, failures are forgotten. */
const FORGOTTEN = 60 * 60 * 1000;

/** What became of a guess; `wait` is in milliseconds, and then nothing has been looked at. */
export type Guess = { isRight: boolean; wait: number };

/**
 * Checks what someone knows, unless they have to wait.
 *
 * It counts as a failure until it has turned out right: of many that come at once none gets ahead of the counting.
 * @param account what is guessed at; the same for one that does not exist, of which no more than a hash is kept.
 * @param address where the guess comes from.
 */
export async function guess(
  db: Db,
  account: string,
  address: string,
  now: number,
  check: () => Promise<boolean>,
): Promise<Guess> {
  const network = networkOf(address);
  const keys = [
    { hash: hashOf(`account ${account} ${network}`), free: FREE.account },
    { hash: hashOf(`network ${network}`), free: FREE.network },
  ];
  const wait = await transact(db, (trx) => admit(trx, keys, now));
  if (wait > 0) return { isRight: false, wait };
  const isRight = await check();
  if (isRight) await transact(db, (trx) => forgive(trx, keys));
  return { isRight, wait: 0 };
}

/** What someone is told who has to wait. */
export function tooMany(wait: number): string {
  const seconds = Math.ceil(wait / 1000);
  return `Too many attempts. Wait ${seconds} ${seconds === 1 ? 'second' : 'seconds'}, then try again.`;
}

type Key = { hash: string; free: number };

/** Counts a failure for each key; or says how long to wait, and then counts nothing. */
async function admit(trx: Trx, keys: readonly Key[], now: number): Promise<number> {
  const counted = new Map<string, { failures: number; failed_at: number }>();
  let wait = 0;
  // In one order, so that no two wait for each other.
  for (const { hash, free } of keys) {
    // Found, made and locked in one statement: whoever is right takes it away.
    const known = await trx
      .insertInto('guesses')
      .values({ key_hash: hash, failures: 0, failed_at: now })
      .onConflict((conflict) => conflict.column('key_hash').doUpdateSet({ key_hash: hash }))
      .returning(['failures', 'failed_at'])
      .executeTakeFirstOrThrow();
    // A clock that was set back must not make anyone wait until it is there again.
    const isRecent = isWithin(known.failed_at, FORGOTTEN, now);
    const failed = isRecent ? known : { failures: 0, failed_at: now };
    // Another machine's clock may be a little ahead.
    const passed = Math.max(0, now - failed.failed_at);
    wait = Math.max(wait, waitAfter(failed.failures, free) - passed);
    counted.set(hash, { failures: failed.failures + 1, failed_at: Math.max(now, failed.failed_at) });
  }
  if (wait > 0) return wait;
  for (const [hash, failed] of counted)
    await trx.updateTable('guesses').set(failed).where('key_hash', '=', hash).execute();
  return 0;
}

function waitAfter(failures: number, free: number): number {
  return failures < free ? 0 : Math.min(LONGEST_WAIT, 1000 * 2 ** (failures - free));
}

/** The account is in the right hands; the network has one failure less, since others there may be guessing. */
async function forgive(trx: Trx, [account, network]: readonly Key[]): Promise<void> {
  await trx
    .deleteFrom('guesses')
    .where('key_hash', '=', account?.hash ?? '')
    .execute();
  await trx
    .updateTable('guesses')
    .set(({ eb }) => ({ failures: eb('failures', '-', 1) }))
    .where('key_hash', '=', network?.hash ?? '')
    .where('failures', '>', 0)
    .execute();
}

/** An address of IPv4; of IPv6 the first half, which is what one customer is given. */
export function networkOf(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped !== undefined || !isIPv6(address)) return mapped ?? address;
  const [start = '', end] = address.split('%')[0]?.toLowerCase().split('::') ?? [];
  const groups = start === '' ? [] : start.split(':');
  const after = end ? end.split(':') : [];
  const missing = end === undefined ? 0 : 8 - groups.length - after.length;
  const all = [...groups, ...Array.from({ length: missing }, () => '0'), ...after];
  return `${all
    .slice(0, 4)
    .map((group) => group.replace(/^0+(?=.)/, ''))
    .join(':')}::/64`;
}
