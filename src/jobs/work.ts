/** All that is done apart from requests: jobs, and reading what is to be imported, neither of which waits for the other. */
import { bulkBatch } from '../bulk/job.ts';
import type { Db } from '../db/schema.ts';
import { ClosedFolderError } from '../errors.ts';
import { importKinds } from '../imports/apply.ts';
import { cleanUpImports, needsCleanup } from '../imports/cleanup.ts';
import { type Folder, findFolder } from '../imports/folder.ts';
import { isImportToDo } from '../imports/queries.ts';
import { runImports } from '../imports/run.ts';
import { takeBackUnattended } from '../imports/unattended-imports.ts';
import { Mutex } from '../lib/mutex.ts';
import { TAKE_BACK, undoBatch } from '../undo/job.ts';
import type { Kinds } from './batch.ts';
import { isAnyRunning } from './queries.ts';
import { type JobRunner, runJobs } from './run.ts';

export type WorkRunner = Omit<JobRunner, 'alone' | 'kinds' | 'warn'> & {
  importFolder: string;
  warn: (what: string, error: unknown) => void;
};

type Working = WorkRunner & Pick<JobRunner, 'alone'>;

const KINDS: Kinds = {
  undo: { via: 'undo', work: undoBatch },
  [TAKE_BACK]: { via: 'undo', work: undoBatch, isAlways: true },
  bulk: { via: 'bulk', work: bulkBatch },
};

/** @returns does what there is to do; resolves when that is done, and never rejects */
export function workOf(given: WorkRunner, isEnding: () => boolean): () => Promise<void> {
  const runner = { ...given, alone: new Mutex() };
  const orWarn = (what: string) => (error: unknown) => {
    runner.warn(what, error);
    return false;
  };
  const jobs = coalesced(() => doJobs(runner, isEnding).catch(orWarn('looking for jobs')));
  const imports = coalesced(() => doImports(runner, isEnding).catch(orWarn('looking for imports')));
  return async () => {
    let isAny = true;
    // What one has done may give the other something to do.
    while (isAny) isAny = (await Promise.all([jobs(), imports()])).includes(true) && !isEnding();
  };
}

export async function isWorkThere(db: Db, importFolder: string, now: number): Promise<boolean> {
  if (await isAnyRunning(db)) return true;
  const folder = findFolder(importFolder);
  return folder !== undefined && ((await isImportToDo(db, folder.id)) || needsCleanup(db, folder, now));
}

async function doJobs(runner: Working, isEnding: () => boolean): Promise<boolean> {
  const folder = openFolder(runner);
  const kinds = folder ? { ...KINDS, ...importKinds(folder) } : KINDS;
  const warn = (job: number, error: unknown) => runner.warn(`job ${job}`, error);
  await takeBackUnattended(runner.db, folder, runner.clock());
  return runJobs({ ...runner, kinds, warn }, isEnding);
}

async function doImports(runner: Working, isEnding: () => boolean): Promise<boolean> {
  const folder = findFolder(runner.importFolder);
  if (folder === undefined) return false;
  const warn = (imported: number, error: unknown) => runner.warn(`import ${imported}`, error);
  const isAny = await runImports({ ...runner, folder, warn }, isEnding);
  await cleanUpImports(runner.db, folder, runner.clock());
  return isAny;
}

/** Undefined also where it is closed: what else there is to do is done. */
function openFolder({ importFolder }: WorkRunner): Folder | undefined {
  try {
    return findFolder(importFolder);
  } catch (error) {
    // It is told where imports are looked for.
    if (error instanceof ClosedFolderError) return undefined;
    throw error;
  }
}

/** Not twice at once; whoever asks while it is under way gets the next one, so that nothing is missed. @returns whether either did anything */
function coalesced(work: () => Promise<boolean>): () => Promise<boolean> {
  let running = Promise.resolve(false);
  let next: Promise<boolean> | undefined;
  return () => {
    if (next) return next;
    const before = running;
    running = before.then(() => {
      next = undefined;
      return work();
    });
    next = Promise.all([before, running]).then((done) => done.includes(true));
    return next;
  };
}
