/** For whatever runs Roster: is the process alive, and can it answer? */
import type { FastifyInstance } from 'fastify';
import { allow } from './sessions/access.ts';
import { anyone } from './sessions/policy.ts';
import { countByStatus } from './users/queries.ts';

export function healthRoutes(app: FastifyInstance): void {
  app.get('/healthz', allow(anyone, { isBeforeSetup: true }), async (_request, reply) =>
    reply.header('cache-control', 'no-store').send('ok\n'),
  );
  app.get('/readyz', allow(anyone, { isBeforeSetup: true }), async (_request, reply) => {
    if (app.isDraining) return reply.code(503).header('cache-control', 'no-store').send('about to stop\n');
    const isReady = await countByStatus(app.db).then(
      () => true,
      () => false,
    );
    reply.code(isReady ? 200 : 503).header('cache-control', 'no-store');
    return reply.send(isReady ? 'ready\n' : 'the database does not answer\n');
  });
}
