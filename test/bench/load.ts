/** Drives a server as hard as sixteen connections can, and takes the time of every answer. */
import autocannon from 'autocannon';
import type { Request } from './answers.ts';
import { CONNECTIONS } from './connections.ts';
import type { Scenario } from './scenarios.ts';
import { type PerServer, perServer, type Server } from './servers.ts';
import { SIGNED_IN } from './session.ts';

export type Load = {
  /** Requests a second: of all turns, of the slowest and of the fastest. */
  rate: number;
  slowest: number;
  fastest: number;
  /** Microseconds of processors that the server has used for a request. */
  cpuTime: number;
  /** Milliseconds that half of the answers, and all but a hundredth, took at most. */
  p50: number;
  p99: number;
};

type Asked = Pick<Scenario, 'name' | 'status' | 'request'> & { server: Pick<Server, 'origin' | 'cpuTime'> };

/** The milliseconds that each answer took, that all of them took together, and that the server has worked for them. */
type Sample = { times: number[]; elapsed: number; cpuTime: number };

/** Seconds until what a server runs often has been compiled. */
const WARM_UP = 2;

/** Each server's time is spent in this many turns, so that a busy moment of the machine meets all of them. */
const TURNS = 5;

/** Counts on from one load to the next: what a request creates must be new to a server that is loaded twice. */
let asked = 0;

/** The same of each server. */
export async function measureLoads(
  servers: PerServer<Pick<Server, 'origin' | 'cpuTime'>>,
  scenario: Scenario,
  seconds: number,
): Promise<PerServer<Load>> {
  return loadInTurns(
    perServer((name) => ({ ...scenario, server: servers[name] })),
    seconds,
  );
}

/**
 * Asks each for `seconds` after a warm-up.
 * @throws Error when any answer has another status than it is to have, or fails, or when there is none in any turn.
 */
export async function loadInTurns<Name extends string>(
  asked: Record<Name, Asked>,
  seconds: number,
): Promise<Record<Name, Load>> {
  const all = Object.entries<Asked>(asked).map(([name, one]) => ({ name, one, samples: [] as Sample[] }));
  for (const { one } of all) await load(one, WARM_UP);
  for (let turn = 0; turn < TURNS; turn++) {
    for (const { one, samples } of all) samples.push(await load(one, seconds / TURNS));
  }
  const loads = all.map(({ name, one, samples }) => {
    if (samples.every(({ times }) => times.length === 0))
      throw new Error(`${one.name}: ${name} has answered nothing. Give it more time by --seconds.`);
    return [name, summarize(samples)];
  });
  return Object.fromEntries(loads) as Record<Name, Load>;
}

function summarize(samples: readonly Sample[]): Load {
  const times = samples.flatMap((sample) => sample.times);
  const sumOf = (what: 'elapsed' | 'cpuTime') => samples.reduce((sum, sample) => sum + sample[what], 0);
  const rates = samples.map((sample) => sample.times.length / (sample.elapsed / 1000));
  return {
    rate: times.length / (sumOf('elapsed') / 1000),
    slowest: Math.min(...rates),
    fastest: Math.max(...rates),
    cpuTime: (sumOf('cpuTime') * 1000) / times.length,
    p50: percentile(times, 0.5),
    p99: percentile(times, 0.99),
  };
}

/** A request as whoever is signed in sends it. */
function signed(defaults: autocannon.Request, { headers, ...request }: Request): autocannon.Request {
  return { ...defaults, ...request, headers: { ...SIGNED_IN, ...headers } };
}

export function percentile(values: readonly number[], share: number): number {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
}

async function load({ server, name, status, request }: Asked, seconds: number): Promise<Sample> {
  const { origin, cpuTime } = server;
  const times: number[] = [];
  const statuses = new Set<number>();
  const { promise, resolve, reject } = Promise.withResolvers<autocannon.Result>();
  const [started, workedBefore] = [performance.now(), cpuTime()];
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
  // A short turn on a busy machine may end before the first answer: it counts as one without any.
  if (times.length === 0) elapsed = performance.now() - started;
  statuses.delete(status);
  if (errors > 0 || statuses.size > 0) {
    throw new Error(
      `${name} at ${origin}: ${errors} errors, answers that are not ${status}: ${[...statuses].join(', ') || 'none'}.`,
    );
  }
  return { times, elapsed, cpuTime: cpuTime() - workedBefore };
}
