/** `npm run bench:writers`: several Rosters at one SQLite file, each with eight who create users without a pause; it fails where somebody waits for too long. */
import { Agent, request } from 'node:http';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { percentile } from './load.ts';
import { startRosterOn } from './servers.ts';
import { addAdministrator, SIGNED_IN } from './session.ts';
import { seed, temporaryFolder } from './workspace.ts';

/** How many Rosters there are, in turns, so that a busy moment of the machine meets all of them. */
const COUNTS = [1, 2, 4];
const WRITERS = 8;
const WARM_UP = 2_000;
/** Nobody is to wait for longer, in milliseconds. */
const LONGEST_WAIT = 1_000;

type Written = { times: number[]; seconds: number; failed: number };

const { values } = parseArgs({
  options: {
    users: { type: 'string', default: '10000' },
    seconds: { type: 'string', default: '10' },
    rounds: { type: 'string', default: '3' },
  },
});
const [users, seconds, rounds] = [Number(values.users), Number(values.seconds), Number(values.rounds)];
const folder = temporaryFolder();
const [url, keyFile] = [`sqlite:${join(folder, 'roster.db')}`, join(folder, 'secret.key')];
await seed(url, users);
await addAdministrator(url, keyFile);

let number = 0;
const all = new Map<number, Written[]>(COUNTS.map((count) => [count, []]));
for (let round = 0; round < rounds; round++)
  for (const count of COUNTS) all.get(count)?.push(await measure(count));
const rates = COUNTS.map(print);
const [rateOfOne = 0] = rates;
const missed = COUNTS.filter((count, at) => (rates[at] ?? 0) < rateOfOne || !isInTime(count));
if (missed.length > 0) {
  console.error(`Missed with ${missed.join(' and ')}.`);
  process.exitCode = 1;
}

async function measure(count: number): Promise<Written> {
  const rosters = await Promise.all(Array.from({ length: count }, () => startRosterOn(url, keyFile)));
  const origins = rosters.flatMap(({ origin }) => Array<string>(WRITERS).fill(origin));
  await writeAll(origins, WARM_UP);
  const written = await writeAll(origins, seconds * 1_000);
  for (const roster of rosters) await roster.stop();
  return written;
}

async function writeAll(origins: readonly string[], milliseconds: number): Promise<Written> {
  const written: Written = { times: [], seconds: milliseconds / 1_000, failed: 0 };
  const until = performance.now() + milliseconds;
  await Promise.all(
    origins.map(async (origin) => {
      const agent = new Agent({ keepAlive: true, maxSockets: 1 });
      while (performance.now() < until) await create(origin, agent, written);
      agent.destroy();
    }),
  );
  return written;
}

async function create(origin: string, agent: Agent, written: Written): Promise<void> {
  const name = `writer.${number++}`;
  const body = new URLSearchParams({
    username: name,
    email: `${name}@example.org`,
    is_active: '1',
  }).toString();
  const headers = {
    ...SIGNED_IN,
    'content-type': 'application/x-www-form-urlencoded',
    'content-length': body.length,
  };
  const { promise, resolve, reject } = Promise.withResolvers<number | undefined>();
  const sent = performance.now();
  request(`${origin}/users`, { agent, method: 'POST', headers }, (answer) => {
    answer.resume().once('end', () => resolve(answer.statusCode));
  })
    .once('error', reject)
    .end(body);
  const status = await promise;
  written.times.push(performance.now() - sent);
  if (status !== 303) written.failed++;
}

function isInTime(count: number): boolean {
  return (all.get(count) ?? []).every(
    ({ times, failed }) => failed === 0 && times.every((time) => time <= LONGEST_WAIT),
  );
}

/** @returns the median of its rates, a second */
function print(count: number): number {
  const rows = all.get(count) ?? [];
  const each = rows.map(({ times, seconds: took }) => times.length / took).sort((one, other) => one - other);
  const times = rows.flatMap((row) => row.times);
  const [p50, p99, most] = [0.5, 0.99, 1].map((share) => percentile(times, share).toFixed(0));
  const failed = rows.reduce((sum, row) => sum + row.failed, 0);
  console.log(
    `${count} × ${WRITERS} writers: ${each.map((rate) => rate.toFixed(0)).join(' · ')} creates/s; median · p99 · most ${p50} · ${p99} · ${most} ms; ${failed} not 303`,
  );
  return percentile(each, 0.5);
}
