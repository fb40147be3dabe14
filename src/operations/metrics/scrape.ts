/** All that is measured, in one text; also while the database is down, without what that alone knows. */
import type { FastifyInstance } from 'fastify';
import { cacheFor } from '../../lib/ttl-cache.ts';
import type { ParentLink } from '../workers/link.ts';
import { watchDatabaseTime } from './database-time.ts';
import type { Events } from './events.ts';
import { type Family, gauge, toText } from './families.ts';
import { watchProcess } from './process.ts';
import { watchReplicas } from './replicas.ts';
import { watchRequests } from './requests.ts';
import { readState } from './state.ts';
import { watchTransfers } from './transfers.ts';

const TTL_MS = 5_000;
/** Prometheus waits for ten seconds at most. */
const TIMEOUT_MS = 2_000;

export type Scrape = () => Promise<string>;

export function watchAll(app: FastifyInstance, events: Events, parent?: ParentLink): Scrape {
  const watches = [watchRequests, watchTransfers, watchDatabaseTime, watchReplicas, watchProcess].map(
    (watch) => watch(app),
  );
  const state = watchState(app);
  const counted = () => [...watches.flatMap((families) => families()), ...events.families()];
  const countedByAll = parent?.countBy(counted) ?? counted;
  if (parent) app.addHook('onClose', () => parent.sayCounted());
  return async () => {
    const ofDatabase = await state();
    return toText([...(await countedByAll()), ...ofDatabase]);
  };
}

/** Never rejects. */
function watchState(app: FastifyInstance): () => Promise<Family[]> {
  const { stopwatch } = app;
  const read = () => readState(app).catch(() => undefined);
  const look = cacheFor(read, { ttl: TTL_MS, timeout: TIMEOUT_MS, fallback: undefined, stopwatch });
  return async () => {
    const families = await look();
    const isUp = families !== undefined;
    return [
      gauge('roster_database_up', 'Whether the database can be read (1) or not (0).', Number(isUp)),
      ...(families ?? []),
    ];
  };
}
