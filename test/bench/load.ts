/** Drives a server as hard as sixteen connections can, and takes the time of every answer. */
import autocannon from 'autocannon';
import type { Scenario } from './scenarios.ts';

export type Load = {
  /** Requests a second. */
  rate: number;
  /** Milliseconds that half of the answers, and all but a hundredth, took at most. */
  p50: number;
  p99: number;
};

const CONNECTIONS = 16;
/** Seconds until what a server runs often has been compiled. */
const WARM_UP = 2;

/** Counts on from one load to the next: what a request creates must be new to a server that is loaded twice. */
let asked = 0;

/** @throws Error when any answer is missing or has another status than the scenario's. */
export async function measureLoad(
  { origin }: { origin: string },
  scenario: Scenario,
  seconds: number,
): Promise<Load> {
  await load(origin, scenario, WARM_UP);
  const { times, elapsed } = await load(origin, scenario, seconds);
  return {
    rate: times.length / (elapsed / 1000),
    p50: percentile(times, 0.5),
    p99: percentile(times, 0.99),
  };
}

export function percentile(values: readonly number[], share: number): number {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
}

/** The milliseconds that each answer took, and that all of them took together. */
async function load(origin: string, { name, status, request }: Scenario, seconds: number) {
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
    sampleInt: 100,
    requests: [{ setupRequest: (defaults: autocannon.Request) => ({ ...defaults, ...request(++asked) }) }],
  };
  const instance = autocannon(options, (error, result) => (error ? reject(error) : resolve(result)));
  // Taken here because autocannon's own histogram knows whole milliseconds only.
  instance.on('response', (_client, answered, _bytes, time) => {
    times.push(time);
    statuses.add(answered);
    elapsed = performance.now() - started;
  });
  const { errors } = await promise;
  if (errors > 0 || [...statuses].some((answered) => answered !== status)) {
    throw new Error(`${name} at ${origin}: ${errors} errors, answers ${[...statuses].join(', ')}.`);
  }
  return { times, elapsed };
}
