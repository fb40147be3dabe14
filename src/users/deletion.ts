/** Deleting a user: asked first, then done. */
import type { FastifyReply } from 'fastify';
import { refuseUnless } from '../sessions/access.ts';
import { act } from '../sessions/acting.ts';
import { mayChange } from '../sessions/policy.ts';
import { named } from '../text.ts';
import { listAddress, parseFrom } from './list.ts';
import { nearestPage } from './list-queries.ts';
import { deleteUser, getUser } from './queries.ts';
import { idOf, type Request } from './request.ts';

export async function askToDelete(request: Request, reply: FastifyReply) {
  const user = await getUser(request.server.db, idOf(request));
  refuseUnless(request.actor, (actor) => mayChange(actor, user));
  return reply.render('users/delete', { user, from: parseFrom(request.query) });
}

export async function remove(request: Request, reply: FastifyReply) {
  const id = idOf(request);
  const { db } = request.server;
  const before = await getUser(db, id);
  refuseUnless(request.actor, (actor) => mayChange(actor, before));
  const user = await act(request, async (trx, actor) => {
    const deleted = await deleteUser(trx, id);
    refuseUnless(actor, (someone) => mayChange(someone, deleted));
    return deleted;
  });
  if (user.role !== 'member') request.server.audit(request, 'deleted', user);
  // Whatever fails by now must not be told as if nothing had been deleted.
  const from = parseFrom(request.query);
  const list = await nearestPage(db, from).catch(() => from);
  return reply.seeOther(listAddress(list), `User ${named(user.username)} deleted!`);
}
