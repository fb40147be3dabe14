/** Changing one's own name and email. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { done, nothingDone } from '../auth/kept-answers.ts';
import { draftFor } from '../auth/kept-forms.ts';
import { runCommand } from '../auth/run-command.ts';
import type { User } from '../db/schema.ts';
import { NotUniqueError } from '../errors.ts';
import type { Views } from '../http/views.ts';
import { readFields } from '../lib/forms.ts';
import { changeUser } from '../users/commands.ts';
import { addHolders, type Problems, parseChanges, parseVersion, valuesOf } from '../users/form.ts';
import type { UserChanges } from '../users/validation.ts';
import { checkOwnPassword } from './confirming.ts';
import { getOwnUser } from './own.ts';

const SAVED = 'Your name and email are saved.';

type Shown = Pick<Views['account/profile'], 'user' | 'values'> & Partial<Views['account/profile']>;

export async function showProfile(request: FastifyRequest, reply: FastifyReply) {
  const user = await getOwnUser(request);
  const draft = await draftFor(request);
  const values = { ...valuesOf(user), ...draft };
  const isConflict = draft?.version !== undefined && Number(draft.version) !== user.version;
  return showForm(reply, { user, values, isConflict, isDraft: draft !== undefined });
}

export async function changeOwnProfile(request: FastifyRequest, reply: FastifyReply) {
  const names = ['full_name', 'email', 'version', 'password'] as const;
  const { password, version, ...fields } = readFields(request.body, names);
  const { server } = request;
  const user = await getOwnUser(request);
  const filledFrom = parseVersion(version);
  const form = parseChanges(fields, user);
  const values = { ...valuesOf(user), ...fields };
  const shown = { user, values, isConflict: filledFrom !== undefined && filledFrom !== user.version };
  const isEmailKept = form.ok ? sameEmail(form.value, user) : values.email === valuesOf(user).email;
  const refusal = isEmailKept ? undefined : await checkPassword(request, reply, password);
  const problems = { ...(!form.ok && form.errors), ...(refusal && { password: refusal.sentence }) };
  if (!form.ok || refusal) return refuse(request, reply, shown, problems, refusal?.status);
  try {
    const changes = changedBy(form.value, user);
    const outcome = await runCommand(request, async (trx, actor) => {
      const changed = await changeUser(trx, actor, user.id, changes, server.clock(), filledFrom);
      if (changed.kind === 'conflict') return changed;
      return changed.kind === 'changed'
        ? done('/account', SAVED, changed.set)
        : nothingDone('/account', SAVED);
    });
    if (outcome.kind !== 'conflict') return reply.answer(outcome);
    return showForm(reply, { user: outcome.user, values, isConflict: true }, 409);
  } catch (error) {
    if (error instanceof NotUniqueError) return refuse(request, reply, shown, {});
    throw error;
  }
}

/** Without what is as it was: it may have been changed meanwhile, and an email takes the password. */
function changedBy(values: UserChanges, user: User): UserChanges {
  const changed = Object.entries(values).filter(([name, value]) => user[name as keyof User] !== value);
  return Object.fromEntries(changed);
}

function sameEmail({ email }: UserChanges, user: User): boolean {
  return email === undefined || email === user.email;
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
  const defaults = { errors: {}, holders: {}, isConflict: false, isDraft: false };
  return reply.render('account/profile', { ...defaults, ...shown }, status);
}
