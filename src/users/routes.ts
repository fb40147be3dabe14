/** The addresses of users, and the pages that only show something. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { NotFoundError } from '../errors.ts';
import { countPages, Page } from '../pagination.ts';
import { shorten } from '../text.ts';
import { askToDelete, remove } from './deletion.ts';
import { create, showEditForm, showNewForm, update } from './editing.ts';
import { type ListState, listAddress, parseFrom, parseList } from './list.ts';
import { countUsers, listUsers } from './list-queries.ts';
import { countByStatus, findUserByUsername, getUser } from './queries.ts';
import { idOf, type Request } from './request.ts';

export function userRoutes(app: FastifyInstance): void {
  app.get('/users', showList);
  app.get('/users/new', showNewForm);
  app.post('/users', create);
  app.get('/users/:id', show);
  app.get('/users/:id/edit', showEditForm);
  app.post('/users/:id', update);
  app.get('/users/:id/delete', askToDelete);
  app.post('/users/:id/delete', remove);
  app.get('/users/by-username/:username', showByUsername);

  // The addresses of the first specification.
  app.post('/add_user', create);
  app.post('/update_user/:id', update);
  app.post('/delete_user/:id', remove);
  app.get('/add_user', async (_request, reply) => reply.redirect('/users/new', 302));
  app.get('/update_user/:id', leadTo('edit'));
  app.get('/delete_user/:id', leadTo('delete'));
}

async function showList(request: Request, reply: FastifyReply) {
  const { db } = request.server;
  const { list, notices } = parseList(request.query);
  const [counts, total] = await Promise.all([countByStatus(db), countUsers(db, list)]);
  const pages = countPages(total, list.perPage);
  if (list.page < 1 || list.page > Math.max(1, pages)) return showNoSuchPage(reply, list, pages);
  const offset = (list.page - 1) * list.perPage;
  const users = await listUsers(db, list, list.sort, { offset, limit: list.perPage, total });
  const page = new Page(users, list.page, list.perPage, total);
  return reply.render('users/list', { list, page, counts, notices });
}

async function showNoSuchPage(reply: FastifyReply, list: ListState, pages: number) {
  const last = Math.max(1, pages);
  const sentence = `The list ends at page ${last}.`;
  const link = { href: listAddress(list, { page: last }), text: `Go to page ${last}` };
  return reply.render('error', { title: 'There is no such page', sentence, link }, 404);
}

async function show(request: Request, reply: FastifyReply) {
  const user = await getUser(request.server.db, idOf(request));
  return reply.render('users/show', { user, from: parseFrom(request.query) });
}

async function showByUsername(
  request: FastifyRequest<{ Params: { username: string } }>,
  reply: FastifyReply,
) {
  const { username } = request.params;
  const user = await findUserByUsername(request.server.db, username);
  if (user === undefined) throw new NotFoundError(`There is no user called ${shorten(username)}.`);
  return reply.redirect(`/users/${user.id}`, 302);
}

function leadTo(page: 'edit' | 'delete') {
  return async (request: Request, reply: FastifyReply) => {
    const user = await getUser(request.server.db, idOf(request));
    return reply.redirect(`/users/${user.id}/${page}`, 302);
  };
}
