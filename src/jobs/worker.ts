/** Jobs are done in the process that was asked, at once; what was left by one that has ended is found now and then. */
import type { FastifyInstance } from 'fastify';
import { LEASE, runJobs, type Works } from './run.ts';

declare module 'fastify' {
  interface FastifyInstance {
    /** Does what there is to do; resolves when that is done, and never rejects. */
    runJobs(): Promise<void>;
  }
}

export function addJobs(app: FastifyInstance, works: Works): void {
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> | undefined;
  let isEnding = false;
  const note = (event: string, user?: { username: string }) =>
    app.log.info({ user: user?.username }, `job: ${event}`);
  const runAll = async () => {
    const { db, clock, stopwatch } = app;
    await runJobs({ db, works, clock, stopwatch, note }, () => isEnding).catch((err) =>
      app.log.error({ err }, 'a job could not go on'),
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
