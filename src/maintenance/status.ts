/** How Roster and its database are: what whoever runs it wants to know at a glance. */
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { countSignedIn, findSignedIn, type SignedIn, type SignedInUser } from '../auth/active-sessions.ts';
import { logSize } from '../backup/disk-space.ts';
import type { Config } from '../config.ts';
import { filePathOf } from '../database-url.ts';
import { nameOf } from '../db/database.ts';
import { type Connections, engineOf } from '../db/engine.ts';
import type { Db } from '../db/schema.ts';
import { findLiveImports, type Import } from '../imports/queries.ts';
import { findLastMails } from '../invitations/mail-outcomes.ts';
import { findRunningJobs, type Job } from '../jobs/queries.ts';
import { freeBytes } from '../lib/disk-space.ts';
import { whereLies } from '../lib/make-file.ts';
import { quotable } from '../lib/text.ts';
import { countByStatus } from '../users/counts.ts';
import { backupsIn } from './backup-folder.ts';
import { nextBackupAt } from './next-backup.ts';
import { findProcesses } from './processes.ts';
import { findFinding, findLastBackups, findLastRun, findRuns, type Run } from './queries.ts';
import { VERSION } from './version.ts';

const MOST_JOBS = 10;
const MOST_SIGNED_IN = 10;
const MOST_SHOWN = 500;

/** Sizes in bytes, times in milliseconds since 1970. */
export type Status = {
  version: string;
  node: string;
  host: string;
  pid: number;
  since: number;
  users: number;
  database: {
    product: string;
    name: string;
    schema: number;
    size: number;
    /** Of SQLite's: what was changed last lies there. */
    logSize: number | undefined;
    connections: Connections[];
    /** Those that have its file open, this one among them; undefined where that cannot be seen. */
    processes: number[] | undefined;
    free: number | undefined;
  };
  backup: {
    last: Run | undefined;
    good: Run | undefined;
    bad: Run | undefined;
    folder: string | undefined;
    next: number | undefined;
    kept: { count: number; oldest: number } | undefined;
    free: number | undefined;
  };
  /** `finding`: what one has found that still holds; `last`: of any. */
  check: { last: Run | undefined; finding: Run | undefined };
  mail: { server: string; sent?: number; notSent?: number } | undefined;
  signedIn: SignedIn[];
  people: SignedInUser[];
  jobs: Job[];
  imports: Import[];
};

export async function readStatus(db: Db, config: Config, now: number): Promise<Status> {
  const live = [now - config.sessionIdle, now - config.sessionLasts] as const;
  const { active, inactive } = await countByStatus(db);
  const engine = engineOf(db);
  const path = filePathOf(config.databaseUrl);
  return {
    version: VERSION,
    node: process.versions.node,
    host: hostname(),
    pid: process.pid,
    since: performance.timeOrigin,
    users: active + inactive,
    database: {
      product: await engine.readProduct(db),
      name: nameOf(config.databaseUrl),
      schema: await engine.readVersion(db),
      size: await engine.readSize(db),
      logSize: path === undefined ? undefined : logSize(path),
      connections: await engine.countConnections(db),
      processes: path === undefined ? undefined : await findProcesses(path),
      free: freeIn(path && dirname(whereLies(path))),
    },
    backup: await readBackups(db, config, now),
    check: { last: shown(await findLastRun(db, 'check')), finding: shown(await findFinding(db)) },
    mail: config.mail && { server: config.mail.server.host, ...(await findLastMails(db)) },
    signedIn: await countSignedIn(db, ...live),
    people: await findSignedIn(db, ...live, MOST_SIGNED_IN),
    jobs: await findRunningJobs(db, MOST_JOBS),
    imports: await findLiveImports(db),
  };
}

async function readBackups(
  db: Db,
  { backupFolder: folder, backupEvery: every }: Config,
  now: number,
): Promise<Status['backup']> {
  const runs = await findRuns(db, 'backup');
  const { good, bad } = await findLastBackups(db);
  return {
    last: shown(runs[0]),
    good: shown(good),
    bad: shown(bad),
    folder,
    next: folder === undefined ? undefined : nextBackupAt(runs, { folder, every }, now),
    kept: folder === undefined ? undefined : backupsIn(folder),
    free: freeIn(folder),
  };
}

/** What another program has said, as pg_dump or a damaged file, may be long, and hide what it says. */
function shown(run: Run | undefined): Run | undefined {
  if (run === undefined) return undefined;
  const short = (text: string | null) => text && quotable(text, MOST_SHOWN);
  return { ...run, host: quotable(run.host, MOST_SHOWN), file: short(run.file), problem: short(run.problem) };
}

function freeIn(folder: string | undefined): number | undefined {
  try {
    return folder === undefined ? undefined : freeBytes(folder);
  } catch {
    // It is not there, which the next backup says.
    return undefined;
  }
}
