/** How far it is with what lies in the files. */
import type { FastifyReply } from 'fastify';
import { engineOf } from '../db/engine.ts';
import type { Erasure } from './queries.ts';
import type { Progress } from './traces.ts';

export type ErasureState = Progress | 'under way' | 'gone but for the log';

/** For a page, which is asked for again by itself while it is under way. */
export function showState(reply: FastifyReply, { user_id, gone_at }: Erasure): ErasureState {
  const { db, traces } = reply.server;
  if (gone_at !== null) return engineOf(db).isLogKept ? 'gone but for the log' : 'gone';
  const state = traces.get(user_id);
  if (state !== undefined && state !== 'gone') return state;
  reply.header('refresh', '2');
  return 'under way';
}
