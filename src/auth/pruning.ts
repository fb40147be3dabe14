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

type Kept = {
  table: 'guesses' | 'tickets' | 'kept_answers' | 'sessions' | 'used_drafts';
  key: string;
  since: string;
  lasts: number;
};

function keptFor(sessionIdle: number): readonly Kept[] {
  // Who has been gone for long brings back no form any more.
  const session = sessionIdle + ENDED_SESSION_KEPT_FOR;
  return [
    { table: 'guesses', key: 'key_hash', since: 'failed_at', lasts: FAILURE_LASTS + SKEW },
    { table: 'tickets', key: 'token_hash', since: 'created_at', lasts: TICKET_LASTS + SKEW },
    { table: 'kept_answers', key: 'hash', since: 'at', lasts: DAY },
    { table: 'sessions', key: 'id', since: 'seen_at', lasts: session },
    { table: 'used_drafts', key: 'draft_hash', since: 'used_at', lasts: session + SKEW },
  ];
}

export async function prune(db: Db, now: number, sessionIdle: number): Promise<void> {
  for (const kept of keptFor(sessionIdle)) await deleteAll(db, kept, now - kept.lasts);
}

async function deleteAll(db: Db, kept: Kept, before: number): Promise<void> {
  for (;;) {
    const deleted = await transact(db, (trx) => deleteBatch(trx, kept, before));
    if (deleted < BigInt(BATCH)) return;
  }
}

async function deleteBatch(trx: Trx, { table, key, since }: Kept, before: number): Promise<bigint> {
  const { ref } = trx.dynamic;
  const old = trx.selectFrom(table).select(ref(key)).where(ref(since), '<', before);
  const batch = old.limit(BATCH).forUpdate().skipLocked();
  const { numDeletedRows } = await trx
    .deleteFrom(table)
    .where(ref(key), 'in', batch)
    .executeTakeFirstOrThrow();
  return numDeletedRows;
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
