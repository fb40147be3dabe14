/** How Roster is, for whoever runs it. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { allow } from '../auth/access.ts';
import { mayManage } from '../auth/policy.ts';
import { shownProxyProblems } from '../http/proxy-problems.ts';
import { readStatus } from './status.ts';

export function maintenanceRoutes(app: FastifyInstance): void {
  app.get('/admin/status', allow(mayManage), showStatus);
}

async function showStatus({ server }: FastifyRequest, reply: FastifyReply) {
  const { db, config, clock } = server;
  const now = clock();
  const status = await readStatus(db, config, now);
  return reply.render('maintenance/status', { status, now, proxyProblems: shownProxyProblems(server) });
}
