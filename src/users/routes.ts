/** The addresses of users, and the pages that only show something. */

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { allow } from '../auth/access.ts';
import { isLastAdministrator } from '../auth/administrators.ts';
import { findCredentials } from '../auth/credentials.ts';
import { mayEdit, mayManage, mayRead } from '../auth/policy.ts';
import { MOST_FAILURES } from '../auth/second-factor.ts';
import type { User } from '../db/schema.ts';
import { NotFoundError } from '../errors.ts';
import type { Views } from '../http/views.ts';
import { named, quotable } from '../lib/text.ts';
import { askToDelete, remove } from './delete.ts';
import { create, showEditForm, showNewForm, update } from './edit.ts';
import { parseFrom } from './list/address.ts';
import { nearestPage } from './list/page.ts';
import { showList } from './list/route.ts';
import { findUserByUsername, getUser } from './queries.ts';
import { type Request, userIdFrom } from './request.ts';

export function userRoutes(app: FastifyInstance): void {
  const creating = allow(mayEdit, { form: '/users/new', isDraftKept: true });
  const updating = allow(mayEdit, { form: '/users/:id/edit', isDraftKept: true });
  const deleting = allow(mayEdit, { form: '/users/:id/delete' });

  app.get('/users', allow(mayRead), showList);
  app.get('/users/new', allow(mayEdit), showNewForm);
  app.post('/users', creating, create);
  app.get('/users/:id', allow(mayRead), show);
  app.get('/users/:id/edit', allow(mayEdit), showEditForm);
  app.post('/users/:id', updating, update);
  app.get('/users/:id/delete', allow(mayEdit), askToDelete);
  app.post('/users/:id/delete', deleting, remove);
  app.get('/users/by-username/:username', allow(mayRead), showByUsername);

  // The addresses of the first specification.
  app.post('/add_user', creating, create);
  app.post('/update_user/:id', updating, update);
  app.post('/delete_user/:id', deleting, remove);
  app.get('/add_user', allow(mayEdit), async (_request, reply) => reply.redirect('/users/new', 302));
  app.get('/update_user/:id', allow(mayEdit), leadTo('edit'));
  app.get('/delete_user/:id', allow(mayEdit), leadTo('delete'));
}

async function show(request: Request, reply: FastifyReply) {
  const user = await getUser(request.server.db, userIdFrom(request));
  const from = await nearestPage(request.server.db, parseFrom(request.query));
  return reply.render('users/show', { user, from, access: await accessOf(request, user) });
}

async function accessOf(
  { server: { db }, actor }: Request,
  user: User,
): Promise<Views['users/show']['access']> {
  if (user.role === 'member' || !actor || !mayManage(actor)) return undefined;
  const credentials = await findCredentials(db, user.id);
  return {
    hasPassword: credentials !== undefined,
    hasSecondFactor: credentials?.code_secret != null,
    isSecondFactorLocked: credentials?.code_secret != null && credentials.code_failures >= MOST_FAILURES,
    isLastAdministrator: await isLastAdministrator(db, user.id),
  };
}

async function showByUsername(
  request: FastifyRequest<{ Params: { username: string } }>,
  reply: FastifyReply,
) {
  const { username } = request.params;
  const user = await findUserByUsername(request.server.db, username);
  if (user === undefined) throw new NotFoundError(`There is no user called ${named(quotable(username))}.`);
  return reply.redirect(`/users/${user.id}`, 302);
}

function leadTo(page: 'edit' | 'delete') {
  return async (request: Request, reply: FastifyReply) => {
    const user = await getUser(request.server.db, userIdFrom(request));
    return reply.redirect(`/users/${user.id}/${page}`, 302);
  };
}
