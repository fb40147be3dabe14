/** Metrics of several processes: they tell of all of them as of one, whoever is asked. */
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { send } from '../../reliability/clients.ts';
import { preloading } from '../../roster.ts';
import { parse, sumOf } from '../metrics/scraped.ts';
import { PATIENCE, startSeveral } from './running.ts';

const ASKED = 10;
const MOST_SERIES = 500;

function metricsOf(said: string): string {
  return /Its metrics are at (\S+)/.exec(said)?.[1] ?? '';
}

test('what all have answered is added up, also of one that has been killed since', PATIENCE, async () => {
  const { address, said, workers } = await startSeveral({ METRICS_PORT: '0' });
  const scrape = async () => parse(await (await fetch(metricsOf(said()))).text());
  const answered = async () => sumOf(await scrape(), 'roster_http_requests_total', { route: '/sign-in' });
  for (let time = 0; time < ASKED; time++) await send(`${address}/sign-in`, { agent: false });
  // Who is asked knows of the others what they have said, each second.
  await expect.poll(answered).toBe(ASKED);
  const [killed = 0] = workers();
  process.kill(killed, 'SIGKILL');
  await expect.poll(workers).not.toContain(killed);
  expect(await answered()).toBe(ASKED);
  await expect.poll(() => workers().length).toBe(2);
  for (let time = 0; time < ASKED; time++) await send(`${address}/sign-in`, { agent: false });
  await expect.poll(answered).toBe(2 * ASKED);
  const all = await scrape();
  expect(all.length).toBeLessThanOrEqual(MOST_SERIES);
  expect(sumOf(all, 'roster_build_info')).toBe(1);
  expect(sumOf(all, 'roster_users')).toBe(0);
});

test('one that says what its parent does not know, as newer code may, ends nothing', PATIENCE, async () => {
  const newer = preloading(`
    import cluster from 'node:cluster';
    const { send } = process;
    if (cluster.isWorker)
      process.send = (message, ...rest) => {
        if (message.kind === 'listening') send.call(process, { kind: 'new' });
        return send.call(process, message.kind === 'alive' ? { kind: 'new' } : message, ...rest);
      };`);
  const { said } = await startSeveral({ ...newer, METRICS_PORT: '0' });
  const all = parse(await (await fetch(metricsOf(said()))).text());
  expect(sumOf(all, 'roster_build_info')).toBe(1);
});

test('however many ask at once, nothing is said of that', PATIENCE, async () => {
  const MANY = 11;
  // Answers lie until all have asked.
  const late = preloading(`
    import { Worker } from 'node:cluster';
    const { send } = Worker.prototype;
    const answers = [];
    Worker.prototype.send = function (message, ...rest) {
      if (message.kind !== 'counted') return send.call(this, message, ...rest);
      answers.push(() => send.call(this, message, ...rest));
      if (answers.length === ${MANY}) for (const answer of answers) answer();
    };`);
  const { child, said, ended } = await startSeveral({ ...late, METRICS_PORT: '0', WORKERS: '1' });
  const errors = text(child.stderr);
  const answers = await Promise.all(Array.from({ length: MANY }, () => fetch(metricsOf(said()))));
  expect(answers.map(({ status }) => status)).toEqual(Array(MANY).fill(200));
  child.kill('SIGTERM');
  await ended;
  expect(await errors).toBe('');
});
