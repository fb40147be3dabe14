/** Deleting a user: asked first, then done. */

import type { FastifyReply } from 'fastify';
import { authorize } from '../auth/actor.ts';
import { done } from '../auth/idempotency-store.ts';
import { mayChange } from '../auth/policy.ts';
import { runCommand } from '../auth/run-command.ts';
import type { User } from '../db/schema.ts';
import { NotFoundError } from '../errors.ts';
import { readFields } from '../lib/forms.ts';
import { named } from '../lib/text.ts';
import { deleteUser } from './commands.ts';
import { type Difference, describeSince } from './concurrent-changes.ts';
import { showDeleted } from './deleted.ts';
import { parseVersion } from './form.ts';
import { listAddress } from './list/address.ts';
import { nearestPage } from './list/page.ts';
import { findUser } from './queries.ts';
import { listBefore, type Request, seenListBefore, userIdFrom } from './request.ts';
import { accessOf } from './show.ts';

export async function askToDelete(request: Request, reply: FastifyReply) {
  const user = await findUser(request.reader, userIdFrom(request));
  if (user === undefined) return showDeleted(request, reply);
  authorize(request.actor, (actor) => mayChange(actor, user));
  return ask(request, reply, user);
}

async function ask(request: Request, reply: FastifyReply, user: User, changed?: Difference[]) {
  const access = await accessOf(request, user);
  const shown = { user, from: listBefore(request), access, changed };
  return reply.render('users/delete', shown, changed ? 409 : 200);
}

export async function remove(request: Request, reply: FastifyReply) {
  try {
    return await removeNow(request, reply);
  } catch (error) {
    if (!(error instanceof NotFoundError)) throw error;
    return showDeleted(request, reply);
  }
}

async function removeNow(request: Request, reply: FastifyReply) {
  const id = userIdFrom(request);
  const { db, clock } = request.server;
  const from = await seenListBefore(request);
  const list = await nearestPage(db, from, { without: 1 }).catch(() => from);
  const version = parseVersion(readFields(request.body, ['version']).version);
  const outcome = await runCommand(request, async (trx, actor) => {
    const deleted = await deleteUser(trx, actor, id, clock(), version);
    if (deleted.kind === 'changed since') return deleted;
    return done(listAddress(list), `User ${named(deleted.user.username)} deleted!`, deleted.set);
  });
  if (outcome.kind !== 'changed since') return reply.answer(outcome);
  const changed = await describeSince(db, request.actor, outcome.user, outcome.since);
  return ask(request, reply, outcome.user, changed);
}
