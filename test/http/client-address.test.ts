/** Who asks: one address in one form, whatever a proxy makes of it. */
import { once } from 'node:events';
import type { FastifyInstance } from 'fastify';
import { describe, expect, test } from 'vitest';
import { allow } from '../../src/auth/access.ts';
import { anyone } from '../../src/auth/policy.ts';
import { readConfig } from '../../src/config.ts';
import type { Kind } from '../../src/http/admission-queue.ts';
import { askerOf, canonicalAddress, trustOf } from '../../src/http/client-address.ts';
import { addPerson, HOUR, movableClock } from '../people.ts';
import { run } from '../roster.ts';
import { post, readyUrl, startApp, temporaryDatabase } from '../support.ts';

const PROXY = '10.0.0.1';

describe('an address', () => {
  test.each([
    ['198.51.100.3', '198.51.100.3'],
    ['198.51.100.3:40001', '198.51.100.3'],
    ['::ffff:198.51.100.3', '198.51.100.3'],
    ['[::FFFF:c633:6403]:443', '198.51.100.3'],
    ['2001:DB8:0:0::0:1', '2001:db8::1'],
    ['[2001:db8::1]', '2001:db8::1'],
    ['[2001:db8::1]:443', '2001:db8::1'],
    ['[2001:db8::1%eth0]:443', '2001:db8::1'],
    ['fe80::1%eth0', 'fe80::1'],
  ])('%s counts as %s', (written, address) => {
    expect(canonicalAddress(written)).toBe(address);
  });

  test.each([
    undefined,
    '',
    'unknown',
    '_hidden',
    '7',
    '0x7f.1',
    '127.1',
    '010.0.0.1',
    '256.0.0.1',
    '1.2.3.4:x',
    '[1.2.3.4',
    '[]:1',
    '2001:db8::1]:443',
    '1:2:3:4:5:6:7:8:443',
    'a'.repeat(10_000),
  ])('%j is none', (written) => {
    expect(canonicalAddress(written)).toBe('unknown');
  });
});

test.each([
  ['10.0.0.0/9, fd00::/8', ['10.1.2.3', '10.1.2.3:80', '::ffff:10.1.2.3', '[fd12::1]:443'], ['10.128.0.1']],
  ['10.0.0.1', ['10.0.0.1:9', '[::ffff:a00:1]:9'], ['10.0.0.2', '::1', 'unknown', undefined]],
  ['::ffff:10.0.0.1', ['10.0.0.1'], ['10.0.0.2']],
  ['::ffff:10.0.0.0/104', ['10.9.9.9:1'], ['11.0.0.1']],
  ['fe80::1%eth0', ['fe80::1', 'fe80::1%eth0'], ['fe80::2']],
])('proxies of %s are told from others, with and without a port', (networks, proxies, others) => {
  const isTrusted = trustOf(readConfig({ TRUST_PROXY: networks }));
  for (const proxy of proxies) expect(isTrusted(proxy), proxy).toBe(true);
  for (const other of others) expect(isTrusted(other), other).toBe(false);
});

test('who asks is a connection, or behind a proxy the client that it names, if it names one', () => {
  const isTrusted = trustOf(readConfig({ TRUST_PROXY: '10.0.0.0/8' }));
  let kind: Kind = 'reading';
  const asker = (remoteAddress: string, forwarded?: string) => {
    const request = { socket: { remoteAddress }, headers: { 'x-forwarded-for': forwarded } };
    const who = askerOf(request as never, kind, isTrusted);
    return who === request.socket ? 'the connection' : who;
  };
  expect(asker('198.51.100.3', '203.0.113.1')).toBe('the connection');
  expect(asker('10.0.0.1', '203.0.113.1')).toBe('203.0.113.1');
  expect(asker('::ffff:10.0.0.1', 'made-up, [2001:DB8::1]:443, 10.9.9.9:80')).toBe('2001:db8::1');
  expect(asker('10.0.0.1', '10.0.0.2, 10.0.0.3')).toBe('10.0.0.2');
  for (const none of [undefined, '', ' ']) expect(asker('10.0.0.1', none)).toBeUndefined();
  // Of connections somebody has any number, and of IPv6 addresses.
  kind = 'signing in';
  expect(asker('::ffff:198.51.100.3', '203.0.113.1')).toBe('198.51.100.3');
  expect(asker('2001:db8::3')).toBe('2001:db8::/48');
  expect(asker('10.0.0.1', '2001:db8:0:9::4')).toBe('2001:db8::/48');
  expect(asker('10.0.0.1')).toBeUndefined();
});

/** An app behind proxies that says of whoever asks where they are, and a clock of its own. */
async function startBehindProxy() {
  const [clock, stopwatch] = [movableClock(), movableClock()];
  const app = await startApp({ TRUST_PROXY: `${PROXY}, 10.1.0.0/16` }, undefined, clock, stopwatch);
  app.get('/where', allow(anyone, { isBeforeSetup: true }), async (request) => request.address);
  return { app, clock, stopwatch };
}

async function where(app: FastifyInstance, forwarded?: string, remoteAddress = PROXY, url = '/where') {
  const headers = {
    host: 'localhost',
    'accept-language': 'en',
    ...(forwarded !== undefined && { 'x-forwarded-for': forwarded }),
  };
  return (await app.inject({ url, remoteAddress, headers })).body;
}

test('behind proxies the nearest address that is no proxy counts, whether or not ports are written', async () => {
  const { app } = await startBehindProxy();
  expect(await where(app, '198.51.100.3:40001')).toBe('198.51.100.3');
  expect(await where(app, '203.0.113.9, 198.51.100.3:40001, 10.1.2.3:55')).toBe('198.51.100.3');
  expect(await where(app, '203.0.113.9, [2001:db8::1]:443, [::ffff:10.1.2.3]:55')).toBe('2001:db8::1');
  expect(await where(app, '203.0.113.9, nonsense')).toBe('unknown');
  expect(await where(app, '198.51.100.3', '::ffff:10.0.0.1')).toBe('198.51.100.3');
  expect(await where(app, '198.51.100.3', '203.0.113.7')).toBe('203.0.113.7');
  expect(await where(await startApp(), '198.51.100.3', '127.0.0.1')).toContain('no administrator yet');
});

test('a port, brackets or nonsense in X-Forwarded-For make nobody a stranger again', async () => {
  const app = await startApp({ TRUST_PROXY: '127.0.0.1' }, undefined, movableClock());
  await addPerson(app.db, 'ann', 'admin');
  for (const from of [(at: number) => `198.51.100.3:${40_000 + at}`, (at: number) => `nonsense ${at}`]) {
    const answers: number[] = [];
    for (let at = 0; at < 8; at++) {
      const headers = { 'x-forwarded-for': from(at) };
      answers.push((await post(app, '/sign-in', { username: 'ann', password: 'x' }, headers)).statusCode);
    }
    expect(answers.slice(-3), from(0)).toEqual([429, 429, 429]);
  }
});

test('what a proxy hands on that has left the header out is not believed for an hour, wherever the clock is set', async () => {
  const { app, clock, stopwatch } = await startBehindProxy();
  // What checks on Roster past the proxy.
  const check = { url: '/healthz', remoteAddress: PROXY, headers: { host: 'localhost' } };
  expect((await app.inject(check)).body).toBe('ok\n');
  expect((await app.inject({ ...check, url: '/where' })).body).toBe(PROXY);
  expect(await where(app, '198.51.100.3')).toBe('198.51.100.3');
  for (const empty of [undefined, '', ' , ']) {
    expect(await where(app, empty)).toBe(PROXY);
    expect(await where(app, '198.51.100.3'), 'what a client made up').toBe(PROXY);
    expect(await where(app, '198.51.100.3', '10.1.0.9'), 'by another proxy').toBe('198.51.100.3');
    clock.move(2 * HOUR);
    stopwatch.move(HOUR - 1);
    expect(await where(app, '198.51.100.3')).toBe(PROXY);
    stopwatch.move(1);
    expect(await where(app, '198.51.100.3')).toBe('198.51.100.3');
  }
});

test('the log says once that a proxy leaves the header out, and what to add to it', async () => {
  const url = await readyUrl();
  await addPerson(await temporaryDatabase(url), 'ann', 'admin');
  const settings = { ORIGIN: 'https://users.example.org', TRUST_PROXY: '127.0.0.1' };
  const roster = run([], { PORT: '0', DATABASE_URL: url, ...settings });
  let out = '';
  roster.stdout.setEncoding('utf8').on('data', (data) => {
    out += data;
  });
  while (!out.includes('\n')) await once(roster.stdout, 'data');
  const [, address = ''] = /listening at (http:[^)]+)/.exec(out) ?? [];
  const ask = async (path: string, headers = {}) => (await fetch(address + path, { headers })).text();
  await ask('/healthz');
  await ask('/sign-in', { 'x-forwarded-for': '198.51.100.3' });
  expect(out.match(/X-Forwarded-For/g)).toBeNull();
  await ask('/sign-in');
  await ask('/nowhere');
  roster.kill('SIGTERM');
  await once(roster, 'close');
  expect(
    out.match(/The proxy 127\.0\.0\.1 has sent a browser’s request without X-Forwarded-For/g),
  ).toHaveLength(1);
  expect(out).toContain('proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;');
});
