/** Forgets what nobody asks for any more: a little at a time, and in nobody's request. */
import type { FastifyInstance } from 'fastify';
import type { Db, Trx } from '../db/schema.ts';
import { transact } from '../db/transact.ts';
import { DAY, SKEW } from '../lib/clock.ts';
import { SingleFlight } from '../lib/single-flight.ts';
import { ENDED_SESSION_KEPT_FOR } from './sessions.ts';
import { FAILURE_LASTS } from './throttle.ts';
import { TICKET_LASTS } from './tickets.ts';

const INTERVAL = 60_000;
const BATCH = 500;

type Prune = (trx: Trx, before: number) => Promise<{ numDeletedRows: bigint }>;

const deleteFailures: Prune = (trx, before) => {
  const old = trx.selectFrom('guesses').select('key_hash').where('failed_at', '<', before);
  return trx.deleteFrom('guesses').where('key_hash', 'in', unlocked(old)).executeTakeFirstOrThrow();
};

const deleteTickets: Prune = (trx, before) => {
  const old = trx.selectFrom('tickets').select('token_hash').where('created_at', '<', before);
  return trx.deleteFrom('tickets').where('token_hash', 'in', unlocked(old)).executeTakeFirstOrThrow();
};

const deleteUsedDrafts: Prune = (trx, before) => {
  const old = trx.selectFrom('used_drafts').select('draft_hash').where('used_at', '<', before);
  return trx.deleteFrom('used_drafts').where('draft_hash', 'in', unlocked(old)).executeTakeFirstOrThrow();
};

const deleteSessions: Prune = (trx, before) => {
  const old = trx.selectFrom('sessions').select('id').where('seen_at', '<', before);
  return trx.deleteFrom('sessions').where('id', 'in', unlocked(old)).executeTakeFirstOrThrow();
};

const deleteAnswers: Prune = (trx, before) => {
  const old = trx.selectFrom('kept_answers').select('hash').where('at', '<', before);
  return trx.deleteFrom('kept_answers').where('hash', 'in', unlocked(old)).executeTakeFirstOrThrow();
};

function unlocked<Q extends { limit(rows: number): Q; forUpdate(): Q; skipLocked(): Q }>(rows: Q): Q {
  return rows.limit(BATCH).forUpdate().skipLocked();
}

export async function prune(db: Db, now: number, sessionIdle: number): Promise<void> {
  await pruneAll(db, deleteFailures, now - FAILURE_LASTS - SKEW);
  await pruneAll(db, deleteTickets, now - TICKET_LASTS - SKEW);
  await pruneAll(db, deleteAnswers, now - DAY);
  // Who has been gone for long brings back no form any more.
  await pruneAll(db, deleteSessions, now - sessionIdle - ENDED_SESSION_KEPT_FOR);
  await pruneAll(db, deleteUsedDrafts, now - sessionIdle - ENDED_SESSION_KEPT_FOR - SKEW);
}

async function pruneAll(db: Db, pruneBatch: Prune, before: number): Promise<void> {
  for (;;) {
    const { numDeletedRows } = await transact(db, (trx) => pruneBatch(trx, before));
    if (numDeletedRows < BigInt(BATCH)) return;
  }
}

export function addPruning(app: FastifyInstance): void {
  let timer: NodeJS.Timeout | undefined;
  const running = new SingleFlight<void>();
  const forget = () =>
    prune(app.db, app.clock(), app.config.sessionIdle).catch((err) =>
      app.log.warn({ err }, 'what is old could not be forgotten'),
    );
  app.addHook('onListen', async () => {
    timer = setInterval(() => void running.run(forget), INTERVAL).unref();
  });
  app.addHook('onClose', async () => {
    clearInterval(timer);
    await running.underWay;
  });
}
