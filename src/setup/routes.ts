/** The first administrator, by a link from the log that works once, or by a button for whoever runs Roster. */
import { timingSafeEqual } from 'node:crypto';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { allow } from '../auth/access.ts';
import { hasAdministrator } from '../auth/administrators.ts';
import { authenticate } from '../auth/authenticate.ts';
import { hashInTurn } from '../auth/password-attempt.ts';
import { NEW_PASSWORD_FIELDS, newPasswordProblems } from '../auth/password-rules.ts';
import { anyone, mayManage, mayRead } from '../auth/policy.ts';
import { actorOf } from '../auth/run-command.ts';
import { answerWithSession } from '../auth/sign-in.ts';
import { findReplay } from '../auth/sign-in-replay.ts';
import { replaceSession } from '../auth/start-session.ts';
import { hashOf, tokenIn } from '../auth/tokens.ts';
import { transact } from '../db/transact.ts';
import { NotFoundError, NotNowError, NotUniqueError } from '../errors.ts';
import { RefusedError } from '../http/refused-error.ts';
import { shownEmail } from '../lib/email.ts';
import { type Errors, type Fields, parseForm } from '../lib/forms.ts';
import { named, textKey } from '../lib/text.ts';
import { readUserFields } from '../users/form.ts';
import { findUserByEmail, findUserByUsername } from '../users/queries.ts';
import { administratorSchema, makeFirstAdministrator, type NewAdministrator } from './commands.ts';
import { hideFirstSteps } from './first-steps.ts';
import { isOperator } from './operator.ts';

type WithToken = FastifyRequest<{ Params: { token: string } }>;

const NOT_OPERATOR = 'This button is for whoever runs Roster; anyone else opens the link in its log.';
const ANOTHER_LINK = 'This link is not from the log of the Roster that runs now: open the newest.';

export function setupRoutes(app: FastifyInstance): void {
  app.post('/setup', allow(mayRead, { form: '/users' }), leadToSetup);
  app.get('/setup/:token', allow(anyone, { isBeforeSetup: true }), showSetup);
  app.post('/setup/:token', allow(anyone, { isBeforeSetup: true }), setUp);
  app.post('/first-steps/delete', allow(mayManage, { form: '/users' }), hideFirstSteps);
}

/** Who runs Roster could read the link in its log, and change its database as well. */
async function leadToSetup(request: FastifyRequest, reply: FastifyReply) {
  const { isOpen, server } = request;
  if (!isOpen) throw tooLate(request);
  if (!(await isOperator(request))) throw new RefusedError(403, NOT_OPERATOR);
  return reply.seeOther(`/setup/${server.setupToken}`);
}

async function showSetup(request: WithToken, reply: FastifyReply) {
  await checkToken(request);
  return showForm(request.server, reply, {}, {});
}

async function setUp(request: WithToken, reply: FastifyReply) {
  const { server } = request;
  // Of two clicks the second finds that there is an administrator.
  const replay = await findReplay(server.db, request, false);
  if (replay) return answerWithSession(request, reply, replay);
  await checkToken(request);
  const fields = readUserFields(request.body, ['username', 'email', 'full_name', ...NEW_PASSWORD_FIELDS]);
  const { new_password = '', new_password_again: _, ...typed } = fields;
  const form = parseForm(administratorSchema, typed);
  const names = form.ok ? form.value : { username: typed.username ?? '', email: typed.email ?? '' };
  const errors = {
    ...(form.ok ? await takenBy(request, form.value) : form.errors),
    ...newPasswordProblems(fields, names),
  };
  if (!form.ok || Object.keys(errors).length > 0) return showForm(server, reply, typed, errors, 422);
  const hash = await hashInTurn(request, new_password);
  try {
    return answerWithSession(request, reply, await makeAndSignIn(request, form.value, hash));
  } catch (error) {
    if (!(error instanceof NotUniqueError)) throw error;
    const taken = await takenBy(request, form.value);
    const isFree = Object.keys(taken).length === 0;
    const errors = isFree ? { email: 'That email was taken a moment ago.' } : taken;
    return showForm(server, reply, typed, errors, 422);
  }
}

/** They would type what they have just chosen, and have no second factor. @throws NotNowError where another one was faster */
async function makeAndSignIn(request: WithToken, typed: NewAdministrator, hash: string) {
  const { db, clock, audit } = request.server;
  const actor = actorOf(request, { role: 'admin', via: 'setup' });
  const started = await transact(db, async (trx) => {
    const user = await makeFirstAdministrator(trx, actor, typed, hash, clock());
    return (
      user && replaceSession(trx, request, { user, next: '/users', sentence: 'You are the administrator.' })
    );
  });
  if (started) audit(request, 'signed in', started.user);
  const session = started ?? (await findReplay(db, request, false));
  if (session === undefined) throw tooLate(request);
  return session;
}

/** Someone who is in the directory already becomes the administrator, if both names say so. */
async function takenBy(
  { server }: WithToken,
  { username, email }: { username: string; email: string },
): Promise<Errors> {
  const [holder, reached] = [
    await findUserByUsername(server.db, username),
    await findUserByEmail(server.db, email),
  ];
  if (holder?.id === reached?.id) return {};
  return {
    ...(holder && {
      username: `That is the username of someone whose email is not ${named(shownEmail(textKey(email)))}.`,
    }),
    ...(reached && { email: `That email already belongs to ${named(reached.username)}.` }),
  };
}

async function showForm(
  { setupToken }: FastifyInstance,
  reply: FastifyReply,
  values: Fields,
  errors: Errors,
  status = 200,
) {
  reply.header('cache-control', 'no-store');
  return reply.render('setup/form', { action: `/setup/${setupToken}`, values, errors }, status);
}

/** @throws NotNowError once there is an administrator; NotFoundError for no whole token or another one */
async function checkToken(request: WithToken): Promise<void> {
  const { server, params } = request;
  await authenticate(request);
  const token = tokenIn(params.token);
  if (await hasAdministrator(server.db)) throw tooLate(request);
  const [given, expected] = [token, server.setupToken].map((text) => Buffer.from(hashOf(text)));
  if (!given || !expected || !timingSafeEqual(given, expected)) throw new NotFoundError(ANOTHER_LINK);
}

function tooLate({ session }: FastifyRequest): NotNowError {
  const title = 'Set up already';
  return session
    ? new NotNowError(title, 'There is an administrator already.', {
        href: '/users',
        text: 'Go to the list of users',
      })
    : new NotNowError(title, 'There is an administrator already: sign in.', {
        href: '/sign-in',
        text: 'Sign in',
      });
}
