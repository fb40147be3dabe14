/** The page of someone who was deleted: what they were, and what was typed for them since. */
import type { FastifyReply } from 'fastify';
import { authorize } from '../auth/actor.ts';
import { mayChange, maySeeDeleted } from '../auth/policy.ts';
import { transact } from '../db/transact.ts';
import { showErasure } from '../erasure/progress.ts';
import { findErasure } from '../erasure/queries.ts';
import { NotFoundError } from '../errors.ts';
import { findDeleted } from '../history/deleted-queries.ts';
import { describeSets, visibilityFor } from '../history/descriptions.ts';
import { unpackValues } from '../history/fields.ts';
import { findChangeSet } from '../history/queries.ts';
import { TYPED_IS_BACK } from '../http/explanations.ts';
import type { Views } from '../http/views.ts';
import type { Fields } from '../lib/forms.ts';
import { plainNumber } from '../lib/text.ts';
import { readEdit, readEditForm, valuesOf } from './form.ts';
import { lockUser } from './queries.ts';
import { listBefore, type Request, userIdFrom } from './request.ts';

/** `typed`: what is to be other than it is last known. */
type More = Partial<Pick<Views['users/deleted'], 'errors' | 'holders' | 'why' | 'wrongDay'>> & {
  typed?: Fields;
  id?: number;
};

export async function findSeenDeleted({ reader, actor }: Request, id: number) {
  const deleted = actor && maySeeDeleted(actor) ? await findDeleted(reader, id) : undefined;
  return deleted && { ...deleted, ...unpackValues(deleted.fields), version: deleted.version - 1 };
}

/** For those who change users; for everyone else as if there had never been anybody. @throws NotFoundError */
export async function showDeleted(request: Request, reply: FastifyReply, more: More = {}, status = 404) {
  const { reader: db } = request;
  const { id = userIdFrom(request), typed = {}, errors = {}, holders = {}, ...shown } = more;
  const deleted = await findSeenDeleted(request, id);
  const set = deleted && (await findChangeSet(db, deleted.set_id));
  const [row] = set ? await describeSets(db, [set], visibilityFor(request.actor)) : [];
  if (deleted === undefined || row === undefined) return showErased(request, reply, id);
  const isForm = Object.keys({ ...typed, ...errors }).length > 0;
  const values = isForm ? { ...valuesOf(deleted), ...typed } : undefined;
  const from = listBefore(request);
  return reply.render('users/deleted', { deleted, row, from, values, errors, holders, ...shown }, status);
}

/** For those who may know that there was somebody. @throws NotFoundError */
async function showErased({ reader, actor }: Request, reply: FastifyReply, id: number) {
  const erasure = actor && maySeeDeleted(actor) ? await findErasure(reader, id) : undefined;
  const set = erasure && (await findChangeSet(reader, erasure.set_id));
  const [row] = set ? await describeSets(reader, [set], visibilityFor(actor)) : [];
  if (erasure === undefined || row === undefined) throw new NotFoundError(`There is no user ${id}.`);
  return reply.render('erasure/erased', { id, row, state: showErasure(reply, erasure) }, 410);
}

/** Answers a form for somebody new. @returns undefined where they are not deleted any more @throws ForbiddenError */
export async function offerFormer(request: Request, reply: FastifyReply, restore: string, typed: Fields) {
  const id = plainNumber(restore);
  const deleted = id && (await findSeenDeleted(request, id));
  if (!deleted) return undefined;
  authorize(request.actor, (actor) => mayChange(actor, deleted));
  return showDeleted(request, reply, { id, typed, why: 'new' }, 200);
}

/** Answers a form that was sent too late: nothing that was typed is lost. @throws NotFoundError, ForbiddenError */
export async function offerToRestore(request: Request, reply: FastifyReply, sent: unknown) {
  const id = userIdFrom(request);
  // Who deleted them may just be about to be saved: this is saved after that.
  await transact(request.server.db, (trx) => lockUser(trx, id));
  const deleted = await findSeenDeleted(request, id);
  if (deleted === undefined) throw new NotFoundError(`There is no user ${id}. ${TYPED_IS_BACK}`);
  authorize(request.actor, (actor) => mayChange(actor, deleted));
  const { typed } = await readEdit(request.server.db, deleted, readEditForm(sent));
  return showDeleted(request, reply, { typed, why: 'meanwhile' }, 409);
}
