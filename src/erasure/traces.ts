/** After somebody was erased: overwrites what lies in the files of the database, and notes it outside of it. Begun anew until it is done. */
import type { FastifyInstance } from 'fastify';
import { engineOf, type Traces } from '../db/engine.ts';
import { transact } from '../db/transact.ts';
import { inBackground } from '../operations/background.ts';
import { writeLedger } from './again.ts';
import { type Erasure, findPending, noteGone } from './queries.ts';

/** `not noted`: a copy that is put back would bring them back. */
export type Progress = Traces | 'not noted';

declare module 'fastify' {
  interface FastifyInstance {
    /** The path of the file in which it is noted who was erased. */
    ledger: string;
    /** Overwrites what there is of those who were erased; resolves when it has tried, and never rejects. */
    removeTraces(): Promise<void>;
    /** What has come of it the last time, in this process, of each whom it was about. */
    traces: ReadonlyMap<number, Progress>;
  }
}

const INTERVAL = 15_000;

export function addTraces(app: FastifyInstance, ledger: string): void {
  const overwritten = new Set<number>();
  const remove = async () => {
    const { db, clock } = app;
    const pending = await findPending(db);
    if (pending.length === 0) return;
    const ids = pending.map(({ user_id }) => user_id).filter((id) => !overwritten.has(id));
    const traces = await engineOf(db).removeTraces(db, ids);
    for (const id of ids) overwritten.add(id);
    const state = (await note(app, pending)) ? traces : 'not noted';
    app.traces = new Map(pending.map(({ user_id }) => [user_id, state]));
    if (state === 'gone') await transact(db, (trx) => noteGone(trx, pending, clock()));
  };
  const removeIfPossible = () =>
    remove().catch((err) => app.log.error({ err }, 'what was erased could not be overwritten yet'));
  app.decorate('ledger', ledger);
  app.decorate('traces', new Map());
  app.decorate('removeTraces', inBackground(app, INTERVAL, removeIfPossible));
}

/** @returns whether it could. */
async function note({ db, ledger, log }: FastifyInstance, erasures: readonly Erasure[]): Promise<boolean> {
  try {
    await writeLedger(db, ledger, erasures);
    return true;
  } catch (err) {
    log.error({ err }, 'who was erased could not be noted yet');
    return false;
  }
}
