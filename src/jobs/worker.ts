/** Jobs are done in the process that was asked, at once; what was left by one that has ended is found now and then. */
import type { FastifyInstance } from 'fastify';
import { inBackground } from '../operations/background.ts';
import { type Kinds, LEASE, runJobs } from './run.ts';

declare module 'fastify' {
  interface FastifyInstance {
    /** Does what there is to do; resolves when that is done, and never rejects. */
    runJobs(): Promise<void>;
  }
}

export function addJobs(app: FastifyInstance, kinds: Kinds): void {
  const warn = (job: number, err: unknown) => app.log.error({ job, err }, `job ${job} has met an error`);
  const runAll = async (isEnding: () => boolean) => {
    const { db, clock, stopwatch, auditJob: note } = app;
    await runJobs({ db, kinds, clock, stopwatch, note, warn }, isEnding).catch((err) =>
      app.log.error({ err }, 'jobs could not be looked for'),
    );
  };
  app.decorate('runJobs', inBackground(app, LEASE, runAll));
}
