/** What a server's archive of its log is said to be. */
import { expect, test } from 'vitest';
import { adviseOnArchive } from '../../../src/db/postgres/backups.ts';

const [NOON, ONE] = [new Date('2026-11-30T12:00:00Z'), new Date('2026-11-30T13:00:00Z')];

test.each([
  ['off', null, null, 'keeps no archive of its log (archive_mode is off).'],
  ['on', null, null, 'has archived nothing of its log yet (archive_mode is on).'],
  ['always', null, ONE, 'has archived nothing of its log yet (archive_mode is always).'],
  ['on', NOON, ONE, 'fails to archive its log: last at 2026-11-30T13:00:00.000Z; see the server’s log.'],
  ['on', ONE, NOON, 'has archived its log last at 2026-11-30T13:00:00.000Z.'],
  ['on', NOON, null, 'has archived its log last at 2026-11-30T12:00:00.000Z.'],
])('%s, archived last %o, failed last %o', (archive_mode, archived, failed, said) => {
  const server = { version: 180_001, archive_mode, archived, failed };
  expect(adviseOnArchive(server)).toBe(`PostgreSQL 18 here ${said}`);
});
