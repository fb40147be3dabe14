import { globSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import Sequencer from './test/sequencer.ts';

/** By these a test has a database of the engine under test. */
const WITH_DATABASE =
  /\b(startApp|buildApp|temporaryDatabase|sharedDatabase|temporaryUrl|readyUrl|openDatabase|startWithPayloads|inject|startSeveral)\b|startRoster\(\)|\/engines\.ts'/;
/** What takes long, or what npm does not bring. */
const APART = ['test/reliability/**', 'test/firefox/**', 'test/proxies/**'];
/** Where there are several Rosters on one database, that is PostgreSQL. */
const SEVERAL = ['test/proxies/several.test.ts'];
/** What has none runs once, also where it starts a Roster on a file of its own. */
const UNITS = globSync('test/**/*.test.ts', { exclude: APART }).filter(
  (path) => !WITH_DATABASE.test(readFileSync(path, 'utf8')),
);

/** What has a database, and nothing to do with which: browsers, the protocol, sockets and ports, who sits where. Run on SQLite alone. */
const ON_ONE_DATABASE = [
  'test/browser/**',
  'test/http/!(admission|request-log).test.ts',
  'test/app.test.ts',
  'test/process.test.ts',
  'test/auth/open-access.test.ts',
  'test/invitations/mail.test.ts',
  'test/lib/**',
  'test/operations/inherited-socket.test.ts',
  'test/operations/metrics/listener.test.ts',
  'test/operations/workers/metrics.test.ts',
];

const shared = {
  // A real Chromium starts in some tests, a whole Roster in others; the machines that run them can be slow, and at work for others.
  testTimeout: 180_000,
  hookTimeout: 180_000,
  expect: { poll: { timeout: 60_000 } },
  // To load Roster takes longer than most files of tests: a thread does so once. What one leaves behind, the next would find.
  pool: 'threads',
  isolate: false,
  restoreMocks: true,
} as const;

const withDatabase = { ...shared, setupFiles: 'test/each-file.ts' } as const;

export default defineConfig({
  test: {
    // Much of what they do is wait for a process, a disk, a browser or a time to pass.
    maxWorkers: availableParallelism() + 2,
    globalSetup: 'test/setup.ts',
    sequence: { sequencer: Sequencer },
    projects: [
      {
        test: {
          ...shared,
          name: 'unit',
          include: UNITS,
          provide: { engine: 'sqlite', isLong: false },
        },
      },
      {
        test: {
          ...withDatabase,
          name: 'sqlite',
          include: ['test/**/*.test.ts'],
          exclude: ['test/db/postgres/**', ...APART, ...UNITS],
          provide: { engine: 'sqlite', isLong: false },
          globalSetup: ['test/database-template.ts', 'test/browser/unpack.ts'],
        },
      },
      {
        test: {
          ...withDatabase,
          name: 'postgres',
          include: ['test/**/*.test.ts'],
          exclude: ['test/db/sqlite/**', 'test/firefox/**', 'test/proxies/**', ...ON_ONE_DATABASE, ...UNITS],
          provide: { engine: 'postgres', isLong: false },
          globalSetup: ['test/database-template.ts', 'test/postgres/setup.ts'],
        },
      },
      {
        test: {
          ...withDatabase,
          name: 'reliability',
          include: ['test/reliability/**/*.test.ts'],
          provide: { engine: 'postgres', isLong: true },
          globalSetup: ['test/database-template.ts', 'test/postgres/setup.ts'],
        },
      },
      {
        test: {
          ...withDatabase,
          name: 'firefox',
          include: ['test/firefox/**/*.test.ts'],
          provide: { engine: 'sqlite', isLong: false },
          globalSetup: 'test/database-template.ts',
        },
      },
      {
        test: {
          ...withDatabase,
          name: 'proxies',
          include: ['test/proxies/**/*.test.ts'],
          exclude: SEVERAL,
          provide: { engine: 'sqlite', isLong: false },
          globalSetup: 'test/database-template.ts',
        },
      },
      {
        test: {
          ...withDatabase,
          name: 'proxies-postgres',
          include: SEVERAL,
          provide: { engine: 'postgres', isLong: false },
          globalSetup: ['test/database-template.ts', 'test/postgres/setup.ts'],
        },
      },
    ],
  },
});
