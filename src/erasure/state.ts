/** How far it is with what lies in the files. */
import type { FastifyInstance } from 'fastify';
import type { Traces } from '../db/engine.ts';
import type { Erasure } from './queries.ts';

export type ErasureState = Traces | 'under way';

export function stateOf({ traces }: Pick<FastifyInstance, 'traces'>, { gone_at }: Erasure): ErasureState {
  if (gone_at !== null) return 'gone';
  // What was the last to be gone was another's.
  return traces === undefined || traces === 'gone' ? 'under way' : traces;
}
