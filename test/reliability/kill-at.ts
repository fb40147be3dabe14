/** Settings with which a process is killed at a moment that can be counted to, and with which it counts them. */
import { join } from 'node:path';
import { inject } from 'vitest';
import { preloading } from '../roster.ts';

const PACKAGE = join(import.meta.dirname, '..', '..', 'package.json');

const COUNTING = `
  import fs from 'node:fs';
  import { createRequire, syncBuiltinESMExports } from 'node:module';
  const packages = createRequire(${JSON.stringify(PACKAGE)});
  let moments = 0;
  const counted = (object, name) => {
    const original = object[name];
    object[name] = function (...given) {
      if (++moments === Number(process.env.KILL_AT)) process.kill(process.pid, 'SIGKILL');
      return original.apply(this, given);
    };
  };
  process.on('exit', () => fs.appendFileSync(2, 'MOMENTS ' + moments));
`;

const COUNTED = {
  /** Each call by which a file is made, copied, linked, renamed, synced or removed, and each statement that SQLite is given. */
  files: `
    const files = ['copyFileSync', 'linkSync', 'renameSync', 'rmSync', 'fsyncSync', 'chmodSync', 'mkdirSync', 'mkdtempSync', 'writeSync', 'truncateSync', 'appendFileSync'];
    for (const name of files) counted(fs, name);
    for (const name of ['exec', 'pragma', 'prepare', 'close']) counted(packages('better-sqlite3').prototype, name);
    syncBuiltinESMExports();`,
  /** Each statement that PostgreSQL is given. */
  statements: `counted(packages('pg').Client.prototype, 'query');`,
};

export function killAt(moment: number, of: keyof typeof COUNTED = 'files'): Record<string, string> {
  return { ...preloading(COUNTING + COUNTED[of]), KILL_AT: String(moment) };
}

/** Milliseconds of a test that kills at each of those that are chosen: at length, one or two processes are started for over a hundred. */
export const timeout = inject('isLong') ? 900_000 : 300_000;

/** Some of so many, and all of the last ones, in which a file takes its place. */
export function chosen(moments: number, last: number): number[] {
  const all = Array.from({ length: moments }, (_, index) => index + 1);
  const step = Math.ceil(moments / (inject('isLong') ? 100 : 4));
  return all.filter((moment) => moment % step === 0 || moment > moments - last);
}

/** How many there were, by what it has said. */
export function momentsIn(said: string): number {
  return Number(/MOMENTS (\d+)/.exec(said)?.[1]);
}

/** Each statement that the thread of jobs gives its database, from the lease of a job on. */
const IN_JOBS = `
  import { createRequire } from 'node:module';
  import { isMainThread } from 'node:worker_threads';
  const load = createRequire(${JSON.stringify(PACKAGE)});
  let statements = 0;
  const counted = (object, name, textOf) => {
    const original = object[name];
    object[name] = function (...given) {
      if (statements > 0 || /^update "jobs"/.test(textOf(this, given))) statements++;
      if (statements === Number(process.env.KILL_AT)) process.kill(process.pid, 'SIGKILL');
      return original.apply(this, given);
    };
  };
  if (!isMainThread) {
    const Sqlite = load('better-sqlite3');
    const Statement = Object.getPrototypeOf(new Sqlite(':memory:').prepare('select 1'));
    for (const name of ['all', 'get', 'iterate', 'run']) counted(Statement, name, ({ source }) => source);
    counted(load('pg').Client.prototype, 'query', (_client, [query]) => query.text ?? query);
  }
`;

/** Amid a job, or between two of its batches. */
export function killInJob(statement: number): Record<string, string> {
  return { ...preloading(IN_JOBS), KILL_AT: String(statement) };
}
