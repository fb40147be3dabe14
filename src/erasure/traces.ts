/** After somebody was erased: notes it outside of the database, and overwrites what lies in its files. Begun anew until it is done. */
import type { FastifyInstance } from 'fastify';
import { engineOf, type Traces } from '../db/engine.ts';
import { transact } from '../db/transact.ts';
import { writeLedger } from './again.ts';
import { findPending, noteGone } from './queries.ts';

declare module 'fastify' {
  interface FastifyInstance {
    /** Overwrites what there is of those who were erased; resolves when it has tried, and never rejects. */
    removeTraces(): Promise<void>;
    /** What has come of it the last time, in this process. */
    traces: Traces | undefined;
  }
}

const INTERVAL = 15_000;

export function addTraces(app: FastifyInstance, ledger: string): void {
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> | undefined;
  const overwritten = new Set<number>();
  const remove = async () => {
    const { db, clock } = app;
    const pending = await findPending(db);
    if (pending.length === 0) return;
    await writeLedger(db, ledger, pending);
    const ids = pending.map(({ user_id }) => user_id);
    app.traces = await engineOf(db).removeTraces(
      db,
      ids.filter((id) => !overwritten.has(id)),
    );
    for (const id of ids) overwritten.add(id);
    if (app.traces === 'gone') await transact(db, (trx) => noteGone(trx, pending, clock()));
  };
  app.decorate('traces', undefined);
  app.decorate('removeTraces', () => {
    const run = (running ?? Promise.resolve())
      .then(remove)
      .catch((err) => app.log.error({ err }, 'what was erased could not be overwritten yet'));
    running = run;
    return run;
  });
  app.addHook('onListen', async () => {
    void app.removeTraces();
    timer = setInterval(() => void app.removeTraces(), INTERVAL).unref();
  });
  app.addHook('onClose', async () => {
    clearInterval(timer);
    await running;
  });
}
