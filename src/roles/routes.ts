/** What the roles may do, and of whom a second factor is asked. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { transact } from '../db/transact.ts';
import { type Fields, readFields } from '../forms.ts';
import { allow } from '../sessions/access.ts';
import { draftFor } from '../sessions/drafts.ts';
import { mayManage, mayRead, ROLES, type Role } from '../sessions/policy.ts';
import { findRoleRules, requireCode } from './queries.ts';

const SIGNING_IN = ROLES.filter((role) => mayRead({ role }));

export function roleRoutes(app: FastifyInstance): void {
  app.get('/roles', allow(mayManage), showRoles);
  app.post('/roles', allow(mayManage, { form: '/roles', isDraftKept: true }), changeRoles);
}

async function showRoles(request: FastifyRequest, reply: FastifyReply) {
  const rules = await findRoleRules(request.server.db);
  const draft = await draftFor(request);
  const required = draft
    ? ticked(draft)
    : rules.filter((rule) => rule.is_code_required).map(({ role }) => role);
  return reply.render('roles/list', { roles: SIGNING_IN, required, isDraft: draft !== undefined });
}

async function changeRoles(request: FastifyRequest, reply: FastifyReply) {
  const { server } = request;
  const required = ticked(readFields(request.body, SIGNING_IN));
  await transact(server.db, async (trx) => {
    for (const role of SIGNING_IN) await requireCode(trx, role, required.includes(role));
  });
  server.audit(request, `second factor required of: ${required.join(', ') || 'nobody'}`);
  return reply.seeOther('/roles', 'Saved.');
}

/** A box that is not ticked is not sent. */
function ticked(fields: Fields): Role[] {
  return SIGNING_IN.filter((role) => fields[role] !== undefined);
}
