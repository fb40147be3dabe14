/** What the roles may do, and of whom a second factor is asked. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { allow } from '../auth/access.ts';
import { done } from '../auth/idempotency-store.ts';
import { mayManage, SIGNING_IN } from '../auth/policy.ts';
import { draftFor } from '../auth/request-drafts.ts';
import { runCommand } from '../auth/run-command.ts';
import type { Role } from '../db/schema.ts';
import { type Fields, readFields } from '../lib/forms.ts';
import { changeRoleRules } from './commands.ts';
import { findRolesWithCode } from './queries.ts';

export function roleRoutes(app: FastifyInstance): void {
  app.get('/roles', allow(mayManage), showRoles);
  app.post('/roles', allow(mayManage, { form: '/roles', isDraftKept: true }), changeRoles);
}

async function showRoles(request: FastifyRequest, reply: FastifyReply) {
  const required = await findRolesWithCode(request.server.db);
  const draft = await draftFor(request);
  return reply.render('roles/list', {
    roles: SIGNING_IN,
    required: draft ? ticked(draft) : required,
    before: draft?.before ?? required.join(' '),
    isDraft: draft !== undefined,
  });
}

async function changeRoles(request: FastifyRequest, reply: FastifyReply) {
  const fields = readFields(request.body, [...SIGNING_IN, 'before']);
  const [before, after] = [fields.before?.split(' '), ticked(fields)];
  // What somebody else has changed meanwhile stays.
  const changed = SIGNING_IN.filter((role) => before?.includes(role) !== after.includes(role));
  const changes = new Map(changed.map((role) => [role, after.includes(role)]));
  const answer = await runCommand(request, async (trx, actor) => {
    await changeRoleRules(trx, actor, changes, request.server.clock());
    return done('/roles', 'Saved.');
  });
  return reply.answer(answer);
}

/** A box that is not ticked is not sent. */
function ticked(fields: Fields): Role[] {
  return SIGNING_IN.filter((role) => fields[role] !== undefined);
}
