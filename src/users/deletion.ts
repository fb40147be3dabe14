/** Deleting a user: asked first, then done. */
import type { FastifyReply } from 'fastify';
import { act } from '../sessions/acting.ts';
import { authorize } from '../sessions/actor.ts';
import { mayChange } from '../sessions/policy.ts';
import { deleteUser } from './commands.ts';
import { listAddress, parseFrom } from './list/address.ts';
import { nearestPage } from './list/page.ts';
import { getUser } from './queries.ts';
import { idOf, type Request } from './request.ts';

export async function askToDelete(request: Request, reply: FastifyReply) {
  const user = await getUser(request.server.db, idOf(request));
  authorize(request.actor, (actor) => mayChange(actor, user));
  return reply.render('users/delete', { user, from: parseFrom(request.query) });
}

export async function remove(request: Request, reply: FastifyReply) {
  const id = idOf(request);
  const { db } = request.server;
  const { user } = await act(request, (trx, actor) => deleteUser(trx, actor, id));
  // Whatever fails by now must not be told as if nothing had been deleted.
  const from = parseFrom(request.query);
  const list = await nearestPage(db, from).catch(() => from);
  return reply.seeOther(listAddress(list), `User ${user.username} deleted!`);
}
