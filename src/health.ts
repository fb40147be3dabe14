/** For whatever runs Roster: is the process alive, and can it answer? */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Db } from './db/schema.ts';
import { allow } from './sessions/access.ts';
import { anyone } from './sessions/policy.ts';
import { countByStatus } from './users/queries.ts';

/** HAProxy and Apache may ask by OPTIONS. */
const CHECK = { method: ['GET', 'OPTIONS'], ...allow(anyone, { isBeforeSetup: true, isHealthCheck: true }) };

export function healthRoutes(app: FastifyInstance): void {
  app.route({ ...CHECK, url: '/healthz', handler: isAlive });
  app.route({ ...CHECK, url: '/readyz', handler: isReady });
}

async function isAlive(_request: FastifyRequest, reply: FastifyReply) {
  return reply.header('cache-control', 'no-store').send('ok\n');
}

async function isReady({ server }: FastifyRequest, reply: FastifyReply) {
  const problem = server.isDraining ? 'about to stop' : await databaseProblem(server.db);
  reply.code(problem ? 503 : 200).header('cache-control', 'no-store');
  return reply.send(`${problem ?? 'ready'}\n`);
}

async function databaseProblem(db: Db): Promise<string | undefined> {
  return countByStatus(db).then(
    () => undefined,
    () => 'the database does not answer',
  );
}
