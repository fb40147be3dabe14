/** Giving access: an administrator makes a link, by which someone chooses a password. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { transact } from '../db/transact.ts';
import { NotFoundError } from '../errors.ts';
import { readFields } from '../forms.ts';
import { allow, findActor } from '../sessions/access.ts';
import { act } from '../sessions/acting.ts';
import { setCode, setPassword } from '../sessions/credentials.ts';
import { rememberDevice } from '../sessions/device.ts';
import { NEW_PASSWORD_FIELDS, newPasswordProblems } from '../sessions/form.ts';
import { largestNetworkOf } from '../sessions/networks.ts';
import { passwordQueue } from '../sessions/password-queue.ts';
import { hashPassword } from '../sessions/passwords.ts';
import { anyone, mayManage, maySignIn } from '../sessions/policy.ts';
import { deleteSessionsOf } from '../sessions/queries.ts';
import { CUT_OFF, newToken, tokenIn } from '../sessions/tokens.ts';
import { named } from '../text.ts';
import { getUser } from '../users/queries.ts';
import { idOf, type Request, userAddress } from '../users/request.ts';
import { findInvited, INVITATION_LASTS, insertInvitation, takeInvitation } from './queries.ts';

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
  const user = await getUser(server.db, idOf(request));
  if (user.id === request.session?.user_id) return reply.seeOther('/account', OWN);
  if (!maySignIn(user))
    return reply.seeOther(
      userAddress(user.id, request),
      `${named(user.username)} needs a role first, and to be active.`,
    );
  const token = newToken();
  await act(request, (trx) => insertInvitation(trx, user.id, token, server.clock()));
  server.audit(request, 'access link made', user);
  const here = server.config.origin?.origin ?? `http://${request.headers.host}`;
  reply.header('cache-control', 'no-store');
  const link = `${here}/invitations/${token}`;
  return reply.render('invitations/link', { user, link, hours: INVITATION_LASTS / 3_600_000 });
}

async function removeCode(request: Request, reply: FastifyReply) {
  const { server } = request;
  const user = await getUser(server.db, idOf(request));
  if (user.id === request.session?.user_id) return reply.seeOther('/account', OWN);
  await act(request, async (trx) => {
    await setCode(trx, user.id, null);
    await deleteSessionsOf(trx, user.id);
  });
  server.audit(request, 'second factor removed', user);
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
  await transact(server.db, async (trx) => {
    if (!(await takeInvitation(trx, token))) throw used();
    await setPassword(trx, user.id, hash, server.clock());
    await deleteSessionsOf(trx, user.id);
  });
  server.audit(request, 'password set by link', user);
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
