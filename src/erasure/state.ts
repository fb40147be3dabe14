/** How far it is with what lies in the files. */
import type { FastifyInstance, FastifyReply } from 'fastify';
import { engineOf } from '../db/engine.ts';
import { copiesWith } from './files.ts';
import type { Erasure } from './queries.ts';
import type { ErasureProgress } from './traces.ts';

/** `copies`: the names of files beside the database that keep what was there before. */
export type ErasureState = {
  progress: ErasureProgress | { kind: 'under way' | 'gone but for the log' };
  copies: readonly string[];
};

/** For a page, which is asked for again by itself while it is under way. */
export function showState(reply: FastifyReply, erasure: Erasure): ErasureState {
  const { config } = reply.server;
  const progress = progressOf(reply.server, erasure);
  if (progress.kind === 'under way') reply.header('refresh', '2');
  return { progress, copies: copiesWith(erasure, config) };
}

function progressOf(
  { db, tracesOf }: FastifyInstance,
  { user_id, gone_at }: Erasure,
): ErasureState['progress'] {
  if (gone_at !== null) return { kind: engineOf(db).isLogKept ? 'gone but for the log' : 'gone' };
  const state = tracesOf(user_id);
  return state !== undefined && state.kind !== 'gone' ? state : { kind: 'under way' };
}
