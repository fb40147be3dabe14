/** For whatever runs Roster: is the process alive, and can it answer? */
import type { FastifyInstance } from 'fastify';
import { allow } from '../auth/access.ts';
import { anyone } from '../auth/policy.ts';
import { watchReadiness } from './readiness.ts';

/** HAProxy and Apache may ask by OPTIONS. */
const CHECK = { method: ['GET', 'OPTIONS'], ...allow(anyone, { isBeforeSetup: true, isHealthCheck: true }) };

export function healthRoutes(app: FastifyInstance): void {
  const findProblem = watchReadiness(app.db, app.log);
  app.route({
    ...CHECK,
    url: '/healthz',
    handler: async (_request, reply) => reply.header('cache-control', 'no-store').send('ok\n'),
  });
  app.route({
    ...CHECK,
    url: '/readyz',
    handler: async (_request, reply) => {
      const problem = app.isDraining && !app.isReplaced ? 'about to stop' : await findProblem();
      reply.code(problem === undefined ? 200 : 503).header('cache-control', 'no-store');
      return reply.send(`${problem ?? 'ready'}\n`);
    },
  });
}
