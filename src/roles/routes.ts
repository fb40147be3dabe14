/** What the roles may do, and of whom a second factor is asked. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { transact } from '../db/transact.ts';
import { readFields } from '../forms.ts';
import { allow } from '../sessions/access.ts';
import { mayManage, mayRead, ROLES } from '../sessions/policy.ts';
import { findRoleRules, requireCode } from './queries.ts';

const SIGNING_IN = ROLES.filter((role) => mayRead({ role }));

export function roleRoutes(app: FastifyInstance): void {
  app.get('/roles', allow(mayManage), showRoles);
  app.post('/roles', allow(mayManage), changeRoles);
}

async function showRoles(request: FastifyRequest, reply: FastifyReply) {
  const rules = await findRoleRules(request.server.db);
  const required = rules.filter(({ is_code_required }) => is_code_required).map(({ role }) => role);
  return reply.render('roles/list', { roles: SIGNING_IN, required });
}

/** A box that is not ticked is not sent. */
async function changeRoles(request: FastifyRequest, reply: FastifyReply) {
  const { server } = request;
  const fields = readFields(request.body, SIGNING_IN);
  await transact(server.db, async (trx) => {
    for (const role of SIGNING_IN) await requireCode(trx, role, fields[role] !== undefined);
  });
  const required = SIGNING_IN.filter((role) => fields[role] !== undefined);
  server.audit(request, `second factor required of: ${required.join(', ') || 'nobody'}`);
  return reply.seeOther('/roles', 'Saved.');
}
