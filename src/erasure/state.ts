/** How far it is with what lies in the files. */
import type { FastifyReply } from 'fastify';
import type { Erasure } from './queries.ts';
import type { Progress } from './traces.ts';

export type ErasureState = Progress | 'under way';

/** For a page, which is asked for again by itself while it is under way. */
export function showState(reply: FastifyReply, { gone_at }: Erasure): ErasureState {
  if (gone_at !== null) return 'gone';
  const { traces } = reply.server;
  // What was the last to be gone was another's.
  if (traces !== undefined && traces !== 'gone') return traces;
  reply.header('refresh', '2');
  return 'under way';
}
