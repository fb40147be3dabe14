/** Giving access: an administrator makes a link, by which someone chooses a password. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { transact } from '../db/transact.ts';
import { NotFoundError } from '../errors.ts';
import { readFields } from '../forms.ts';
import { allow, findActor } from '../sessions/access.ts';
import { act, actorOf } from '../sessions/acting.ts';
import { rememberDevice } from '../sessions/device.ts';
import { NEW_PASSWORD_FIELDS, newPasswordProblems } from '../sessions/form.ts';
import { largestNetworkOf } from '../sessions/networks.ts';
import { passwordQueue } from '../sessions/password-queue.ts';
import { hashPassword } from '../sessions/passwords.ts';
import { anyone, mayManage } from '../sessions/policy.ts';
import { CUT_OFF, newToken, tokenIn } from '../sessions/tokens.ts';
import { idOf, type Request, userAddress } from '../users/request.ts';
import { acceptInvitation, inviteUser, removeSecondFactor } from './commands.ts';
import { findInvited, INVITATION_LASTS } from './queries.ts';

/** There it takes the password: the browser may have been left alone. */
const OWN = 'Your own password and second factor are changed here.';

type WithToken = FastifyRequest<{ Params: { token: string } }>;

export function invitationRoutes(app: FastifyInstance): void {
  const onUser = allow(mayManage, { form: '/users/:id' });
  app.post('/users/:id/invitation', onUser, invite);
  app.post('/users/:id/code/delete', onUser, removeCode);
  app.get('/invitations/:token', allow(anyone), showInvitation);
  app.post('/invitations/:token', allow(anyone), accept);
}

async function invite(request: Request, reply: FastifyReply) {
  const { server } = request;
  const token = newToken();
  const { kind, user } = await act(request, (trx, actor) =>
    inviteUser(trx, actor, idOf(request), token, server.clock()),
  );
  if (kind === 'own') return reply.seeOther('/account', OWN);
  if (kind === 'cannot sign in')
    return reply.seeOther(
      userAddress(user.id, request),
      `${user.username} needs a role first, and to be active.`,
    );
  const here = server.config.origin?.origin ?? `http://${request.headers.host}`;
  reply.header('cache-control', 'no-store');
  const link = `${here}/invitations/${token}`;
  return reply.render('invitations/link', { user, link, hours: INVITATION_LASTS / 3_600_000 });
}

async function removeCode(request: Request, reply: FastifyReply) {
  const { kind, user } = await act(request, (trx, actor) => removeSecondFactor(trx, actor, idOf(request)));
  if (kind === 'own') return reply.seeOther('/account', OWN);
  return reply.seeOther(userAddress(user.id, request), `The second factor of ${user.username} is removed.`);
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
  rememberDevice(request, reply, user.id);
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
  await findActor(request);
  const token = tokenIn(params.token);
  if (token === undefined) throw new NotFoundError(CUT_OFF);
  const user = await findInvited(server.db, token, server.clock());
  if (user === undefined) throw used();
  return { user, token };
}

function used(): NotFoundError {
  return new NotFoundError(
    'This link has been used, or it is too old. If it was you, sign in. Ask an administrator for another one.',
  );
}
