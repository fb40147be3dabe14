/** How far it is with what lies in the files. */
import type { FastifyInstance, FastifyReply } from 'fastify';
import { engineOf } from '../db/engine.ts';
import { copiesWith } from './files.ts';
import type { Erasure } from './queries.ts';
import type { ErasureProgress } from './scrubbing.ts';

/** `isLogKept`: as the engine says; `copies`: the names of files beside the database that keep what was there before. */
export type ErasureState = {
  progress: ErasureProgress | { kind: 'under way' };
  isLogKept: boolean;
  copies: readonly string[];
};

export function showErasure(reply: FastifyReply, erasure: Erasure): ErasureState {
  const { config, db } = reply.server;
  const progress = progressOf(reply.server, erasure);
  if (progress.kind === 'under way') reply.header('refresh', '2');
  return { progress, isLogKept: engineOf(db).isLogKept, copies: copiesWith(erasure, config) };
}

function progressOf(
  { erasureProgressOf }: FastifyInstance,
  { user_id, gone_at }: Erasure,
): ErasureState['progress'] {
  if (gone_at !== null) return { kind: 'gone' };
  const state = erasureProgressOf(user_id);
  return state !== undefined && state.kind !== 'gone' ? state : { kind: 'under way' };
}
