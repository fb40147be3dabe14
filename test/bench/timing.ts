/** How long named queries take when nobody else asks, and how long broad ones keep others waiting. */
import { type Asked, type Client, connect } from './client.ts';
import { percentile } from './load.ts';
import { type BroadQuery, type NamedQuery, PLAIN, totalOf } from './named-queries.ts';

/** In milliseconds, of the slowest of a query's addresses. */
export type Timing = { path: string; median: number; slowest: number; status: number; found: string };

/**
 * How long others waited for one of their `pages`, at most and but for a hundredth of them, while the query was answered
 * `answers` times.
 */
export type HoldUp = { most: number; p99: number; pages: number; answers: number };

/** Milliseconds until what a server runs often has been compiled, after it was asked everything once. */
const WARM_UP = 2_000;
/** How often an address is asked for. */
const TIMES = 10;
/** For how long a broad query is asked again and again, in milliseconds. */
const BROAD_TIME = 1_000;
/** Others turn these first pages. */
const PAGES = 100;

const TOO_BROAD = 422;

export async function warmUp(client: Client, queries: readonly NamedQuery[]): Promise<void> {
  for (const path of queries.flatMap(({ paths }) => paths)) await askSoundly(client, path);
  const end = performance.now() + WARM_UP;
  while (performance.now() < end) await askSoundly(client, PLAIN);
}

/**
 * Asks for each address in every turn, so that a busy moment of the machine is not all of what one of them gets.
 * @param plain is given the time of a plain first page before each.
 */
export async function timeQuery(
  client: Client,
  { paths }: Pick<NamedQuery, 'paths'>,
  plain: number[],
): Promise<Timing> {
  const asked = paths.map((path) => ({ path, times: [] as number[] }));
  // The first turn is not timed: it reads from the disk what later ones find in memory.
  for (let turn = 0; turn <= TIMES; turn++) {
    for (const { path, times } of asked) {
      const reference = await askSoundly(client, PLAIN);
      const { time } = await askSoundly(client, path);
      if (turn === 0) continue;
      plain.push(reference.time);
      times.push(time);
    }
  }
  const timings = asked.map(({ path, times }) => ({
    path,
    median: percentile(times, 0.5),
    slowest: Math.max(...times),
  }));
  const [slowest] = timings.sort((one, other) => other.median - one.median);
  if (slowest === undefined) throw new Error('There is nothing to ask.');
  const { status, html } = await askSoundly(client, slowest.path);
  return { ...slowest, status, found: status === TOO_BROAD ? '' : totalOf(html) };
}

/** @param query undefined is nobody who holds others up: what the machine itself does. */
export async function measureHoldUp(origin: string, query: BroadQuery | undefined): Promise<HoldUp> {
  const [one, other] = [connect(origin), connect(origin)];
  // Both are connected before anything is timed.
  for (const client of [one, other]) await askSoundly(client, PLAIN);
  const end = performance.now() + BROAD_TIME;
  let answers = 0;
  let isOver = false;
  const askBroad = async () => {
    while (query && performance.now() < end) {
      await askSoundly(one, query.path);
      answers++;
    }
    isOver = true;
  };
  const turnPages = async () => {
    const times: number[] = [];
    while (!isOver || performance.now() < end) {
      times.push((await askSoundly(other, `/users?page=${1 + (times.length % PAGES)}`)).time);
    }
    return times;
  };
  const [times] = await Promise.all([turnPages(), askBroad()]);
  for (const client of [one, other]) client.close();
  return { most: Math.max(...times), p99: percentile(times, 0.99), pages: times.length, answers };
}

async function askSoundly(client: Client, path: string): Promise<Asked> {
  const asked = await client.ask(path);
  if (asked.status !== 200 && asked.status !== TOO_BROAD) throw new Error(`${path} is ${asked.status}.`);
  return asked;
}
