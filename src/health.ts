/** For whatever runs Roster: is the process alive, and can it answer? */
import type { FastifyInstance } from 'fastify';
import { watchReadiness } from './readiness.ts';
import { allow } from './sessions/access.ts';
import { anyone } from './sessions/policy.ts';

export function healthRoutes(app: FastifyInstance): void {
  const findProblem = watchReadiness(app.db, app.log);
  app.get('/healthz', allow(anyone, { isBeforeSetup: true }), async (_request, reply) =>
    reply.header('cache-control', 'no-store').send('ok\n'),
  );
  app.get('/readyz', allow(anyone, { isBeforeSetup: true }), async (_request, reply) => {
    const problem = await findProblem();
    reply.code(problem === undefined ? 200 : 503).header('cache-control', 'no-store');
    return reply.send(`${problem ?? 'ready'}\n`);
  });
}
