/** When it is time for the next backup. */
import { hostname } from 'node:os';
import { expect, test } from 'vitest';
import { hasStopped, nextBackupAt } from '../../src/maintenance/next-backup.ts';
import type { Run } from '../../src/maintenance/queries.ts';
import { HOUR } from '../people.ts';

const NOW = Date.UTC(2026, 10, 29, 3);
const DAY = 24 * HOUR;

const made = (ago: number, outcome: Run['outcome'], folder = '/srv/backups'): Run => ({
  id: 1,
  kind: 'backup',
  begun_at: NOW - ago,
  ended_at: null,
  outcome,
  host: 'here',
  file: outcome === 'good' ? `${folder}/roster.db` : null,
  size: null,
  users: null,
  problem: null,
  is_quick: false,
});

test.each<[string, Run[], boolean]>([
  ['where there was none', [], true],
  ['once the last good one is a day old', [made(DAY + HOUR, 'good')], true],
  ['not before', [made(DAY - HOUR, 'good')], false],
  ['also where a newer one went elsewhere', [made(HOUR, 'good', '/tmp'), made(2 * DAY, 'good')], true],
  ['not at once after one that has failed', [made(HOUR / 2, 'bad'), made(2 * DAY, 'good')], false],
  ['an hour after one that has failed', [made(1.1 * HOUR, 'bad'), made(2 * DAY, 'good')], true],
  ['not while one is under way', [made(HOUR / 2, null)], false],
  ['an hour after one was begun that never ended', [made(2 * HOUR, null)], true],
  ['not where one failed that was made besides', [made(HOUR / 2, 'bad'), made(HOUR, 'good')], false],
  ['where the last good one is of a clock that was ahead', [made(-365 * DAY, 'good')], true],
  ['where the last bad one is of a clock that was ahead', [made(-365 * DAY, 'bad')], true],
  ['not because another machine’s clock is half a minute ahead', [made(-30_000, 'good')], false],
])('it is time for a backup: %s', (_when, runs, isDue) => {
  expect(nextBackupAt(runs, { folder: '/srv/backups', every: DAY, since: NOW - DAY }, NOW) <= NOW).toBe(
    isDue,
  );
});

test('it is time at once for a Roster that was started after the last one had failed', () => {
  const runs = [made(HOUR / 2, 'bad'), made(2 * DAY, 'good')];
  const at = (since: number) =>
    nextBackupAt(runs, { folder: '/srv/backups', every: DAY, since: NOW - since }, NOW);
  expect([at(HOUR / 4), at(HOUR)]).toEqual([NOW, NOW + HOUR / 2]);
});

test('one that has no end goes on for an hour, unless its machine was started since', () => {
  const here = { ...made(HOUR / 2, null), host: hostname(), begun_at: Date.now() - 60 * DAY * 365 };
  const late = { ...here, host: 'elsewhere', begun_at: NOW - 2 * HOUR };
  const runs = [made(HOUR / 2, null), late, here, { ...here, ended_at: NOW }];
  expect(runs.map((run) => hasStopped(run, run.begun_at + (run === late ? 2 : 0.5) * HOUR))).toEqual([
    false,
    true,
    true,
    false,
  ]);
});
