import { availableParallelism } from 'node:os';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { readConfig } from '../src/config.ts';
import { isLoopback } from '../src/settings.ts';

const HOUR = 60 * 60 * 1000;

const DATA = join(import.meta.dirname, '..', 'data');

test('without settings Roster is at port 3000 of this machine, with a file in its own data/', () => {
  expect(readConfig({}, true)).toEqual({
    host: '127.0.0.1',
    port: 3000,
    origin: undefined,
    databaseUrl: `sqlite:${join(DATA, 'roster.db')}`,
    requireDatabase: false,
    databaseConnections: 10,
    readUrls: [],
    readLag: 2_000,
    secretKeyFile: join(DATA, 'secret.key'),
    importFolder: join(DATA, 'roster.db.imports'),
    backupFolder: undefined,
    backupEvery: 86_400_000,
    backupKeep: 14,
    logLevel: 'warn',
    trustProxy: [],
    sessionIdle: 12 * HOUR,
    sessionLasts: 7 * 24 * HOUR,
    keepAlive: 150_000,
    drainTime: 0,
  });
});

test.each([
  [{}, true, 0],
  [{}, false, 5_000],
  [{ DRAIN_SECONDS: '3' }, true, 3_000],
  [{ DRAIN_SECONDS: '0' }, false, 0],
])('with %o, and at a terminal: %s, Roster drains for %i milliseconds', (settings, isAtTerminal, time) => {
  expect(readConfig(settings, isAtTerminal).drainTime).toBe(time);
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
  expect(readConfig({ DATABASE_URL: 'sqlite:a b.db ' }).databaseUrl).toBe(`sqlite:${resolve('a b.db')}`);
  expect(readConfig({ REQUIRE_DATABASE: '1' }).requireDatabase).toBe(true);
});

test('as many processes answer as are asked for, or one for each core', () => {
  expect(readConfig({}).workers).toBeUndefined();
  expect(readConfig({ WORKERS: '3' }).workers).toBe(3);
  expect(readConfig({ WORKERS: 'auto' }).workers).toBe(availableParallelism());
});

test('the key is beside the file of the database, or where a setting says', () => {
  const keyFile = (settings: Record<string, string>) => readConfig(settings).secretKeyFile;
  expect(keyFile({ DATABASE_URL: 'sqlite:/srv/roster/r.db' })).toBe(resolve('/srv/roster/secret.key'));
  expect(keyFile({ DATABASE_URL: 'sqlite:r.db' })).toBe(resolve('secret.key'));
  expect(keyFile({ DATABASE_URL: 'postgres://roster@localhost/roster' })).toBe(join(DATA, 'secret.key'));
  expect(keyFile({ SECRET_KEY_FILE: '/run/keys/roster' })).toBe('/run/keys/roster');
  expect(keyFile({ SECRET_KEY_FILE: 'keys/roster' })).toBe(resolve('keys/roster'));
});

test('a proxy that is not named in TRUST_PROXY is refused: everyone would count as one', () => {
  expect(() => readConfig({ ORIGIN: 'https://users.example.org' })).toThrow(
    'ORIGIN says that there is a proxy: set TRUST_PROXY to its address',
  );
});

test('replicas are those of a PostgreSQL, and their addresses are not repeated', () => {
  const [one, two] = ['postgres://roster:s3cret@one/roster', 'postgres://roster:s3cret@two:5433/roster'];
  const both = { DATABASE_URL: one, DATABASE_READ_URL: `${one}, ${two}`, READ_LAG_SECONDS: '5' };
  expect(readConfig(both)).toMatchObject({ readUrls: [one, two], readLag: 5_000 });
  expect(() => readConfig({ DATABASE_READ_URL: one })).toThrow(
    /^DATABASE_READ_URL names replicas of a PostgreSQL: set DATABASE_URL to the address of its primary\.$/,
  );
  for (const url of ['sqlite:/srv/r.db', `${one},`, 'postgres://roster:s3cret@one,two/roster'])
    expect(() => readConfig({ ...both, DATABASE_READ_URL: url })).toThrow(
      /^DATABASE_READ_URL must be addresses as that of DATABASE_URL, of PostgreSQL, with commas between\.$/,
    );
});

test('a mail server needs ORIGIN, and mails are from the host of that or whom a setting says', () => {
  const server = { SMTP_URL: 'smtps://roster:s3%40cret@mail.example.org:465' };
  expect(() => readConfig(server)).toThrow('set ORIGIN to the address where people reach it.');
  const public_ = { ...server, ORIGIN: 'https://users.example.org', TRUST_PROXY: '10.0.0.1' };
  expect(readConfig(public_).mail?.from).toBe('roster@users.example.org');
  expect(readConfig(public_).mail?.server.hostname).toBe('mail.example.org');
  expect(readConfig({ ...public_, MAIL_FROM: 'it@example.org' }).mail?.from).toBe('it@example.org');
  for (const url of ['smtp://[::1]:25', 'smtp://mail.example.org/', 'smtps://a:b@mail'])
    expect(readConfig({ ...public_, SMTP_URL: url }).mail?.server.href).toBe(url);
});

test.each([
  'https://mail.example.org',
  'smtp://',
  'smtp:mail',
  'smtp://mail/in?tls=0',
  'smtp://mail#x',
  'smtp://u:s3cret%@mail',
])('%s is no mail server, and is not repeated, since it may hold a password', (url) => {
  expect(() => readConfig({ SMTP_URL: url })).toThrow(
    /^SMTP_URL must be smtp:\/\/ or smtps:\/\/ and a mail server, such as smtps:\/\/user:password@mail\.example\.org\.$/,
  );
});

test.each([
  ['HOST', 'http://localhost', 'HOST must be a host name or an IP address, not "http://localhost".'],
  ['MAIL_FROM', 'Roster', 'MAIL_FROM must be an email address, not "Roster".'],
  ['PORT', '65536', 'PORT must be a whole number from 0 to 65535, not "65536".'],
  ['PORT', '8e3', 'PORT must be a whole number from 0 to 65535, not "8e3".'],
  [
    'ORIGIN',
    'users.example.org',
    'ORIGIN must be an address such as https://users.example.org or https://example.org/users; http is for this machine alone, not "users.example.org".',
  ],
  ['ORIGIN', 'https://example.org/roster?x', 'ORIGIN must be'],
  ['ORIGIN', 'https://ann@example.org', 'ORIGIN must be'],
  ['ORIGIN', 'https://example.org/a%20b', 'ORIGIN must be'],
  ['ORIGIN', 'https://example.org//roster', 'ORIGIN must be'],
  [
    'DATABASE_URL',
    'mysql://localhost',
    'DATABASE_URL must be sqlite: and the path of a file as it is, such as sqlite:/srv/roster/roster.db, or',
  ],
  [
    'DATABASE_URL',
    'postgres://roster@one,two/roster',
    'database with one host (the primary, or what leads there)',
  ],
  ['DATABASE_URL', 'postgres://roster@one:5432,two:5432/roster', 'with one host'],
  ['DATABASE_URL', 'postgres://roster@one/roster?host=one,two', 'with one host'],
  ['DATABASE_URL', 'sqlite::memory:', 'DATABASE_URL must be'],
  ['DATABASE_URL', 'sqlite:', 'DATABASE_URL must be'],
  ['DATABASE_URL', 'sqlite:  ', 'DATABASE_URL must be'],
  ['DATABASE_URL', 'sqlite: :memory: ', 'DATABASE_URL must be'],
  ['REQUIRE_DATABASE', 'yes', 'REQUIRE_DATABASE must be 1 or 0, not "yes".'],
  ['BACKUP_FOLDER', '~/backups', 'BACKUP_FOLDER must be the path of a folder as it is, without // or'],
  ['SECRET_KEY_FILE', '~/secret.key', 'SECRET_KEY_FILE must be the path of a file as it is, without // or'],
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
  ['WORKERS', '0', 'WORKERS must be a whole number from 1 to 64, or auto, not "0".'],
  ['METRICS_PORT', '65536', 'METRICS_PORT must be a whole number from 0 to 65535, not "65536".'],
])('%s=%s is refused in one sentence', (name, value, sentence) => {
  expect(() => readConfig({ [name]: value })).toThrow(sentence);
});

test.each([
  'sqlite://data/r.db',
  'sqlite:///data/r.db',
  'sqlite:////data/r.db',
  'sqlite:~/r.db',
  'sqlite:~alice/r.db',
  'sqlite:$HOME/r.db',
  'sqlite:%APPDATA%/r.db',
  'sqlite:"data/r.db"',
  "sqlite:'data/r.db'",
  'sqlite:r.db?mode=ro',
  'sqlite:my%20data/r.db',
  'sqlite:file:r.db',
  'sqlite:sqlite:r.db',
  'sqlite:data/',
  ...(process.platform === 'win32'
    ? []
    : ['sqlite:C:\\data\\r.db', 'sqlite:C:/data/r.db', 'sqlite:data\\r.db']),
])('%s, which elsewhere means something else than a name here, is refused with how to write it', (url) => {
  expect(() => readConfig({ DATABASE_URL: url })).toThrow(
    /^DATABASE_URL must be .* such as sqlite:\/srv\/roster\/roster\.db, or sqlite:data\/roster\.db .*without \/\/ or quotes before it, and without ~/,
  );
});

test.each([
  ['sqlite:/srv/my data/it\'s 100% "r".sqlite3', '/srv/my data/it\'s 100% "r".sqlite3'],
  ['sqlite:./r.db', resolve('r.db')],
  ['sqlite:../r~1.db', resolve('../r~1.db')],
  ['sqlite:data/#1 $ & €.db', resolve('data/#1 $ & €.db')],
])('%s is a path as it is', (url, path) => {
  expect(readConfig({ DATABASE_URL: url }).databaseUrl).toBe(`sqlite:${path}`);
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

test.each(['IMPORT_FOLDER', 'BACKUP_FOLDER'])('a slash at the end of %s means nothing', (name) => {
  const { importFolder, backupFolder } = readConfig({ [name]: '/srv/some/' });
  expect(name === 'IMPORT_FOLDER' ? importFolder : backupFolder).toMatch(/^\/srv\/some(\/[^/]+)?$/);
});

test.each(['secret', 'x'.repeat(15), `${'x'.repeat(20)} y`, 'ä'.repeat(20)])(
  '%s is no token for the metrics, and is not repeated',
  (METRICS_TOKEN) => {
    expect(() => readConfig({ METRICS_TOKEN })).toThrow(
      /^METRICS_TOKEN must be at least 16 letters and digits, such as those that this makes: openssl rand -hex 24\.$/,
    );
    expect(readConfig({ METRICS_TOKEN: 'x'.repeat(16) }).metricsToken).toBe('x'.repeat(16));
  },
);
