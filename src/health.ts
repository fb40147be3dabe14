/** For whatever runs Roster: is the process alive, and can it answer? */

import type { FastifyInstance } from 'fastify';
import { sql } from 'kysely';

export function healthRoutes(app: FastifyInstance): void {
  app.get('/healthz', async (_request, reply) => reply.header('cache-control', 'no-store').send('ok\n'));
  app.get('/readyz', async (_request, reply) => {
    await sql`select count from user_counts`.execute(app.db);
    return reply.header('cache-control', 'no-store').send('ready\n');
  });
}
