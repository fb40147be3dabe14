/** Changing one's own name and email. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { doneIn } from '../auth/idempotency-store.ts';
import { draftFor } from '../auth/request-drafts.ts';
import { runCommand } from '../auth/run-command.ts';
import { NotNowError, NotUniqueError } from '../errors.ts';
import type { Views } from '../http/views.ts';
import { type Conflict, changeUser, setOf } from '../users/commands.ts';
import { sentenceOfSaved } from '../users/concurrent-changes.ts';
import { describeConflict } from '../users/conflict.ts';
import { addHolders, beginEdit, type Problems, readEdit, readUserFields } from '../users/form.ts';
import { checkOwnPassword } from './confirm-password.ts';
import { getOwnUser } from './own-account.ts';

type Shown = Pick<Views['account/profile'], 'user' | 'version' | 'values'> &
  Partial<Views['account/profile']>;

const FIELDS = ['full_name', 'email', 'version'] as const;
const NOT_YOURS = 'That form was of whoever was signed in here before.';
const SAID = {
  changed: 'Your name and email are saved.',
  unchanged: 'Nothing to save: your name and email are so already.',
};

export async function showProfile(request: FastifyRequest, reply: FastifyReply) {
  const user = await getOwnUser(request);
  const draft = await draftFor(request);
  const begun = await beginEdit(request.server.db, user, draft && readUserFields(draft, FIELDS));
  return begun.kind === 'conflict' ? showConflict(request, reply, begun, 200) : showForm(reply, begun);
}

export async function changeOwnProfile(request: FastifyRequest, reply: FastifyReply) {
  const { db, clock } = request.server;
  const {
    password,
    user: shownTo,
    ...fields
  } = readUserFields(request.body, [...FIELDS, 'password', 'user']);
  const user = await getOwnUser(request);
  if (shownTo !== undefined && shownTo !== String(user.id))
    // No 303, which would drop a draft of theirs that waits in the form.
    throw new NotNowError('Somebody else’s form', NOT_YOURS, {
      href: '/account/profile',
      text: 'Open yours',
    });
  const { version, values, typed, since, form } = await readEdit(db, user, fields);
  const shown = { user, version: version ?? user.version, values };
  const { email: shownEmail } = since.base ?? user;
  const isEmailKept = form.ok ? (form.value.email ?? shownEmail) === shownEmail : typed.email === undefined;
  const refusal = isEmailKept ? undefined : await checkPassword(request, reply, password);
  const problems = { ...(!form.ok && form.errors), ...(refusal && { password: refusal.sentence }) };
  if (!form.ok || refusal) return refuse(request, reply, shown, problems, refusal?.status);
  // An email that needed no password is not written, whatever is there by now.
  const { email: _, ...others } = form.value;
  const changes = isEmailKept ? others : form.value;
  try {
    const outcome = await runCommand(request, async (trx, actor) => {
      const changed = await changeUser(trx, actor, user.id, changes, clock(), version);
      if (changed.kind === 'conflict') return changed;
      const sentence = await sentenceOfSaved(trx, actor, changed, SAID[changed.kind]);
      const answer = doneIn(setOf(changed), '/account', sentence);
      // An email alone is changed back here, with the password.
      return changed.user.full_name === user.full_name ? { ...answer, undo: undefined } : answer;
    });
    return outcome.kind === 'conflict' ? showConflict(request, reply, outcome) : reply.answer(outcome);
  } catch (error) {
    if (error instanceof NotUniqueError) return refuse(request, reply, shown, {});
    throw error;
  }
}

async function showConflict(request: FastifyRequest, reply: FastifyReply, conflict: Conflict, status = 409) {
  const shown = await describeConflict(request.server.db, request.actor, conflict);
  const heading = 'Your name and email';
  const addresses = { action: '/account/profile', page: '/account' };
  return reply.render('users/conflict', { ...shown, heading, ...addresses }, status);
}

async function checkPassword(request: FastifyRequest, reply: FastifyReply, password = '') {
  if (password === '') return { sentence: 'Enter your password, to change your email.', status: 422 };
  return checkOwnPassword(request, reply, password);
}

async function refuse(
  request: FastifyRequest,
  reply: FastifyReply,
  shown: Shown,
  problems: Problems,
  status = 422,
) {
  const { email = '' } = shown.values;
  const { errors, holders } = await addHolders(request.server.db, { email }, problems, shown.user.id);
  return showForm(reply, { ...shown, errors, holders }, status);
}

function showForm(reply: FastifyReply, shown: Shown, status = 200) {
  const defaults = { errors: {}, holders: {}, isDraft: false };
  return reply.render('account/profile', { ...defaults, ...shown }, status);
}
