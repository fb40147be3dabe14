/** `/metrics`, where a setting says who may ask: whoever has the token, or this machine. Nothing is measured for nobody. */
import type { FastifyInstance } from 'fastify';
import { allow } from '../../auth/access.ts';
import { anyone } from '../../auth/policy.ts';
import type { ParentLink } from '../workers/link.ts';
import type { Events } from './events.ts';
import { CONTENT_TYPE } from './families.ts';
import { listenForMetrics } from './listener.ts';
import { type Scrape, watchAll } from './scrape.ts';
import { hasToken, METRICS } from './token.ts';

/** Call it after what else listens to the server's requests. @param parent of several processes, all of which one tells of */
export function metricsRoutes(app: FastifyInstance, events: Events, parent?: ParentLink): void {
  const { metricsToken: token, metricsPort: port } = app.config;
  app.decorate('metricsAddress', undefined);
  if (token === undefined && port === undefined) return;
  const scrape = watchAll(app, events, parent);
  if (token !== undefined) answerWithToken(app, token, scrape);
  if (port !== undefined) listenForMetrics(app, port, scrape);
}

function answerWithToken(app: FastifyInstance, token: string, scrape: Scrape): void {
  const forAll = allow(anyone, { isBeforeSetup: true, isHealthCheck: true });
  app.get(METRICS, forAll, async (request, reply) => {
    reply.header('cache-control', 'no-store');
    if (hasToken(request, token)) return reply.type(CONTENT_TYPE).send(await scrape());
    reply.code(401).header('www-authenticate', 'Bearer realm="Roster"').type('text/plain; charset=utf-8');
    return reply.send('This takes the token that METRICS_TOKEN sets, as: Authorization: Bearer TOKEN\n');
  });
}
