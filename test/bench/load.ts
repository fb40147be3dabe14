/** Drives a server as hard as sixteen connections can, and takes the time of every answer. */
import autocannon from 'autocannon';
import type { Request } from './answers.ts';
import { CONNECTIONS } from './connections.ts';
import type { Scenario } from './scenarios.ts';
import { type PerServer, perServer } from './servers.ts';
import { SIGNED_IN } from './session.ts';

export type Load = {
  /** Requests a second. */
  rate: number;
  /** Milliseconds that half of the answers, and all but a hundredth, took at most. */
  p50: number;
  p99: number;
};

type Asked = Pick<Scenario, 'name' | 'status' | 'request'> & { origin: string };

/** The milliseconds that each answer took, and that all of them took together. */
type Sample = { times: number[]; elapsed: number };

const NOTHING: Sample = { times: [], elapsed: 0 };

/** Seconds until what a server runs often has been compiled. */
const WARM_UP = 2;

/** Each server's time is spent in this many turns, so that a busy moment of the machine meets all of them. */
const TURNS = 5;

/** Counts on from one load to the next: what a request creates must be new to a server that is loaded twice. */
let asked = 0;

/** The same of each server. */
export async function measureLoads(
  servers: PerServer<{ origin: string }>,
  scenario: Scenario,
  seconds: number,
): Promise<PerServer<Load>> {
  return loadInTurns(
    perServer((name) => ({ ...scenario, origin: servers[name].origin })),
    seconds,
  );
}

/**
 * Asks each for `seconds` after a warm-up.
 * @throws Error when any answer is missing or has another status than it is to have.
 */
export async function loadInTurns<Name extends string>(
  asked: Record<Name, Asked>,
  seconds: number,
): Promise<Record<Name, Load>> {
  const all = Object.entries<Asked>(asked).map(([name, one]) => ({ name, one, sample: NOTHING }));
  for (const { one } of all) await load(one, WARM_UP);
  for (let turn = 0; turn < TURNS; turn++) {
    for (const each of all) each.sample = joined(each.sample, await load(each.one, seconds / TURNS));
  }
  return Object.fromEntries(all.map(({ name, sample }) => [name, summarize(sample)])) as Record<Name, Load>;
}

function joined(one: Sample, other: Sample): Sample {
  return { times: one.times.concat(other.times), elapsed: one.elapsed + other.elapsed };
}

function summarize({ times, elapsed }: Sample): Load {
  const rate = times.length / (elapsed / 1000);
  return { rate, p50: percentile(times, 0.5), p99: percentile(times, 0.99) };
}

/** A request as whoever is signed in sends it. */
function signed(defaults: autocannon.Request, { headers, ...request }: Request): autocannon.Request {
  return { ...defaults, ...request, headers: { ...SIGNED_IN, ...headers } };
}

export function percentile(values: readonly number[], share: number): number {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
}

async function load({ origin, name, status, request }: Asked, seconds: number): Promise<Sample> {
  const times: number[] = [];
  const statuses = new Set<number>();
  const { promise, resolve, reject } = Promise.withResolvers<autocannon.Result>();
  const started = performance.now();
  let elapsed = 0;
  const options = {
    url: origin,
    connections: CONNECTIONS,
    duration: seconds,
    // How often it looks whether the time is over, in milliseconds.
    sampleInt: 50,
    requests: [{ setupRequest: (defaults: autocannon.Request) => signed(defaults, request(++asked)) }],
  };
  const instance = autocannon(options, (error, result) => (error ? reject(error) : resolve(result)));
  // Taken here because autocannon's own histogram knows whole milliseconds only.
  instance.on('response', (_client, answered, _bytes, time) => {
    times.push(time);
    statuses.add(answered);
    elapsed = performance.now() - started;
  });
  const { errors } = await promise;
  if (errors > 0 || statuses.size !== 1 || !statuses.has(status)) {
    throw new Error(`${name} at ${origin}: ${errors} errors, answers ${[...statuses].join(', ')}.`);
  }
  return { times, elapsed };
}
