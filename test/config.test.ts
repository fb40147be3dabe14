import { join } from 'node:path';
import { expect, test } from 'vitest';
import { isLoopback, readConfig } from '../src/config.ts';

const HOUR = 60 * 60 * 1000;

test('without settings Roster is at port 3000 of this machine, with a file in data/', () => {
  expect(readConfig({})).toEqual({
    host: '127.0.0.1',
    port: 3000,
    origin: undefined,
    databaseUrl: 'sqlite:data/roster.db',
    databaseConnections: 10,
    secretKeyFile: join('data', 'secret.key'),
    logLevel: 'warn',
    trustProxy: [],
    sessionIdle: 12 * HOUR,
    sessionLasts: 7 * 24 * HOUR,
    keepAlive: 75_000,
    drainTime: undefined,
  });
});

test('settings are read, and an empty one counts as none', () => {
  const config = readConfig({
    HOST: '::1',
    PORT: '0',
    ORIGIN: 'https://users.example.org',
    TRUST_PROXY: '::1',
    LOG_LEVEL: '',
  });
  expect(config).toMatchObject({ host: '::1', port: 0, logLevel: 'warn' });
  expect(config.origin?.host).toBe('users.example.org');
  expect(readConfig({ HOST: 'VM', ORIGIN: 'https://users.example.org', TRUST_PROXY: '10.0.0.1' }).host).toBe(
    'vm',
  );
  expect(readConfig({ DATABASE_URL: 'sqlite:a b.db ' }).databaseUrl).toBe('sqlite:a b.db');
});

test('the key is beside the file of the database, or where a setting says', () => {
  const keyFile = (settings: Record<string, string>) => readConfig(settings).secretKeyFile;
  expect(keyFile({ DATABASE_URL: 'sqlite:/srv/roster/r.db' })).toBe(join('/srv/roster', 'secret.key'));
  expect(keyFile({ DATABASE_URL: 'sqlite:r.db' })).toBe('secret.key');
  expect(keyFile({ DATABASE_URL: 'postgres://roster@localhost/roster' })).toBe(join('data', 'secret.key'));
  expect(keyFile({ SECRET_KEY_FILE: '/run/keys/roster' })).toBe('/run/keys/roster');
});

test('a proxy that is not named in TRUST_PROXY is refused: everyone would count as one', () => {
  expect(() => readConfig({ ORIGIN: 'https://users.example.org' })).toThrow(
    'ORIGIN says that there is a proxy: set TRUST_PROXY to its address',
  );
});

test.each([
  ['HOST', 'http://localhost', 'HOST must be a host name or an IP address, not "http://localhost".'],
  ['PORT', '65536', 'PORT must be a whole number from 0 to 65535, not "65536".'],
  ['PORT', '8e3', 'PORT must be a whole number from 0 to 65535, not "8e3".'],
  [
    'ORIGIN',
    'users.example.org',
    'ORIGIN must be an address such as https://users.example.org; http is for this machine alone, not "users.example.org".',
  ],
  ['ORIGIN', 'https://example.org/roster', 'ORIGIN must be'],
  [
    'DATABASE_URL',
    'mysql://localhost',
    'DATABASE_URL must be sqlite: and the path of a file, or postgres://',
  ],
  ['DATABASE_URL', 'sqlite::memory:', 'DATABASE_URL must be'],
  ['DATABASE_URL', 'sqlite:', 'DATABASE_URL must be'],
  ['DATABASE_URL', 'sqlite:  ', 'DATABASE_URL must be'],
  ['DATABASE_URL', 'sqlite: :memory: ', 'DATABASE_URL must be'],
  ['LOG_LEVEL', 'loud', 'LOG_LEVEL must be one of'],
  ['TRUST_PROXY', 'true', 'TRUST_PROXY must be addresses or networks with commas between'],
  ['TRUST_PROXY', '10.0.0.0/33', 'TRUST_PROXY must be'],
  ['TRUST_PROXY', '0.0.0.0/0', 'TRUST_PROXY must be'],
  ['TRUST_PROXY', '::/0', 'TRUST_PROXY must be'],
  ['ORIGIN', 'http://users.example.org', 'http is for this machine alone'],
  ['TRUST_PROXY', '10.0.0.1,', 'TRUST_PROXY must be'],
  ['SESSION_HOURS', '0', 'SESSION_HOURS must be a whole number of hours from 1 to 8760, not "0".'],
  ['SESSION_IDLE_HOURS', '1.5', 'SESSION_IDLE_HOURS must be'],
  [
    'KEEP_ALIVE_SECONDS',
    '0',
    'KEEP_ALIVE_SECONDS must be a whole number of seconds from 1 to 3600, not "0".',
  ],
  ['DRAIN_SECONDS', '-1', 'DRAIN_SECONDS must be a whole number of seconds from 0 to 3600, not "-1".'],
  ['DRAIN_SECONDS', '3601', 'DRAIN_SECONDS must be'],
])('%s=%s is refused in one sentence', (name, value, sentence) => {
  expect(() => readConfig({ [name]: value })).toThrow(sentence);
});

test('every wrong setting is told at once', () => {
  expect(() => readConfig({ PORT: 'x', LOG_LEVEL: 'y' })).toThrow(/^PORT must be .*\nLOG_LEVEL must be /);
});

test('only this machine reaches a loopback address', () => {
  expect(['127.0.0.1', '127.9.9.9', '::1', 'localhost'].map(isLoopback)).toEqual([true, true, true, true]);
  expect(['0.0.0.0', '::', '192.168.0.1', '127.example.org'].map(isLoopback)).toEqual([
    false,
    false,
    false,
    false,
  ]);
});

test.each([
  'postgres:/roster:secret@host/db',
  'postgres:roster:secret@host/db',
  'mysql://roster:secret@host/db',
  'postgres://host:99999/db?user=u&password=secret',
  'postgres://roster:12#secret@127.0.0.1/db',
  'postgres://roster:12/secret@127.0.0.1/db',
  'postgres://roster:12?secret@127.0.0.1/db',
])('an address that means nothing (%s) is refused without the password that may be in it', (url) => {
  expect(() => readConfig({ DATABASE_URL: url })).toThrow(/^DATABASE_URL must be (?!.*secret)/);
});

test('only this machine is served over plain HTTP, and only proxies that are named are believed', () => {
  const open = { HOST: '0.0.0.0', ORIGIN: 'https://users.example.org', TRUST_PROXY: '10.0.0.1, fd00::/8' };
  expect(readConfig(open).trustProxy).toEqual(['10.0.0.1', 'fd00::/8']);
  for (const missing of [
    { ORIGIN: '' },
    { ORIGIN: 'http://127.0.0.1', TRUST_PROXY: '10.0.0.1' },
    { TRUST_PROXY: '' },
  ]) {
    expect(() => readConfig({ ...open, ...missing })).toThrow(
      /^Roster speaks plain HTTP, .* TRUST_PROXY .*\.$/,
    );
  }
  expect(() => readConfig({ ...open, HOST: '::1', ORIGIN: '' })).not.toThrow();
  expect(() => readConfig({ ...open, HOST: '::1', ORIGIN: 'http://127.0.0.1' })).not.toThrow();
});
