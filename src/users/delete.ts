/** Deleting a user: asked first, then done. */

import type { FastifyReply } from 'fastify';
import { authorize } from '../auth/actor.ts';
import { done } from '../auth/kept-answers.ts';
import { mayChange } from '../auth/policy.ts';
import { runCommand } from '../auth/run-command.ts';
import { named } from '../lib/text.ts';
import { deleteUser } from './commands.ts';
import { listAddress } from './list/address.ts';
import { nearestPage } from './list/page.ts';
import { getUser } from './queries.ts';
import { listBefore, type Request, userIdFrom } from './request.ts';
import { accessOf } from './show.ts';

export async function askToDelete(request: Request, reply: FastifyReply) {
  const user = await getUser(request.server.db, userIdFrom(request));
  authorize(request.actor, (actor) => mayChange(actor, user));
  const access = await accessOf(request, user);
  return reply.render('users/delete', { user, from: listBefore(request), access });
}

export async function remove(request: Request, reply: FastifyReply) {
  const id = userIdFrom(request);
  const { db, clock } = request.server;
  const from = listBefore(request);
  const list = await nearestPage(db, from, { without: 1 }).catch(() => from);
  const answer = await runCommand(request, async (trx, actor) => {
    const { user, set } = await deleteUser(trx, actor, id, clock());
    return done(listAddress(list), `User ${named(user.username)} deleted!`, set);
  });
  return reply.answer(answer);
}
