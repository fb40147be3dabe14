/** The form of a user: making one and changing one. */

import type { FastifyReply } from 'fastify';
import { authorize } from '../auth/actor.ts';
import { done, nothingDone } from '../auth/kept-answers.ts';
import { draftFor } from '../auth/kept-forms.ts';
import { mayChange, maySignIn } from '../auth/policy.ts';
import { runCommand } from '../auth/run-command.ts';
import type { User } from '../db/schema.ts';
import { LastAdministratorError, NotFoundError, NotUniqueError } from '../errors.ts';
import type { Views } from '../http/views.ts';
import { parseForm, readFields } from '../lib/forms.ts';
import { named } from '../lib/text.ts';
import { changeUser, createUser } from './commands.ts';
import { addHolders, type Problems, parseChanges, parseVersion, valuesOf } from './form.ts';
import { fromParameter } from './list/address.ts';
import { getUser } from './queries.ts';
import { listBefore, type Request, userAddress, userIdFrom } from './request.ts';
import { newUserSchema, USER_FIELDS } from './validation.ts';

export async function showNewForm(request: Request, reply: FastifyReply) {
  const draft = await draftFor(request);
  return showForm(request, reply, {
    user: undefined,
    values: draft ?? { is_active: '1', another: request.query.another ?? '' },
    isDraft: draft !== undefined,
  });
}

export async function create(request: Request, reply: FastifyReply) {
  const fields = readFields(request.body, [...USER_FIELDS, 'another']);
  const form = parseForm(newUserSchema, fields);
  if (!form.ok) return refuse(request, reply, { user: undefined, values: fields }, form.errors);
  const { server } = request;
  try {
    const answer = await runCommand(request, async (trx, actor) => {
      const { user, set } = await createUser(trx, actor, form.value, server.clock());
      const next = fields.another ? addAnother(request) : userAddress(user.id, request);
      return done(next, sentenceOfCreated(user), set);
    });
    return reply.answer(answer);
  } catch (error) {
    return refuse(request, reply, { user: undefined, values: fields }, problemsOf(error));
  }
}

function addAnother(request: Request): string {
  return `/users/new?another=1${fromParameter(listBefore(request)).replace('?', '&')}`;
}

function sentenceOfCreated(user: User): string {
  const created = `User ${named(user.username)} created!`;
  return maySignIn(user) ? `${created} They cannot sign in yet: create an access link.` : created;
}

export async function showEditForm(request: Request, reply: FastifyReply) {
  const user = await getUser(request.server.db, userIdFrom(request));
  authorize(request.actor, (actor) => mayChange(actor, user));
  const draft = await draftFor(request);
  const values = { ...valuesOf(user), ...draft };
  const isConflict = draft?.version !== undefined && Number(draft.version) !== user.version;
  return showForm(request, reply, { user, values, isConflict, isDraft: draft !== undefined });
}

export async function update(request: Request, reply: FastifyReply) {
  const { server } = request;
  const { db } = server;
  const current = await getUser(db, userIdFrom(request)).catch(sayNothingChanged);
  authorize(request.actor, (actor) => mayChange(actor, current));
  const { version, ...fields } = readFields(request.body, [...USER_FIELDS, 'version']);
  const filledFrom = parseVersion(version);
  const form = parseChanges(fields, current);
  // Sent again, the form replaces what is there now: what was changed meanwhile is shown beside the errors, too.
  const values = { ...valuesOf(current), ...fields };
  const isConflict = filledFrom !== undefined && filledFrom !== current.version;
  const shown = { user: current, values, isConflict };
  if (!form.ok) return refuse(request, reply, shown, form.errors);
  try {
    const outcome = await runCommand(request, async (trx, actor) => {
      const changed = await changeUser(trx, actor, current.id, form.value, server.clock(), filledFrom);
      if (changed.kind === 'conflict') return changed;
      const [to, sentence] = [
        userAddress(current.id, request),
        `User ${named(changed.user.username)} updated!`,
      ];
      return changed.kind === 'changed' ? done(to, sentence, changed.set) : nothingDone(to, sentence);
    });
    if (outcome.kind !== 'conflict') return reply.answer(outcome);
    const { user } = outcome;
    const typed = valuesOf({ ...user, ...form.value } as User);
    return showForm(request, reply, { user, values: typed, isConflict: true }, 409);
  } catch (error) {
    return refuse(request, reply, shown, problemsOf(error));
  }
}

/** What a form shows besides what every form does. */
type Shown = Pick<Views['users/form'], 'user' | 'values'> & Partial<Views['users/form']>;

async function showForm(request: Request, reply: FastifyReply, shown: Shown, status = 200) {
  const from = listBefore(request);
  return reply.render(
    'users/form',
    { from, errors: {}, holders: {}, isConflict: false, isDraft: false, ...shown },
    status,
  );
}

async function refuse(request: Request, reply: FastifyReply, shown: Shown, problems: Problems) {
  const { errors, holders } = await addHolders(request.server.db, shown.values, problems, shown.user?.id);
  return showForm(request, reply, { ...shown, errors, holders }, 422);
}

function problemsOf(error: unknown): Problems {
  // `addHolders` looks up what is taken.
  if (error instanceof NotUniqueError) return {};
  if (error instanceof LastAdministratorError)
    return { role: `${error.message} Make someone else one first.` };
  throw error;
}

function sayNothingChanged(error: unknown): never {
  if (!(error instanceof NotFoundError)) throw error;
  throw new NotFoundError(`${error.message} Nothing was changed; what you typed is one step back.`);
}
