/** What the database knows: read when somebody asks, from counts that are kept and by indexes, never by going through users. */
import { statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { countLiveSessions } from '../../auth/active-sessions.ts';
import { logSize } from '../../backup/disk-space.ts';
import { filePathOf } from '../../database-url.ts';
import { engineOf } from '../../db/engine.ts';
import { countImports } from '../../imports/queries.ts';
import { countJobs } from '../../jobs/queries.ts';
import { hasStopped } from '../../maintenance/next-backup.ts';
import { findLastRun, type Run } from '../../maintenance/queries.ts';
import { readCounts } from '../../users/counts.ts';
import { by, type Family, gauge } from './families.ts';

type Source = Pick<FastifyInstance, 'db' | 'config' | 'clock'>;

export async function readState(app: Source): Promise<Family[]> {
  return [
    ...(await readUsers(app)),
    ...(await readSizes(app)),
    ...(await readWork(app)),
    ...(await readRuns(app)),
  ];
}

async function readUsers({ db, config, clock }: Source): Promise<Family[]> {
  const counts = await readCounts(db);
  const users = counts.map(({ is_active, role, count }) => ({
    value: count,
    labels: { status: is_active ? 'active' : 'inactive', role },
  }));
  const now = clock();
  const sessions = await countLiveSessions(db, now - config.sessionIdle, now - config.sessionLasts);
  return [
    gauge('roster_users', 'Users there are.', users),
    gauge('roster_sessions', 'Browsers that are signed in.', sessions),
  ];
}

async function readSizes({ db, config }: Source): Promise<Family[]> {
  const path = filePathOf(config.databaseUrl);
  const log = path === undefined ? undefined : logSize(path);
  return [
    gauge('roster_database_size_bytes', 'What the database takes up.', await engineOf(db).readSize(db)),
    gauge('roster_database_log_size_bytes', 'The log beside its file (SQLite).', log),
    gauge(
      'roster_disk_free_bytes',
      'Room beside its file (SQLite).',
      path === undefined ? undefined : await readRoom(path),
    ),
  ];
}

/** Undefined where the disk does not say: whether the database can be read is another question. */
async function readRoom(path: string): Promise<number | undefined> {
  const disk = await statfs(dirname(path)).catch(() => undefined);
  return disk && disk.bavail * disk.bsize;
}

async function readWork({ db }: Source): Promise<Family[]> {
  return [
    gauge('roster_imports', 'Files that were brought and are not done.', by('state', await countImports(db))),
    gauge(
      'roster_jobs',
      'Jobs; those that were stopped among the last hundred.',
      by('state', await countJobs(db)),
    ),
  ];
}

async function readRuns({ db, config, clock }: Source): Promise<Family[]> {
  const [last, good, bad, check] = [
    await findLastRun(db, 'backup'),
    await findLastRun(db, 'backup', 'good'),
    await findLastRun(db, 'backup', 'bad'),
    await findLastRun(db, 'check'),
  ];
  const isUnderWay = last?.ended_at === null && !hasStopped(last, clock());
  const every = config.backupFolder === undefined ? undefined : config.backupEvery / 1_000;
  return [
    gauge('roster_backup_interval_seconds', 'How often Roster itself makes a backup.', every),
    gauge(
      'roster_backup_last_success_timestamp_seconds',
      `${BACKUP} that is good was begun.`,
      secondsOf(good?.begun_at),
    ),
    gauge(
      'roster_backup_last_verified_timestamp_seconds',
      `${BACKUP} that is good had been read through and tried.`,
      secondsOf(good?.ended_at),
    ),
    gauge(
      'roster_backup_last_failure_timestamp_seconds',
      `${BACKUP} that failed ended.`,
      secondsOf(bad?.ended_at),
    ),
    gauge('roster_backup_size_bytes', 'What the last good backup takes up.', good?.size ?? undefined),
    gauge('roster_backup_duration_seconds', 'How long the last good backup took.', durationOf(good)),
    gauge('roster_backup_in_progress', 'Whether a backup is being made (1).', Number(isUnderWay)),
    gauge('roster_check_last_timestamp_seconds', 'When the last check ended.', secondsOf(check?.ended_at)),
    gauge(
      'roster_check_last_good',
      'Whether the last check found nothing (1) or something (0).',
      check?.outcome ? Number(check.outcome === 'good') : undefined,
    ),
  ];
}

const BACKUP = 'When the last backup';

function secondsOf(at: number | null | undefined): number | undefined {
  return at ? at / 1_000 : undefined;
}

function durationOf(run: Run | undefined): number | undefined {
  return run?.ended_at ? (run.ended_at - run.begun_at) / 1_000 : undefined;
}
