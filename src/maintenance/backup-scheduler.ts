/** Has a backup made now and then: by a process of its own, which takes nothing from pages. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join, sep } from 'node:path';
import { text } from 'node:stream/consumers';
import type { FastifyInstance } from 'fastify';
import { removeLeftOvers } from '../backup/draft-folder.ts';
import { datedName } from '../backup/file-names.ts';
import { engineOf } from '../db/engine.ts';
import { transact } from '../db/transact.ts';
import { MINUTE } from '../lib/clock.ts';
import { ignoreErrors } from '../lib/make-file.ts';
import { inBackground } from '../operations/background.ts';
import { nextBackupAt } from './next-backup.ts';
import { beginRun, closeRun, findRuns } from './queries.ts';

declare module 'fastify' {
  interface FastifyInstance {
    /** Has a backup made if it is time for one; resolves when it is made, or has failed, and never rejects. */
    backUpIfDue(): Promise<void>;
    /** Ends one that is being made: nobody goes on in the place of this Roster any more. */
    endBackup(): void;
  }
}

/** No timer that lasts a day: a machine sleeps, and clocks are set. */
const LOOK_EVERY = 10 * MINUTE;
const LOOK_AGAIN_AFTER = MINUTE / 2;
/** https://nodejs.org/api/timers.html#settimeoutcallback-delay-args */
const LONGEST_TIMER = 2 ** 31 - 1;
const MAIN = join(import.meta.dirname, '..', 'main.js');

export function addScheduledBackup(app: FastifyInstance, env: NodeJS.ProcessEnv): void {
  const { backupFolder: folder } = app.config;
  let child: ChildProcess | undefined;
  let isEnded = false;
  let again: NodeJS.Timeout | undefined;
  app.decorate('endBackup', () => {
    isEnded = true;
    // Whoever kills it leaves nothing half: the file has its name at the end.
    child?.kill();
  });
  if (folder === undefined) return;
  const look = async () => {
    const run = app.isDraining ? undefined : await claim(app, folder);
    if (run === undefined) return;
    child = startCommand(app, folder, run, env);
    if (isEnded) child.kill();
    const said = await endOf(child);
    child = undefined;
    await noteEnd(app, folder, run, isEnded ? 'Roster was stopped meanwhile.' : said);
  };
  const lookIfPossible = () =>
    look().catch((err) => {
      app.log.error({ err }, 'it could not be seen to a backup');
      clearTimeout(again);
      again = setTimeout(() => void app.backUpIfDue(), LOOK_AGAIN_AFTER).unref();
    });
  // Hooks of the end are called in reverse: by then the last look is over.
  app.addHook('onClose', async () => clearTimeout(again));
  app.decorate('backUpIfDue', inBackground(app, LOOK_EVERY, lookIfPossible));
  app.addHook('preClose', async () => {
    // Where another one goes on in its place nobody waits for its end.
    if (!app.isReplaced) app.endBackup();
  });
}

/** Of several Rosters one gets it. @returns the number by which the command says what has become of it */
async function claim({ db, clock, config }: FastifyInstance, folder: string): Promise<number | undefined> {
  const plan = { folder, every: config.backupEvery };
  const isDue = async (from: typeof db) => {
    const now = clock();
    return nextBackupAt(await findRuns(from, 'backup'), plan, now) <= now;
  };
  if (!(await isDue(db))) return undefined;
  return transact(db, async (trx) => {
    await engineOf(trx).lockVersion(trx);
    return (await isDue(trx)) ? beginRun(trx, 'backup', clock()) : undefined;
  });
}

function startCommand(
  { config }: FastifyInstance,
  folder: string,
  run: number,
  env: NodeJS.ProcessEnv,
): ChildProcess {
  // With the slash it is a folder in any case, also while its disk is not there.
  const args = ['backup', `${folder}${sep}`, '--keep', `${config.backupKeep}`, '--run', `${run}`];
  return spawn(process.execPath, [MAIN, ...args], {
    env,
    // By the end of its input it hears of a process that ends without a word.
    stdio: ['pipe', 'ignore', 'pipe'],
    // What hangs, as on a disk that does not answer, is not waited for when the next one is due.
    timeout: Math.min(config.backupEvery, LONGEST_TIMER),
    killSignal: 'SIGKILL',
  });
}

/** @returns what it had to say: nothing where all is well. */
async function endOf(child: ChildProcess): Promise<string> {
  const closed = once(child, 'close');
  const said = child.stderr ? text(child.stderr) : '';
  try {
    const [code, signal] = await closed;
    return (await said).trim() || (code === 0 ? '' : `It ended with ${signal ?? code}.`);
  } catch (error) {
    return (error as Error).message;
  }
}

async function noteEnd(app: FastifyInstance, folder: string, run: number, said: string): Promise<void> {
  const { db, clock, config } = app;
  // One line a day, by which whoever reads the log sees that it is made.
  const log = app.log.child({}, { level: config.logLevel === 'silent' ? 'silent' : 'info' });
  const ended = await transact(db, (trx) =>
    closeRun(trx, run, { outcome: 'bad', problem: said || 'It ended without a word.' }, clock()),
  );
  // Where it was killed. The folder itself may be gone.
  ignoreErrors(['ENOENT', 'ENOTDIR', 'EACCES'], () => removeLeftOvers(join(folder, datedName(clock()))));
  const { outcome, file, size, users, problem } = ended;
  if (outcome !== 'good') log.error({ problem, folder }, 'no backup was made');
  else if (said) log.warn({ file, size, users, said }, 'a backup was made, with a warning');
  else log.info({ file, size, users }, 'a backup was made');
}
