/** The form of a user: making one and changing one. */

import type { FastifyReply } from 'fastify';
import { authorize } from '../auth/actor.ts';
import { findLiveSessions } from '../auth/authenticate.ts';
import { done, doneIn } from '../auth/idempotency-store.ts';
import { isOwnEmail, mayChange } from '../auth/policy.ts';
import { draftFor } from '../auth/request-drafts.ts';
import { runCommand } from '../auth/run-command.ts';
import type { Trx } from '../db/schema.ts';
import { LastAdministratorError, NotFoundError, NotUniqueError } from '../errors.ts';
import type { Views } from '../http/views.ts';
import { findLink } from '../invitations/queries.ts';
import { parseForm } from '../lib/forms.ts';
import { named } from '../lib/text.ts';
import { type Conflict, changeUser, createUser, setOf } from './commands.ts';
import { sentenceOfSaved } from './concurrent-changes.ts';
import { describeConflict } from './conflict.ts';
import { offerFormer, offerToRestore, showDeleted } from './deleted.ts';
import { addHolders, beginEdit, type Problems, readEdit, readEditForm, readUserFields } from './form.ts';
import { findFormerNames, typedOf } from './former-names.ts';
import { fromParameter } from './list/address.ts';
import { findUser, getUser, lockUser } from './queries.ts';
import { listBefore, type Request, userAddress, userIdFrom } from './request.ts';
import { newUserSchema, USER_FIELDS, type UserChanges } from './validation.ts';
import { sentenceOfChanged, sentenceOfCreated, type WaysIn, whatEnded } from './words.ts';

const NEW_FIELDS = [...USER_FIELDS, 'another', 'asked', 'restore'];
const USUAL = { role: 'member', is_active: '1' };
const OWN_EMAIL = 'You change your own email in your account, with your password.';

export async function showNewForm(request: Request, reply: FastifyReply) {
  const draft = await draftFor(request);
  return showForm(request, reply, {
    user: undefined,
    values: draft
      ? readUserFields(draft, NEW_FIELDS)
      : { is_active: '1', another: request.query.another ?? '' },
    isDraft: draft !== undefined,
  });
}

export async function create(request: Request, reply: FastifyReply) {
  const fields = readUserFields(request.body, NEW_FIELDS);
  const shown = { user: undefined, values: fields };
  if (fields.restore) {
    const offered = await offerFormer(request, reply, fields.restore, typedOf(fields, USUAL));
    return offered ?? refuse(request, reply, shown, {});
  }
  const form = parseForm(newUserSchema, fields);
  if (!form.ok) return refuse(request, reply, shown, form.errors);
  const { problems, ...asking } = await findFormerNames(request.reader, request.actor, fields);
  if (asking.former.length > 0) return refuse(request, reply, { ...shown, ...asking }, problems);
  const { server } = request;
  try {
    const answer = await runCommand(request, async (trx, actor) => {
      const { user, set } = await createUser(trx, actor, form.value, server.clock());
      const next = fields.another ? addAnother(request) : userAddress(user.id, request);
      return done(next, sentenceOfCreated(user), set);
    });
    return reply.answer(answer);
  } catch (error) {
    return refuse(request, reply, shown, problemsOf(error));
  }
}

function addAnother(request: Request): string {
  return `/users/new?another=1${fromParameter(listBefore(request)).replace('?', '&')}`;
}

export async function showEditForm(request: Request, reply: FastifyReply) {
  const { reader: db } = request;
  const user = await findUser(db, userIdFrom(request));
  const draft = await draftFor(request);
  if (user === undefined) return draft ? offerToRestore(request, reply, draft) : showDeleted(request, reply);
  authorize(request.actor, (actor) => mayChange(actor, user));
  const begun = await beginEdit(db, user, draft && readEditForm(draft));
  return begun.kind === 'conflict'
    ? showConflict(request, reply, begun, 200)
    : showForm(request, reply, begun);
}

export async function update(request: Request, reply: FastifyReply) {
  try {
    return await saveEdit(request, reply);
  } catch (error) {
    if (!(error instanceof NotFoundError)) throw error;
    return offerToRestore(request, reply, request.body);
  }
}

async function saveEdit(request: Request, reply: FastifyReply) {
  const { db, clock } = request.server;
  const user = await getUser(db, userIdFrom(request));
  authorize(request.actor, (actor) => mayChange(actor, user));
  const fields = readEditForm(request.body);
  const { version, values, typed, form } = await readEdit(db, user, fields);
  const shown = { user, version: version ?? user.version, values };
  const isRefused = request.actor && isOwnEmail(request.actor, user.id, Object.keys(typed));
  if (!form.ok || isRefused)
    return refuse(request, reply, shown, {
      ...(!form.ok && form.errors),
      ...(isRefused && { email: OWN_EMAIL }),
    });
  try {
    const outcome = await runCommand(request, async (trx, actor) => {
      const had = await waysIn(trx, request, user.id);
      const changed = await changeUser(trx, actor, user.id, form.value, clock(), version);
      if (changed.kind === 'conflict') return changed;
      const sentence = await sentenceOfSaved(trx, actor, changed, sentenceOfChanged(changed, fields));
      return doneIn(setOf(changed), userAddress(user.id, request), sentence + whatEnded(changed, had));
    });
    return outcome.kind === 'conflict' ? showConflict(request, reply, outcome) : reply.answer(outcome);
  } catch (error) {
    return refuse(request, reply, shown, problemsOf(error, form.value));
  }
}

async function waysIn(trx: Trx, { server }: Request, userId: number): Promise<WaysIn> {
  // Whoever signs in, or uses the link, at this moment has done so before, or does not.
  await lockUser(trx, userId);
  const sessions = await findLiveSessions(trx, server, userId);
  const link = await findLink(trx, userId, server.clock());
  return { sessions: sessions.length, hasLink: link !== undefined };
}

async function showConflict(request: Request, reply: FastifyReply, conflict: Conflict, status = 409) {
  const { id, username } = conflict.user;
  const shown = await describeConflict(request.reader, request.actor, conflict);
  const page = userAddress(id, request);
  return reply.render(
    'users/conflict',
    { ...shown, heading: `Edit ${named(username)}`, action: page, page },
    status,
  );
}

/** What a form shows besides what every form does; the version is the one that it was filled from. */
type Shown = Pick<Views['users/form'], 'user' | 'values'> & Partial<Views['users/form']>;

async function showForm(request: Request, reply: FastifyReply, shown: Shown, status = 200) {
  const from = listBefore(request);
  const defaults = { version: undefined, errors: {}, holders: {}, former: [], isDraft: false };
  return reply.render('users/form', { from, ...defaults, ...shown }, status);
}

async function refuse(request: Request, reply: FastifyReply, shown: Shown, problems: Problems) {
  const { errors, holders } = await addHolders(request.server.db, shown.values, problems, shown.user?.id);
  return showForm(request, reply, { ...shown, errors, holders: { ...shown.holders, ...holders } }, 422);
}

function problemsOf(error: unknown, { role }: UserChanges = {}): Problems {
  // `addHolders` looks up what is taken.
  if (error instanceof NotUniqueError) return {};
  if (error instanceof LastAdministratorError)
    return { [role ? 'role' : 'is_active']: `${error.message} Make someone else one first.` };
  throw error;
}
