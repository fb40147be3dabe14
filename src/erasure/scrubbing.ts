/** After somebody was erased: notes it outside of the database, and overwrites what lies in its files. Each is tried anew until it is done. */
import type { FastifyInstance } from 'fastify';
import { engineOf, type ScrubResult } from '../db/engine.ts';
import { transact } from '../db/transact.ts';
import { isSearchKept } from '../jobs/queries.ts';
import { reasonOf } from '../lib/error-reasons.ts';
import { inBackground } from '../operations/background.ts';
import { writeLedger } from './ledger-replay.ts';
import { findPending, noteGone } from './queries.ts';

/** `not noted`: a copy that is put back would bring them back. `why`: for a page; undefined where the log alone says it. */
export type ErasureProgress =
  | { kind: ScrubResult }
  | { kind: 'not noted' | 'not overwritten'; why: string | undefined };

declare module 'fastify' {
  interface FastifyInstance {
    ledger: string;
    /** Notes there of whom it is not known yet; resolves when it has tried, and never rejects. */
    noteErased(): Promise<void>;
    /** That first, and then overwrites what there is of them; resolves when it has tried, and never rejects. */
    scrub(): Promise<void>;
    /** What has come of it the last time, in this process, of one whom it was about. */
    erasureProgressOf(userId: number): ErasureProgress | undefined;
  }
}

const INTERVAL = 15_000;

export function addScrubbing(app: FastifyInstance, ledger: string): void {
  const scrubbing = new Scrubbing(app);
  app.decorate('ledger', ledger);
  app.decorate('erasureProgressOf', (userId: number) => scrubbing.progressOf(userId));
  // Apart from the overwriting, which may take a minute: nobody else's note waits for that.
  const note = inBackground(app, INTERVAL, () => scrubbing.note());
  app.decorate('noteErased', note);
  app.decorate(
    'scrub',
    inBackground(app, INTERVAL, async () => {
      await note();
      await scrubbing.overwrite();
    }),
  );
}

class Scrubbing {
  readonly #app: FastifyInstance;
  readonly #noted = new Set<number>();
  readonly #overwritten = new Set<number>();
  readonly #notes = new Map<number, ErasureProgress>();
  readonly #scrubbing = new Map<number, ErasureProgress>();

  constructor(app: FastifyInstance) {
    this.#app = app;
  }

  progressOf(userId: number): ErasureProgress | undefined {
    return this.#notes.get(userId) ?? this.#scrubbing.get(userId);
  }

  async note(): Promise<void> {
    const { db, ledger, log } = this.#app;
    let ids: number[] = [];
    try {
      const unnoted = (await findPending(db)).filter(({ user_id }) => !this.#noted.has(user_id));
      ids = unnoted.map(({ user_id }) => user_id);
      if (ids.length > 0) await writeLedger(db, ledger, unnoted);
      for (const id of ids) this.#noted.add(id);
      this.#notes.clear();
    } catch (err) {
      log.error({ err }, 'who was erased could not be noted yet');
      for (const id of ids) this.#notes.set(id, { kind: 'not noted', why: reasonOf(err) });
    }
  }

  async overwrite(): Promise<void> {
    const { db, clock, log } = this.#app;
    let ids: number[] = [];
    try {
      const pending = await findPending(db);
      ids = pending.map(({ user_id }) => user_id);
      if (ids.length === 0) return;
      if (await isSearchKept(db)) {
        for (const id of ids) this.#scrubbing.set(id, { kind: 'held up' });
        return;
      }
      const fresh = ids.filter((id) => !this.#overwritten.has(id));
      const kind = await engineOf(db).scrub(db, fresh);
      for (const id of fresh) this.#overwritten.add(id);
      const gone = pending.filter(({ user_id }) => kind === 'gone' && this.#noted.has(user_id));
      if (gone.length > 0) await transact(db, (trx) => noteGone(trx, gone, clock()));
      for (const id of ids) this.#scrubbing.set(id, { kind });
    } catch (err) {
      log.error({ err }, 'what was erased could not be overwritten yet');
      for (const id of ids) this.#scrubbing.set(id, { kind: 'not overwritten', why: reasonOf(err) });
    }
  }
}
