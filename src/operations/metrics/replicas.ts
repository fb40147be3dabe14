/** Whether pages are read on replicas, and how far these are behind. */
import type { FastifyInstance } from 'fastify';
import { replicasOf } from '../../db/engine.ts';
import { by, counter, type Family, gauge } from './families.ts';

export function watchReplicas(app: FastifyInstance): () => Family[] {
  const replicas = replicasOf(app.db);
  if (!replicas) return () => [];
  return () => {
    const states = replicas.states().map((state) => ({ ...state, labels: { replica: state.name } }));
    const used = states.map(({ labels, problem }) => ({ labels, value: Number(problem === undefined) }));
    const followed = states.filter(({ lag }) => Number.isFinite(lag));
    const lags = followed.map(({ labels, lag }) => ({ labels, value: lag / 1_000 }));
    return [
      gauge('roster_replica_in_use', 'Whether pages are read on a replica (1) or it is left out (0).', used),
      gauge('roster_replica_lag_seconds', 'How old it may be what a replica shows.', lags),
      counter(
        'roster_reads_total',
        'Pages that a replica may answer, by who does.',
        by('from', replicas.chosen),
      ),
    ];
  };
}
