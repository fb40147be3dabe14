/** Where jobs are done: in a thread of their own, or in the process itself; begun at once when there is one, and looked for now and then. */
import type { FastifyInstance } from 'fastify';
import { LEASE } from '../db/lease.ts';
import { JobsThread } from './jobs-thread.ts';
import { isWorkThere, type WorkRunner, workOf } from './work.ts';

declare module 'fastify' {
  interface FastifyInstance {
    /** Does what there is to do, also reading what was brought; resolves when that is done, and never rejects. */
    runJobs(): Promise<void>;
  }
}

export function addJobs(app: FastifyInstance, ledger: string, isInThread: boolean): void {
  const { db, clock, stopwatch, auditJob: note } = app;
  const { databaseUrl, importFolder } = app.config;
  const warn = (what: string, err: unknown) => app.log.error({ err }, `${what} has met an error`);
  const done = isInThread
    ? inThread(new JobsThread({ databaseUrl, importFolder, ledger }, { note, warn }))
    : inProcess({ db, importFolder, clock, stopwatch, note, warn });
  const look = async () => {
    // A thread is not begun for nothing, nor on a database that is not what it was.
    if (await isWorkThere(db, importFolder, clock()).catch(() => false)) await done.run();
  };
  let timer: NodeJS.Timeout | undefined;
  app.decorate('runJobs', done.run);
  app.addHook('onListen', async () => {
    void look();
    timer = setInterval(() => void look(), LEASE).unref();
  });
  // Whatever was begun is read to its end before it closes, for up to an hour where another one goes on: that one does the jobs.
  app.addHook('preClose', async () => {
    clearInterval(timer);
    void done.end();
  });
  app.addHook('onClose', () => done.end());
}

type Done = { run: () => Promise<void>; end: () => Promise<void> };

function inThread(thread: JobsThread): Done {
  return { run: () => thread.run(), end: () => thread.end() };
}

function inProcess(runner: WorkRunner): Done {
  let isEnding = false;
  const run = workOf(runner, () => isEnding);
  const end = () => {
    isEnding = true;
    return run();
  };
  return { run, end };
}
