/** Opening an access link: someone chooses a password, and is told where the link is good for nothing any more. */

import type { FastifyReply, FastifyRequest } from 'fastify';
import { askToSignInAs } from '../auth/ask-to-sign-in.ts';
import { authenticate } from '../auth/authenticate.ts';
import { rememberDevice } from '../auth/device-cookie.ts';
import { transactOnce } from '../auth/idempotency.ts';
import { hashInTurn } from '../auth/password-attempt.ts';
import { NEW_PASSWORD_FIELDS, newPasswordProblems } from '../auth/password-rules.ts';
import { mayManage } from '../auth/policy.ts';
import { actorOf } from '../auth/run-command.ts';
import { tokenIn } from '../auth/tokens.ts';
import type { User } from '../db/schema.ts';
import { readFields } from '../lib/forms.ts';
import { named } from '../lib/text.ts';
import { acceptInvitation } from './commands.ts';
import { LINK_HOURS } from './expiry.ts';
import { findInvitation, type Invitation } from './queries.ts';

type WithToken = FastifyRequest<{ Params: { token: string } }>;
type Ended = Exclude<Invitation['kind'], 'good'>;

const ENDED: Readonly<Record<Ended, { title: string; sentence: string; whatToDo: string }>> = {
  used: {
    title: 'This link has been used',
    sentence: 'A password was chosen with it, and it works once.',
    whatToDo: 'Sign in with that password. If it was not you who chose it, tell an administrator.',
  },
  old: {
    title: 'This link is too old',
    sentence: `It was good for ${LINK_HOURS} hours after it was made.`,
    whatToDo: 'Ask an administrator for a new one.',
  },
  gone: {
    title: 'This link no longer works',
    sentence: 'It was replaced, withdrawn, or ended when the account was changed.',
    whatToDo: 'Look for a newer one, or ask an administrator.',
  },
};

export async function showInvitation(request: WithToken, reply: FastifyReply) {
  const { token, invitation } = await findInvitationFor(request);
  if (invitation.kind !== 'good') return explainEnd(request, reply, invitation);
  return showForm(reply, token, invitation.user, {});
}

export async function accept(request: WithToken, reply: FastifyReply) {
  const { server } = request;
  const fields = readFields(request.body, NEW_PASSWORD_FIELDS);
  const { token, invitation } = await findInvitationFor(request);
  if (invitation.kind !== 'good') return explainEnd(request, reply, invitation);
  const { user } = invitation;
  const errors = newPasswordProblems(fields, user);
  if (Object.keys(errors).length > 0) return showForm(reply, token, user, errors, 422);
  const hash = await hashInTurn(request, fields.new_password ?? '');
  const actor = actorOf(request, { role: user.role, via: 'link' });
  const answer = await transactOnce(request, async (trx) => {
    const accepted = await acceptInvitation(trx, actor, token, hash, server.clock());
    return accepted && askToSignInAs(accepted.username, 'Your password is set.');
  });
  if (answer === undefined) return explainEnd(request, reply, (await findInvitationFor(request)).invitation);
  rememberDevice(request, reply, user.id, { hasSignedIn: false });
  return reply.answer(answer);
}

async function showForm(
  reply: FastifyReply,
  token: string,
  user: Pick<User, 'id' | 'username'>,
  errors: Readonly<Record<string, string>>,
  status = 200,
) {
  reply.header('cache-control', 'no-store');
  const action = `/invitations/${token}`;
  return reply.render('invitations/form', { user, action, errors }, status);
}

/** @throws NotFoundError for what is no whole link. */
async function findInvitationFor(request: WithToken): Promise<{ token: string; invitation: Invitation }> {
  const { server, params } = request;
  await authenticate(request);
  const token = tokenIn(params.token);
  return { token, invitation: await findInvitation(server.db, token, server.clock()) };
}

/** An administrator who is signed in makes another one. */
async function explainEnd({ session }: WithToken, reply: FastifyReply, invitation: Invitation) {
  const { title, sentence, whatToDo } = ENDED[invitation.kind === 'good' ? 'gone' : invitation.kind];
  if (session === undefined) {
    const link = { href: '/sign-in', text: 'Sign in' };
    return reply.renderError({ title, sentence: `${sentence} ${whatToDo}`, link }, 404);
  }
  const you = `You are signed in as ${named(session.username)}.`;
  if (!mayManage(session) || invitation.kind === 'gone')
    return reply.renderError({ title, sentence: `${sentence} ${whatToDo} ${you}` }, 404);
  const { id, username } = invitation.user;
  const another = `If ${named(username)} needs another one, create it.`;
  const link = { href: `/users/${id}`, text: `Look at user ${id}` };
  return reply.renderError({ title, sentence: `${sentence} ${you} ${another}`, link }, 404);
}
