/** Drives a server as hard as sixteen connections can, and takes the time of every answer. */
import autocannon from 'autocannon';
import type { Request } from './answers.ts';
import { CONNECTIONS } from './connections.ts';
import type { Scenario } from './scenarios.ts';
import { type PerServer, perServer, SERVERS } from './servers.ts';
import { SIGNED_IN } from './session.ts';

export type Load = {
  /** Requests a second. */
  rate: number;
  /** Milliseconds that half of the answers, and all but a hundredth, took at most. */
  p50: number;
  p99: number;
};

/** The milliseconds that each answer took, and that all of them took together. */
type Sample = { times: number[]; elapsed: number };

/** Seconds until what a server runs often has been compiled. */
const WARM_UP = 2;

/** Each server's time is spent in this many turns, so that a busy moment of the machine meets all of them. */
const TURNS = 5;

/** Counts on from one load to the next: what a request creates must be new to a server that is loaded twice. */
let asked = 0;

/**
 * Loads each server for `seconds` after a warm-up.
 * @throws Error when any answer is missing or has another status than the scenario's.
 */
export async function measureLoads(
  servers: PerServer<{ origin: string }>,
  scenario: Scenario,
  seconds: number,
): Promise<PerServer<Load>> {
  const samples = perServer((): Sample => ({ times: [], elapsed: 0 }));
  for (const name of SERVERS) await load(servers[name].origin, scenario, WARM_UP);
  for (let turn = 0; turn < TURNS; turn++) {
    for (const name of SERVERS) {
      const { times, elapsed } = await load(servers[name].origin, scenario, seconds / TURNS);
      samples[name] = { times: samples[name].times.concat(times), elapsed: samples[name].elapsed + elapsed };
    }
  }
  return perServer((name) => summarize(samples[name]));
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

async function load(origin: string, { name, status, request }: Scenario, seconds: number): Promise<Sample> {
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
