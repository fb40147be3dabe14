/** The metrics on a port of their own, at a Roster as it really runs. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { text } from 'node:stream/consumers';
import { expect, onTestFinished, test } from 'vitest';
import { listenTo, run, runToEnd } from '../../roster.ts';
import { readyUrl, startApp } from '../../support.ts';
import { parse, sumOf } from './scraped.ts';

/** In milliseconds: sooner than whoever has said nothing there would be let go of by itself. */
const IN_TIME = 9_000;

/** One in a process of its own, where it is, and where its metrics are. */
async function start(settings: Record<string, string> = {}) {
  const child = run([], { PORT: '0', METRICS_PORT: '0', DATABASE_URL: await readyUrl(), ...settings });
  const { address, said } = await listenTo(child);
  await expect.poll(said).toContain('Its metrics are at ');
  const metrics = /^Its metrics are at (http:\/\/127\.0\.0\.1:\d+\/metrics)$/m.exec(said())?.[1] ?? '';
  return { child, address, metrics };
}

test('they are told without a token there, and nowhere else', async () => {
  const { address, metrics } = await start();
  const first = parse(await (await fetch(metrics)).text());
  expect(sumOf(first, 'roster_database_up')).toBe(1);
  await (await fetch(`${address}/users`)).text();
  const second = parse(await (await fetch(metrics)).text());
  expect(sumOf(second, 'roster_http_requests_total', { route: '/users', status: '2xx' })).toBe(1);
  expect(sumOf(second, 'process_open_fds')).toBeGreaterThan(5);
  expect(sumOf(second, 'process_max_fds')).toBeGreaterThan(100);
  const started = Number(sumOf(second, 'process_start_time_seconds'));
  expect(Math.abs(Date.now() / 1_000 - started)).toBeLessThan(300);
  expect((await fetch(`${address}/metrics`)).status).toBe(404);
  expect((await fetch(metrics.replace('/metrics', '/users'))).status).toBe(404);
  expect((await fetch(metrics, { method: 'POST' })).status).toBe(405);
  expect(await (await fetch(metrics, { method: 'HEAD' })).text()).toBe('');
});

test.each([
  ['rebound.example.org', 421],
  ['127.0.0.1', 200],
  ['localhost', 200],
])('by a browser that takes this machine for %s they are answered %i', async (host, status) => {
  const app = await startApp({ METRICS_PORT: '0' });
  await app.ready();
  const socket = connect(Number(new URL(app.metricsAddress ?? '').port), '127.0.0.1');
  socket.write(`GET /metrics HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
  expect(await text(socket)).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
});

test('while Roster drains they are still told, and then it ends in time, whoever is connected there', async () => {
  const { child, address, metrics } = await start({ DRAIN_SECONDS: '3' });
  const idle = connect(Number(new URL(metrics).port), '127.0.0.1');
  onTestFinished(() => void idle.destroy());
  idle.on('error', () => {});
  await once(idle, 'connect');
  await (await fetch(metrics)).text();
  const ended = once(child, 'exit');
  const since = performance.now();
  child.kill('SIGTERM');
  await expect.poll(async () => (await fetch(`${address}/readyz`)).status).toBe(503);
  expect(sumOf(parse(await (await fetch(metrics)).text()), 'roster_database_up')).toBe(1);
  expect(await ended).toEqual([0, null]);
  expect(performance.now() - since).toBeLessThan(IN_TIME);
  await expect(fetch(metrics)).rejects.toThrow();
});

test('with the token alone Roster ends at once, too', async () => {
  const child = run([], { PORT: '0', METRICS_TOKEN: 'x'.repeat(16), DATABASE_URL: await readyUrl() });
  await listenTo(child);
  const since = performance.now();
  child.kill('SIGTERM');
  expect(await once(child, 'exit')).toEqual([0, null]);
  expect(performance.now() - since).toBeLessThan(IN_TIME);
});

test('a port that is taken is refused in one sentence, before a database is made', async () => {
  const taken = createServer().listen(0, '127.0.0.1');
  onTestFinished(() => void taken.close());
  await once(taken, 'listening');
  const { port } = taken.address() as AddressInfo;
  const { out, error, code } = await runToEnd([], { PORT: '0', METRICS_PORT: `${port}` });
  expect({ out, error, code }).toEqual({
    out: '',
    error: `Port ${port} of 127.0.0.1 is in use; give METRICS_PORT another number, or 0 for a free one.\n`,
    code: 1,
  });
});
