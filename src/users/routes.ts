/** The addresses of users, and the pages that only show something. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { User } from '../db/schema.ts';
import { NotFoundError, TooBroadError } from '../errors.ts';
import { isShort } from '../local-address.ts';
import { countPages, type Total } from '../pagination.ts';
import { piecesOf } from '../search/search.ts';
import { allow } from '../sessions/access.ts';
import { findCredentials } from '../sessions/credentials.ts';
import { isLastAdministrator } from '../sessions/last-administrator.ts';
import { mayEdit, mayManage, mayRead } from '../sessions/policy.ts';
import { MOST_FAILURES } from '../sessions/second-factor.ts';
import { named, quotable } from '../text.ts';
import type { Views } from '../views.ts';
import { askToDelete, remove } from './deletion.ts';
import { create, showEditForm, showNewForm, update } from './editing.ts';
import { type ListState, listAddress, parseFrom, parseList } from './list.ts';
import { nearestPage, readPage } from './list-queries.ts';
import { findMatches } from './matches.ts';
import { byStatus, findUserByUsername, getUser, readCounts } from './queries.ts';
import { idOf, type Request } from './request.ts';

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

async function showList(request: Request, reply: FastifyReply) {
  const { db } = request.server;
  const { list, notices, wrongPage } = parseList(request.query);
  // A form sends its empty fields too; the address of the list is short.
  const { q, role, created_after, created_before } = request.query;
  if ([q, role, created_after, created_before].includes('') && notices.length === 0) {
    const address = listAddress(list);
    if (isShort(address)) return reply.redirect(address, 302);
  }
  const known = await readCounts(db);
  const counts = byStatus(known, list.role);
  const isEmpty = known.every(({ count }) => count === 0);
  try {
    const matches = await findMatches(db, list, known);
    const found = await readPage(db, list, matches);
    if (found === undefined) return await showNoSuchPage(reply, list, matches.total, notices);
    const { pieces } = matches;
    return await reply.render('users/list', { ...found, counts, isEmpty, pieces, notices, wrongPage });
  } catch (error) {
    if (!(error instanceof TooBroadError)) throw error;
    return reply.render(
      'users/list',
      { list, page: undefined, counts, isEmpty, pieces: piecesOf(list.q ?? ''), notices },
      422,
    );
  }
}

async function showNoSuchPage(reply: FastifyReply, list: ListState, total: Total, notices: string[]) {
  const isBefore = list.page < 1;
  const nearest = isBefore || !total.isExact ? 1 : Math.max(1, countPages(total.count, list.perPage));
  const page = nearest.toLocaleString('en');
  const end = total.isExact ? `The list ends at page ${page}.` : 'The list ends before that page.';
  const sentence = isBefore ? 'The first page is page 1.' : end;
  const link = { href: listAddress(list, { page: nearest }), text: `Go to page ${page}` };
  return reply.render('error', { title: 'There is no such page', sentence, link, notices }, 404);
}

async function show(request: Request, reply: FastifyReply) {
  const user = await getUser(request.server.db, idOf(request));
  // The list may have become shorter since, by a change to this very user.
  const from = await nearestPage(request.server.db, parseFrom(request.query));
  return reply.render('users/show', { user, from, access: await accessOf(request, user) });
}

/** How someone signs in, for those who give access. */
async function accessOf(
  { server: { db }, actor }: Request,
  user: User,
): Promise<Views['users/show']['access']> {
  if (user.role === 'member' || !actor || !mayManage(actor)) return undefined;
  const credentials = await findCredentials(db, user.id);
  return {
    hasPassword: credentials !== undefined,
    isCodeSet: credentials?.code_secret != null,
    isCodeLocked: credentials?.code_secret != null && credentials.code_failures >= MOST_FAILURES,
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
    const user = await getUser(request.server.db, idOf(request));
    return reply.redirect(`/users/${user.id}/${page}`, 302);
  };
}
