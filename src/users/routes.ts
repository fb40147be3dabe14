/** The addresses of users, and the pages that only show something. */

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { allow } from '../auth/access.ts';
import { mayEdit, mayRead } from '../auth/policy.ts';
import { NotFoundError } from '../errors.ts';
import { named, quotable } from '../lib/text.ts';
import { askToDelete, remove } from './delete.ts';
import { create, showEditForm, showNewForm, update } from './edit.ts';
import { showList } from './list/route.ts';
import { findUserByUsername, getUser } from './queries.ts';
import { type Request, userIdFrom } from './request.ts';
import { restore } from './restore.ts';
import { show } from './show.ts';

export function userRoutes(app: FastifyInstance): void {
  const creating = allow(mayEdit, { form: '/users/new', isDraftKept: true });
  const updating = allow(mayEdit, { form: '/users/:id/edit', isDraftKept: true });
  const deleting = allow(mayEdit, { form: '/users/:id/delete' });
  const restoring = allow(mayEdit, { form: '/users/:id', isDraftKept: true, draftForm: '/users/:id/edit' });

  app.get('/users', allow(mayRead), showList);
  app.get('/users/new', allow(mayEdit), showNewForm);
  app.post('/users', creating, create);
  app.get('/users/:id', allow(mayRead), show);
  app.get('/users/:id/edit', allow(mayEdit), showEditForm);
  app.post('/users/:id', updating, update);
  app.get('/users/:id/delete', allow(mayEdit), askToDelete);
  app.post('/users/:id/delete', deleting, remove);
  app.post('/users/:id/restore', restoring, restore);
  app.get('/users/by-username/:username', allow(mayRead), showByUsername);

  // The addresses of the first specification.
  app.post('/add_user', creating, create);
  app.post('/update_user/:id', updating, update);
  app.post('/delete_user/:id', deleting, remove);
  app.get('/add_user', allow(mayEdit), async (_request, reply) => reply.redirect('/users/new', 302));
  app.get('/update_user/:id', allow(mayEdit), leadTo('edit'));
  app.get('/delete_user/:id', allow(mayEdit), leadTo('delete'));
}

async function showByUsername(
  request: FastifyRequest<{ Params: { username: string } }>,
  reply: FastifyReply,
) {
  const { username } = request.params;
  const user = await findUserByUsername(request.reader, username);
  if (user === undefined) throw new NotFoundError(`There is no user called ${named(quotable(username))}.`);
  return reply.redirect(`/users/${user.id}`, 302);
}

function leadTo(page: 'edit' | 'delete') {
  return async (request: Request, reply: FastifyReply) => {
    const user = await getUser(request.reader, userIdFrom(request));
    return reply.redirect(`/users/${user.id}/${page}`, 302);
  };
}
