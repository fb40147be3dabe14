/** Deleting a user: asked first, then done. */
import type { FastifyReply } from 'fastify';
import { transact } from '../db/transact.ts';
import { readFields } from '../forms.ts';
import { listAddress, parseFrom } from './list.ts';
import { nearestPage } from './list-queries.ts';
import { deleteUser, getUser } from './queries.ts';
import { idOf, type Request } from './request.ts';

export async function askToDelete(request: Request, reply: FastifyReply) {
  const user = await getUser(request.server.db, idOf(request));
  return reply.render('users/delete', { user, from: parseFrom(request.query) });
}

export async function remove(request: Request, reply: FastifyReply) {
  const id = idOf(request);
  const { user, list } = await transact(request.server.db, async (trx) => {
    const deleted = await deleteUser(trx, id);
    readFields(request.body, []);
    // Asked before the commit: whatever fails after it would be told as if nothing had been deleted.
    return { user: deleted, list: await nearestPage(trx, parseFrom(request.query)) };
  });
  return reply.seeOther(listAddress(list), `User ${user.username} deleted!`);
}
