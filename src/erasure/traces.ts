/** After somebody was erased: notes it outside of the database, and overwrites what lies in its files. Begun anew until it is done. */
import type { FastifyInstance } from 'fastify';
import { engineOf, type Traces } from '../db/engine.ts';
import { transact } from '../db/transact.ts';
import { inBackground } from '../operations/background.ts';
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
  const overwritten = new Set<number>();
  const remove = async () => {
    const { db, clock } = app;
    const pending = await findPending(db);
    if (pending.length === 0) return;
    const fresh = pending.filter(({ user_id }) => !overwritten.has(user_id));
    if (fresh.length > 0) await writeLedger(db, ledger, fresh);
    const ids = fresh.map(({ user_id }) => user_id);
    app.traces = await engineOf(db).removeTraces(db, ids);
    for (const id of ids) overwritten.add(id);
    if (app.traces === 'gone') await transact(db, (trx) => noteGone(trx, pending, clock()));
  };
  const removeIfPossible = () =>
    remove().catch((err) => app.log.error({ err }, 'what was erased could not be overwritten yet'));
  app.decorate('traces', undefined);
  app.decorate('removeTraces', inBackground(app, INTERVAL, removeIfPossible));
}
