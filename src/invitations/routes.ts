/** Giving access: an administrator makes a link, by which someone chooses a password. */

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { allow } from '../auth/access.ts';
import { authenticate } from '../auth/authenticate.ts';
import { rememberDevice } from '../auth/device.ts';
import { largestNetworkOf } from '../auth/networks.ts';
import { hashPassword } from '../auth/password-hashing.ts';
import { passwordQueue } from '../auth/password-queue.ts';
import { NEW_PASSWORD_FIELDS, newPasswordProblems } from '../auth/password-rules.ts';
import { anyone, mayManage } from '../auth/policy.ts';
import { actorOf, runCommand } from '../auth/run-command.ts';
import { LINK_CUT_OFF, newToken, tokenIn } from '../auth/tokens.ts';
import { transact } from '../db/transact.ts';
import { NotFoundError } from '../errors.ts';
import { readFields } from '../lib/forms.ts';
import { named } from '../lib/text.ts';
import { urlFor } from '../lib/url-for.ts';
import { type Request, userAddress, userIdFrom } from '../users/request.ts';
import { acceptInvitation, inviteUser, removeSecondFactor, withdrawLink } from './commands.ts';
import { LINK_HOURS } from './expiry.ts';
import { findInvited } from './queries.ts';

/** There it takes the password: the browser may have been left alone. */
const OWN = 'Your own password and second factor are changed here.';

type WithToken = FastifyRequest<{ Params: { token: string } }>;

export function invitationRoutes(app: FastifyInstance): void {
  const onUser = allow(mayManage, { form: '/users/:id' });
  app.post('/users/:id/invitation', onUser, invite);
  app.post('/users/:id/invitation/delete', onUser, withdraw);
  app.post('/users/:id/code/delete', onUser, removeCode);
  app.get('/invitations/:token', allow(anyone), showInvitation);
  app.post('/invitations/:token', allow(anyone), accept);
}

async function invite(request: Request, reply: FastifyReply) {
  const { server } = request;
  const token = newToken();
  const { kind, user } = await runCommand(request, (trx, actor) =>
    inviteUser(trx, actor, userIdFrom(request), token, server.clock()),
  );
  if (kind === 'own') return reply.seeOther('/account', OWN);
  if (kind === 'cannot sign in')
    return reply.seeOther(
      userAddress(user.id, request),
      `No access link was made: ${named(user.username)} must be active, and more than a member.`,
    );
  const here = server.config.origin?.origin ?? `http://${request.headers.host}`;
  reply.header('cache-control', 'no-store');
  const link = here + urlFor(`/invitations/${token}`);
  return reply.render('invitations/link', { user, link, hours: LINK_HOURS });
}

async function withdraw(request: Request, reply: FastifyReply) {
  const { kind, user } = await runCommand(request, (trx, actor) =>
    withdrawLink(trx, actor, userIdFrom(request), request.server.clock()),
  );
  const name = named(user.username);
  const sentence =
    kind === 'withdrawn'
      ? `The access link of ${name} is withdrawn.`
      : `There was no access link of ${name} any more.`;
  return reply.seeOther(userAddress(user.id, request), sentence);
}

async function removeCode(request: Request, reply: FastifyReply) {
  const { kind, user } = await runCommand(request, (trx, actor) =>
    removeSecondFactor(trx, actor, userIdFrom(request), request.server.clock()),
  );
  if (kind === 'own') return reply.seeOther('/account', OWN);
  return reply.seeOther(
    userAddress(user.id, request),
    `The second factor of ${named(user.username)} is removed.`,
  );
}

async function showInvitation(request: WithToken, reply: FastifyReply) {
  const { user, token } = await getInvited(request);
  return showForm(reply, token, user, {});
}

async function accept(request: WithToken, reply: FastifyReply) {
  const { server } = request;
  const fields = readFields(request.body, NEW_PASSWORD_FIELDS);
  const { user, token } = await getInvited(request);
  const errors = newPasswordProblems(fields, user);
  if (Object.keys(errors).length > 0) return showForm(reply, token, user, errors, 422);
  const hash = await passwordQueue.run(largestNetworkOf(request.address), () =>
    hashPassword(fields.new_password ?? ''),
  );
  const actor = actorOf(request, { role: user.role, via: 'link' });
  const accepted = await transact(server.db, (trx) =>
    acceptInvitation(trx, actor, token, hash, server.clock()),
  );
  if (accepted === undefined) throw used();
  rememberDevice(request, reply, user.id, { hasSignedIn: false });
  return reply.seeOther('/sign-in', 'Your password is set. Sign in with it.');
}

async function showForm(
  reply: FastifyReply,
  token: string,
  user: { username: string },
  errors: Readonly<Record<string, string>>,
  status = 200,
) {
  reply.header('cache-control', 'no-store');
  const action = `/invitations/${token}`;
  return reply.render('invitations/form', { user, action, errors }, status);
}

async function getInvited(request: WithToken) {
  const { server, params } = request;
  await authenticate(request);
  const token = tokenIn(params.token);
  if (token === undefined) throw new NotFoundError(LINK_CUT_OFF);
  const user = await findInvited(server.db, token, server.clock());
  if (user === undefined) throw used();
  return { user, token };
}

function used(): NotFoundError {
  return new NotFoundError(
    'This link no longer works: it has been used, replaced or withdrawn, or it is too old. If you have chosen your password with it, sign in; else ask an administrator for another one.',
  );
}
