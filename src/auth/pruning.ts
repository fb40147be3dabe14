/** Forgets what nobody asks for any more: a little at a time, and in nobody's request. */
import type { FastifyInstance } from 'fastify';
import type { Db, Trx } from '../db/schema.ts';
import { transact } from '../db/transact.ts';
import { SKEW } from '../lib/clock.ts';
import { REMEMBERED } from './sessions.ts';
import { FORGOTTEN } from './throttle.ts';
import { TICKET_LASTS } from './tickets.ts';

const EVERY = 60_000;
/** Rows in one transaction. */
const ROWS = 500;

/** Deletes some of the rows from before a time. */
type Prune = (trx: Trx, before: number) => Promise<{ numDeletedRows: bigint }>;

const deleteFailures: Prune = (trx, before) => {
  const old = trx.selectFrom('guesses').select('key_hash').where('failed_at', '<', before);
  return trx.deleteFrom('guesses').where('key_hash', 'in', some(old)).executeTakeFirstOrThrow();
};

const deleteTickets: Prune = (trx, before) => {
  const old = trx.selectFrom('tickets').select('token_hash').where('created_at', '<', before);
  return trx.deleteFrom('tickets').where('token_hash', 'in', some(old)).executeTakeFirstOrThrow();
};

const deleteUsedDrafts: Prune = (trx, before) => {
  const old = trx.selectFrom('used_drafts').select('draft_hash').where('used_at', '<', before);
  return trx.deleteFrom('used_drafts').where('draft_hash', 'in', some(old)).executeTakeFirstOrThrow();
};

const deleteSessions: Prune = (trx, before) => {
  const old = trx.selectFrom('sessions').select('id').where('seen_at', '<', before);
  return trx.deleteFrom('sessions').where('id', 'in', some(old)).executeTakeFirstOrThrow();
};

/** A few rows that nobody else is at just now. */
function some<Q extends { limit(rows: number): Q; forUpdate(): Q; skipLocked(): Q }>(rows: Q): Q {
  return rows.limit(ROWS).forUpdate().skipLocked();
}

/** @param idle milliseconds after which a session ends that nobody uses. */
export async function prune(db: Db, now: number, idle: number): Promise<void> {
  await pruneAll(db, deleteFailures, now - FORGOTTEN - SKEW);
  await pruneAll(db, deleteTickets, now - TICKET_LASTS - SKEW);
  // Who has been gone for long brings back no form any more.
  await pruneAll(db, deleteSessions, now - idle - REMEMBERED);
  await pruneAll(db, deleteUsedDrafts, now - idle - REMEMBERED - SKEW);
}

async function pruneAll(db: Db, some: Prune, before: number): Promise<void> {
  for (;;) {
    const { numDeletedRows } = await transact(db, (trx) => some(trx, before));
    if (numDeletedRows < BigInt(ROWS)) return;
  }
}

export function addPruning(app: FastifyInstance): void {
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> | undefined;
  const run = () => {
    running ??= prune(app.db, app.clock(), app.config.sessionIdle)
      .catch((err) => app.log.warn({ err }, 'what is old could not be forgotten'))
      .finally(() => {
        running = undefined;
      });
  };
  app.addHook('onListen', async () => {
    timer = setInterval(run, EVERY).unref();
  });
  app.addHook('onClose', async () => {
    clearInterval(timer);
    await running;
  });
}
