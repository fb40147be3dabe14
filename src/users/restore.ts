/** Those who were deleted: what they were, and bringing them back. */
import type { FastifyReply } from 'fastify';
import { done, nothingDone } from '../auth/kept-answers.ts';
import { maySeeDeleted } from '../auth/policy.ts';
import { runCommand } from '../auth/run-command.ts';
import { NotFoundError, NotUniqueError } from '../errors.ts';
import { describeSets, sightOf } from '../history/described.ts';
import { unpackValues } from '../history/fields.ts';
import { findChangeSet, findDeleted } from '../history/queries.ts';
import { named } from '../lib/text.ts';
import { restoreUser } from './commands.ts';
import { addHolders, type Problems } from './form.ts';
import { type Request, userAddress, userIdFrom } from './request.ts';

/** For those who change users; for everyone else as if there had never been anybody. @throws NotFoundError */
export async function showDeleted(
  request: Request,
  reply: FastifyReply,
  { errors = {}, status = 404 }: { errors?: Problems; status?: number } = {},
) {
  const { db } = request.server;
  const id = userIdFrom(request);
  const deleted = request.actor && maySeeDeleted(request.actor) ? await findDeleted(db, id) : undefined;
  const set = deleted && (await findChangeSet(db, deleted.set_id));
  const [row] = set ? await describeSets(db, [set], sightOf(request.actor)) : [];
  if (deleted === undefined || row === undefined) throw new NotFoundError(`There is no user ${id}.`);
  const shown = { id, values: unpackValues(deleted.fields) };
  return reply.render('users/deleted', { deleted: shown, row, errors }, status);
}

export async function restore(request: Request, reply: FastifyReply) {
  const id = userIdFrom(request);
  const { db, clock } = request.server;
  try {
    const answer = await runCommand(request, async (trx, actor) => {
      const restored = await restoreUser(trx, actor, id, clock());
      const [to, whom] = [userAddress(id, request), `User ${named(restored.user.username)}`];
      return restored.kind === 'restored'
        ? done(to, `${whom} is back!`, restored.set)
        : nothingDone(to, `${whom} was there already!`);
    });
    return reply.answer(answer);
  } catch (error) {
    const deleted = error instanceof NotUniqueError ? await findDeleted(db, id) : undefined;
    if (deleted === undefined) throw error;
    const { username, email } = unpackValues(deleted.fields);
    const { errors } = await addHolders(db, { username, email }, {});
    return showDeleted(request, reply, { errors, status: 422 });
  }
}
