import { once } from 'node:events';
import fastify from 'fastify';
import { afterEach, expect, test, vi } from 'vitest';
import { limitLines, limitLog } from '../../src/http/log-limit.ts';
import { breakCounts } from '../engines.ts';
import { run } from '../roster.ts';
import { listen, post, readyUrl, startApp, temporaryDatabase } from '../support.ts';

type Line = {
  msg: string;
  reqId: string;
  leftOut?: number;
  leftOutReqIds?: string[];
  err?: { stack: string };
};

const ALICE = { username: 'alice', email: 'alice@example.org' };

afterEach(() => void vi.useRealTimers());

function startLog() {
  vi.useFakeTimers({ toFake: ['setTimeout'] });
  const lines: Line[] = [];
  const stream = { write: (line: string) => void lines.push(JSON.parse(line)) };
  const limit = limitLines();
  const { log } = fastify({ logger: { level: 'info', stream, hooks: { logMethod: limitLog(limit) } } });
  /** @returns whether the log names it */
  const fail = (reqId: string, message = 'gone') => {
    log.child({ reqId }).error({ err: new Error(message) }, 'request failed');
    return limit.names(reqId);
  };
  return { log, lines, fail, limit };
}

test('of many lines of a kind the first is written at once, and one a second stands for the others', () => {
  const { lines, fail } = startLog();
  for (const id of ['1', '2', '3', '4']) fail(id);
  expect(lines).toMatchObject([{ reqId: '1', msg: 'request failed' }]);
  vi.advanceTimersByTime(1_000);
  expect(lines.slice(1)).toMatchObject([
    { reqId: '4', msg: 'request failed', leftOut: 2, leftOutReqIds: ['2', '3'] },
  ]);
  expect(lines[1]?.err?.stack).toContain('Error: gone');
  fail('5');
  expect(lines.length).toBe(2);
  vi.advanceTimersByTime(1_000);
  expect(lines[2]).toMatchObject({ reqId: '5' });
  expect(lines[2]).not.toHaveProperty('leftOut');
  // After a second without any, the next is the first again.
  vi.advanceTimersByTime(1_000);
  fail('6');
  expect(lines.map(({ reqId }) => reqId)).toEqual(['1', '4', '5', '6']);
});

test('of a kind there is one line a second, however many requests fail, and it names those of whom that was said', () => {
  const { lines, fail } = startLog();
  const ids = Array.from({ length: 1_000 }, (_, id) => String(id));
  const named = ids.filter((id) => fail(id));
  vi.advanceTimersByTime(1_000);
  expect(lines.map(({ leftOut = 0 }) => leftOut)).toEqual([0, 998]);
  expect(lines[1]?.leftOutReqIds).toEqual(ids.slice(1, 201));
  expect(named).toEqual(ids.slice(0, 201));
  expect(fail('next')).toBe(true);
});

test('the page of an error names its request only where the log does', async () => {
  const app = await startApp({ LOG_LEVEL: 'error' });
  await breakCounts(app.db);
  vi.useFakeTimers({ toFake: ['setTimeout'] });
  const pages = [];
  for (let asked = 0; asked < 210; asked++) pages.push(await post(app, '/users', ALICE));
  expect(pages.map(({ statusCode }) => statusCode)).toEqual(Array(210).fill(500));
  const names = pages.map(({ body }) => body.includes('as request'));
  expect(names).toEqual([...Array(201).fill(true), ...Array(9).fill(false)]);
});

test('where errors are not logged no page names its request', async () => {
  const app = await startApp({ LOG_LEVEL: 'silent' });
  await breakCounts(app.db);
  const failed = await post(app, '/users', ALICE);
  expect(failed.statusCode).toBe(500);
  const unread = await fetch(`${await listen(app)}/users/%zz`);
  expect(unread.status).toBe(400);
  for (const page of [failed.body, await unread.text()]) expect(page).not.toContain('as request');
});

test('what waits at the end is written then, and what comes after it at once', () => {
  const { lines, fail, limit } = startLog();
  for (const id of ['1', '2', '3']) fail(id);
  limit.end();
  fail('4');
  fail('5');
  vi.advanceTimersByTime(1_000);
  expect(lines.map(({ reqId, leftOutReqIds = [] }) => [reqId, ...leftOutReqIds])).toEqual([
    ['1'],
    ['3', '2'],
    ['4'],
    ['5'],
  ]);
});

test('lines of other kinds, and those that are no warnings, are written as they come', () => {
  const { log, lines, fail } = startLog();
  fail('1', 'gone');
  fail('2', 'full');
  log.warn('full');
  log.error(new Error('full'));
  for (let count = 0; count < 3; count++) log.info('told');
  expect(lines.map(({ msg }) => msg)).toEqual([
    'request failed',
    'request failed',
    'full',
    'full',
    'told',
    'told',
    'told',
  ]);
});

test('a Roster that fails all the time logs a few lines, which lead from each request to its cause', async () => {
  const url = await readyUrl();
  await breakCounts(await temporaryDatabase(url));
  const roster = run([], { PORT: '0', DATABASE_URL: url });
  let out = '';
  roster.stdout.setEncoding('utf8').on('data', (data) => {
    out += data;
  });
  while (!out.includes('\n')) await once(roster.stdout, 'data');
  const address = /^Roster is at (\S+)/.exec(out)?.[1];
  const post = async (number: number) => {
    const body = new URLSearchParams({ username: `user${number}`, email: `user${number}@example.org` });
    return (await fetch(`${address}/users`, { method: 'POST', body })).status;
  };
  const statuses = [];
  // Few at a time, or some are refused without being begun.
  for (let number = 0; number < 50; number += 5)
    statuses.push(...(await Promise.all([0, 1, 2, 3, 4].map((more) => post(number + more)))));
  // Some may have waited too long, which is another kind.
  expect(statuses.filter((status) => status < 500)).toEqual([]);
  const lines = () => (out.match(/^\{.*\}$/gm) ?? []).map((line) => JSON.parse(line) as Line);
  const ids = () => lines().flatMap(({ reqId, leftOutReqIds = [] }) => [reqId, ...leftOutReqIds]);
  // What waits is not lost.
  roster.kill('SIGTERM');
  await once(roster, 'close');
  expect(new Set(ids()).size).toBe(50);
  expect(lines().length).toBeLessThan(25);
});
