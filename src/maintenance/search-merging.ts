/** Has the search index merged now and then: what people change and import leaves it in ever more segments, which searches go through. */
import type { FastifyInstance } from 'fastify';
import { engineOf } from '../db/engine.ts';
import { MINUTE } from '../lib/clock.ts';
import { inBackground } from '../operations/background.ts';

declare module 'fastify' {
  interface FastifyInstance {
    /** Resolves when it is merged, or could not be, and never rejects. */
    mergeSearch(): Promise<void>;
  }
}

const LOOK_EVERY = 10 * MINUTE;

export function addSearchMerging(app: FastifyInstance): void {
  const { db, log } = app;
  const merge = (isEnding: () => boolean) =>
    engineOf(db)
      .mergeSegments(db, isEnding)
      .catch((err) => log.warn({ err }, 'the search index could not be merged'));
  app.decorate('mergeSearch', inBackground(app, LOOK_EVERY, merge));
}
