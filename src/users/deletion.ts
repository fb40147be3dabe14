/** Deleting a user: asked first, then done. */
import type { FastifyReply } from 'fastify';
import { readFields } from '../forms.ts';
import { countPages } from '../pagination.ts';
import { listAddress, parseFrom } from './list.ts';
import { countUsers } from './list-queries.ts';
import { deleteUser, getUser } from './queries.ts';
import { idOf, type Request } from './request.ts';

export async function askToDelete(request: Request, reply: FastifyReply) {
  const user = await getUser(request.server.db, idOf(request));
  return reply.render('users/delete', { user, from: parseFrom(request.query) });
}

export async function remove(request: Request, reply: FastifyReply) {
  const { db } = request.server;
  const id = idOf(request);
  readFields(request.body, []);
  const user = await db.transaction().execute((trx) => deleteUser(trx, id));
  const from = parseFrom(request.query);
  const pages = countPages(await countUsers(db, from), from.perPage);
  const page = Math.max(1, Math.min(from.page, pages));
  return reply.seeOther(listAddress(from, { page }), `User ${user.username} deleted!`);
}
