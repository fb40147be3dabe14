/** The baseline as most people would write it: Express, EJS and knex; it counts and skips on every page. */
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import express, { type NextFunction, type Request, type Response } from 'express';
import knex from 'knex';
import { hashOf } from '../../../src/auth/tokens.ts';
import type { User } from '../../../src/db/schema.ts';
import { textKey } from '../../../src/lib/text.ts';

const PER_PAGE = 10;
const COOKIE = /(?:^|; )roster_session_\w+=([^;]+)/;
const dates = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeZone: 'UTC' });

const [path = ''] = process.argv.slice(2);
const db = knex.knex({
  client: 'better-sqlite3',
  connection: { filename: path },
  useNullAsDefault: true,
  pool: {
    afterCreate(connection: { pragma(setting: string): void }, done: (error: unknown, made: object) => void) {
      connection.pragma('synchronous = FULL');
      done(null, connection);
    },
  },
});

const app = express()
  .enable('view cache')
  .disable('x-powered-by')
  .set('view engine', 'ejs')
  .set('views', join(import.meta.dirname, 'views'))
  .use(express.urlencoded({ extended: false }))
  .use(authenticate)
  .get('/users', showList)
  .get('/users/:id', showUser)
  .post('/users', create);
app.locals.date = (at: number) => dates.format(at);

async function authenticate(request: Request, response: Response, next: NextFunction) {
  const token = COOKIE.exec(request.headers.cookie ?? '')?.[1] ?? '';
  const viewer = await db('sessions')
    .join('users', 'users.id', 'sessions.user_id')
    .where('sessions.token_hash', hashOf(token))
    .first('users.id', 'users.username', 'users.role');
  response.locals.viewer = viewer;
  if (viewer === undefined) response.sendStatus(401);
  else next();
}

async function showList(request: Request, response: Response) {
  const page = Number(request.query.page ?? 1);
  const counted = await db('users').count({ total: '*' }).first();
  const total = Number(counted?.total);
  const users = await db<User>('users')
    .select('id', 'username', 'email', 'full_name', 'role', 'is_active', 'created_at')
    .orderBy('id')
    .limit(PER_PAGE)
    .offset((page - 1) * PER_PAGE);
  response.render('list', { users, total, page, pages: Math.ceil(total / PER_PAGE) });
}

async function showUser(request: Request<{ id: string }>, response: Response) {
  const user = await db<User>('users').where('id', Number(request.params.id)).first();
  if (user === undefined) response.sendStatus(404);
  else response.render('show', { user });
}

async function create({ body }: Request, response: Response) {
  const { username, email, full_name, is_active } = body;
  const now = Date.now();
  const [id] = await db('users').insert({
    username,
    username_key: textKey(username),
    email,
    email_key: textKey(email),
    full_name: full_name || null,
    is_active: Number(is_active === '1'),
    created_at: now,
    updated_at: now,
  });
  response.redirect(303, `/users/${id}`);
}

const server = app.listen(0, '127.0.0.1', () => {
  console.log(`The Express server is at http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});
process.once('SIGTERM', () => process.exit());
