/** Bringing back someone who was deleted, as they were or with changes. */
import type { FastifyReply } from 'fastify';
import { authorize } from '../auth/actor.ts';
import { findKeptAnswer } from '../auth/idempotency.ts';
import { done } from '../auth/idempotency-store.ts';
import { mayChange } from '../auth/policy.ts';
import { runCommand } from '../auth/run-command.ts';
import { NotUniqueError } from '../errors.ts';
import { named } from '../lib/text.ts';
import { restoreUser } from './commands.ts';
import { findSeenDeleted, showDeleted } from './deleted.ts';
import { update } from './edit.ts';
import { addHolders, readEdit, readEditForm, valuesOf } from './form.ts';
import { getUser } from './queries.ts';
import { type Request, userAddress, userIdFrom } from './request.ts';

export async function restore(request: Request, reply: FastifyReply) {
  const id = userIdFrom(request);
  const { db, clock } = request.server;
  const deleted = await findSeenDeleted(request, id);
  if (deleted === undefined) return answerThereAlready(request, reply);
  authorize(request.actor, (actor) => mayChange(actor, deleted));
  const { version, typed, form } = await readEdit(db, deleted, readEditForm(request.body));
  if (!form.ok) return showDeleted(request, reply, { typed, errors: form.errors }, 422);
  try {
    const options = { changes: form.value, shownVersion: version };
    const outcome = await runCommand(request, async (trx, actor) => {
      const restored = await restoreUser(trx, actor, id, clock(), options);
      if (restored.kind !== 'restored') return restored;
      const sentence = `User ${named(restored.user.username)} is back!`;
      return done(userAddress(id, request), sentence, restored.set);
    });
    if (outcome.kind === 'deleted again') return showDeleted(request, reply, { typed, why: 'again' }, 409);
    if (outcome.kind === 'there already') return answerThereAlready(request, reply);
    return reply.answer(outcome);
  } catch (error) {
    if (!(error instanceof NotUniqueError)) throw error;
    const { username = '', email = '' } = { ...valuesOf(deleted), ...typed };
    const taken = await addHolders(db, { username, email }, {});
    return showDeleted(request, reply, { typed, ...taken }, 422);
  }
}

/** Somebody else was first: what was typed is a change like any other by then. */
async function answerThereAlready(request: Request, reply: FastifyReply) {
  const kept = await findKeptAnswer(request);
  if (kept) return reply.answer(kept);
  const { version: _, ...fields } = readEditForm(request.body);
  if (Object.keys(fields).length > 0) return update(request, reply);
  const { id, username } = await getUser(request.server.db, userIdFrom(request));
  return reply.seeOther(userAddress(id, request), `User ${named(username)} was there already!`);
}
