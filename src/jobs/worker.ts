/** Jobs are done in the process that was asked, at once; what was left by one that has ended is found now and then. */
import type { FastifyInstance } from 'fastify';
import { type Kinds, LEASE, runJobs } from './run.ts';

declare module 'fastify' {
  interface FastifyInstance {
    /** Does what there is to do; resolves when that is done, and never rejects. */
    runJobs(): Promise<void>;
  }
}

export function addJobs(app: FastifyInstance, kinds: Kinds): void {
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> | undefined;
  let isEnding = false;
  const warn = (job: number, err: unknown) => app.log.error({ job, err }, `job ${job} has met an error`);
  const runAll = async () => {
    const { db, clock, stopwatch, auditJob: note } = app;
    await runJobs({ db, kinds, clock, stopwatch, note, warn }, () => isEnding).catch((err) =>
      app.log.error({ err }, 'jobs could not be looked for'),
    );
  };
  app.decorate('runJobs', () => {
    // One that was begun while the last was ending is not missed.
    const run = (running ?? Promise.resolve()).then(runAll);
    running = run;
    return run;
  });
  app.addHook('onListen', async () => {
    void app.runJobs();
    timer = setInterval(() => void app.runJobs(), LEASE).unref();
  });
  app.addHook('onClose', async () => {
    isEnding = true;
    clearInterval(timer);
    await running;
  });
}
