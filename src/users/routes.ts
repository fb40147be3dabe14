/** The pages of users: what each address answers. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { BadSubmissionError, NotFoundError, NotUniqueError } from '../errors.ts';
import { type Fields, parseForm, readFields } from '../forms.ts';
import { countPages, Page } from '../pagination.ts';
import { newUserSchema, USER_FIELDS, type UserChanges, userChangesSchema } from './form.ts';
import { fromParameter, type ListState, listAddress, parseFrom, parseList, type Query } from './list.ts';
import {
  countByStatus,
  countUsers,
  deleteUser,
  findHolders,
  findUserByUsername,
  getUser,
  insertUser,
  listUsers,
  type User,
  updateUser,
} from './queries.ts';

type Request = FastifyRequest<{ Params: { id: string }; Querystring: Query }>;

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

async function showNewForm(request: Request, reply: FastifyReply) {
  const from = parseFrom(request.query);
  const values = { is_active: '1' };
  return reply.render('users/form', {
    user: undefined,
    from,
    values,
    errors: {},
    holders: {},
    isConflict: false,
  });
}

async function create(request: Request, reply: FastifyReply) {
  const { db } = request.server;
  const fields = readFields(request.body, USER_FIELDS);
  const form = parseForm(newUserSchema, fields);
  if (!form.ok) return refuse(request, reply, undefined, fields, form.errors);
  try {
    const user = await db.transaction().execute((trx) => insertUser(trx, form.value, Date.now()));
    return reply.seeOther(userAddress(user.id, request), `User ${user.username} created!`);
  } catch (error) {
    return refuse(request, reply, undefined, fields, ifTaken(error));
  }
}

async function showEditForm(request: Request, reply: FastifyReply) {
  const user = await getUser(request.server.db, idOf(request));
  const from = parseFrom(request.query);
  return reply.render('users/form', {
    user,
    from,
    values: valuesOf(user),
    errors: {},
    holders: {},
    isConflict: false,
  });
}

async function update(request: Request, reply: FastifyReply) {
  const { db } = request.server;
  const before = await getUser(db, idOf(request));
  const { version, ...fields } = readFields(request.body, [...USER_FIELDS, 'version']);
  const filledFrom = versionOf(version);
  const form = parseForm(userChangesSchema, fields);
  const values = { ...valuesOf(before), ...fields, version: version ?? String(before.version) };
  if (!form.ok) return refuse(request, reply, before, values, form.errors);
  try {
    const { isWritten, user } = await db
      .transaction()
      .execute((trx) => updateUser(trx, before.id, form.value, filledFrom, Date.now()));
    if (!isWritten) return showConflict(request, reply, user, form.value);
    return reply.seeOther(userAddress(user.id, request), `User ${user.username} updated!`);
  } catch (error) {
    return refuse(request, reply, before, values, ifTaken(error));
  }
}

async function showConflict(request: Request, reply: FastifyReply, user: User, typed: UserChanges) {
  const from = parseFrom(request.query);
  const values = { ...valuesOf({ ...user, ...typed } as User), version: String(user.version) };
  return reply.render('users/form', { user, from, values, errors: {}, holders: {}, isConflict: true }, 409);
}

/** Answers 422: the form with what was typed, what is wrong with it, and who has what was asked for. */
async function refuse(
  request: Request,
  reply: FastifyReply,
  user: User | undefined,
  values: Fields,
  problems: Readonly<Record<string, string>>,
) {
  const holders = await findHolders(request.server.db, values, user?.id);
  const taken = Object.entries(holders).map(([name, { username }]) => [
    name,
    `That ${name} already belongs to ${username}.`,
  ]);
  const errors = { ...Object.fromEntries(taken), ...problems };
  // Whoever had it has let go of it since.
  if (Object.keys(errors).length === 0) errors.username = 'That was taken until a moment ago: send it again.';
  const from = parseFrom(request.query);
  return reply.render('users/form', { user, from, values, errors, holders, isConflict: false }, 422);
}

/** Passes a refusal of the unique constraints on to the form, which finds out what is taken; throws anything else. */
function ifTaken(error: unknown): Record<string, string> {
  if (error instanceof NotUniqueError) return {};
  throw error;
}

async function askToDelete(request: Request, reply: FastifyReply) {
  const user = await getUser(request.server.db, idOf(request));
  return reply.render('users/delete', { user, from: parseFrom(request.query) });
}

async function remove(request: Request, reply: FastifyReply) {
  const { db } = request.server;
  const id = idOf(request);
  readFields(request.body, []);
  const user = await db.transaction().execute((trx) => deleteUser(trx, id));
  const from = parseFrom(request.query);
  const pages = countPages(await countUsers(db, from), from.perPage);
  const page = Math.max(1, Math.min(from.page, pages));
  return reply.seeOther(listAddress(from, { page }), `User ${user.username} deleted!`);
}

function leadTo(page: 'edit' | 'delete') {
  return async (request: Request, reply: FastifyReply) => {
    const user = await getUser(request.server.db, idOf(request));
    return reply.redirect(`/users/${user.id}/${page}`, 302);
  };
}

/** @throws NotFoundError for what is no id: a whole number from 1 that JavaScript can count to, in plain digits. */
function idOf(request: Request): number {
  const { id } = request.params;
  if (!/^[1-9]\d{0,15}$/.test(id) || !Number.isSafeInteger(Number(id))) {
    throw new NotFoundError(`There is no user ${shorten(id)}.`);
  }
  return Number(id);
}

function versionOf(version: string | undefined): number | undefined {
  if (version === undefined) return undefined;
  if (!/^[1-9]\d{0,14}$/.test(version)) throw new BadSubmissionError('The version is no whole number.');
  return Number(version);
}

function userAddress(id: number, request: Request): string {
  return `/users/${id}${fromParameter(parseFrom(request.query))}`;
}

/** What the form's fields show for a user. */
function valuesOf(user: User): Fields {
  const { username, email, full_name, is_active, version } = user;
  return {
    username,
    email,
    full_name: full_name ?? '',
    is_active: is_active ? '1' : '0',
    version: String(version),
  };
}

function shorten(text: string): string {
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}
