/** Every form that a click answers, and a directory in which each can be sent. */
import type { FastifyInstance } from 'fastify';
import { setCode } from '../src/auth/credentials.ts';
import { sealSecret } from '../src/auth/second-factor-secrets.ts';
import type { User } from '../src/db/schema.ts';
import { transact } from '../src/db/transact.ts';
import { pageOf } from './page.ts';
import { addPerson, CODE_SECRET, codeAt, movableClock, PASSWORD, signedIn } from './people.ts';
import { addUser, get, post, SECRET_KEY, startApp } from './support.ts';

type House = {
  app: FastifyInstance;
  ann: User;
  eve: User;
  bob: User;
  headers: Record<string, string>;
};
type Sent = { url: string; fields?: Record<string, string>; headers?: Record<string, string> };

const NEW_PASSWORD = 'a bicycle in the library';
export const CHOSEN = { new_password: NEW_PASSWORD, new_password_again: NEW_PASSWORD };
export const ALICE = { username: 'alice', email: 'alice@example.org' };

/** By their routes; each is sent to a house of its own. */
export const FORMS: Readonly<Record<string, (house: House) => Sent | Promise<Sent>>> = {
  'POST /users': () => ({ url: '/users', fields: ALICE }),
  'POST /add_user': () => ({ url: '/add_user', fields: { ...ALICE, another: '1' } }),
  'POST /users/:id': ({ bob }) => ({ url: `/users/${bob.id}`, fields: { full_name: 'Bob', version: '1' } }),
  'POST /update_user/:id': ({ bob }) => ({ url: `/update_user/${bob.id}`, fields: { is_active: '0' } }),
  'POST /users/:id/delete': ({ bob }) => ({ url: `/users/${bob.id}/delete?from=%2Fusers%3Fpage%3D2` }),
  'POST /delete_user/:id': ({ bob }) => ({ url: `/delete_user/${bob.id}` }),
  'POST /users/:id/restore': async ({ app, bob, headers }) => {
    await post(app, `/users/${bob.id}/delete`, {}, headers);
    return { url: `/users/${bob.id}/restore` };
  },
  'POST /users/:id/erase': async ({ app, bob, headers }) => {
    await post(app, `/users/${bob.id}/delete`, {}, headers);
    return { url: `/users/${bob.id}/erase`, fields: { username: 'BOB' } };
  },
  'POST /history/:id/undo': async ({ app, bob, headers }) => {
    await post(app, `/users/${bob.id}`, { full_name: 'Bob' }, headers);
    return { url: `/history/${await lastSet(app)}/undo` };
  },
  'POST /bulk': async ({ app, bob, eve, headers }) => {
    const url = `/bulk?do=deactivate&tick.${bob.id}=on&tick.${eve.id}=on`;
    return { url, fields: { seen: pageOf(await get(app, url, headers)).field('seen') } };
  },
  'POST /made-up-people': async ({ app, bob, eve, headers }) => {
    for (const { id } of [bob, eve]) await post(app, `/users/${id}/delete`, {}, headers);
    return { url: '/made-up-people' };
  },
  'POST /made-up-people/delete': async ({ app, bob, eve, headers }) => {
    for (const { id } of [bob, eve]) await post(app, `/users/${id}/delete`, {}, headers);
    await post(app, '/made-up-people', {}, headers);
    return { url: '/made-up-people/delete' };
  },
  'POST /account/profile': () => ({
    url: '/account/profile',
    fields: { email: 'new@example.org', version: '1', password: PASSWORD },
  }),
  'POST /account/password': () => ({
    url: '/account/password',
    fields: { current_password: PASSWORD, ...CHOSEN },
  }),
  'POST /account/code/delete': async ({ app, ann }) => {
    const sealed = sealSecret(SECRET_KEY, ann.id, CODE_SECRET);
    await transact(app.db, (trx) => setCode(trx, ann.id, { sealed, step: 0, recoveryHashes: [] }));
    const fields = { password: PASSWORD, present_code: codeAt(app.clock()) };
    return { url: '/account/code/delete', fields };
  },
  'POST /account/sessions/delete': async ({ app, ann }) => {
    await signedIn(app, ann);
    return { url: '/account/sessions/delete' };
  },
  'POST /account/sessions/:session/delete': async ({ app, ann }) => ({
    url: `/account/sessions/${await sessionOf(app, ann)}/delete`,
  }),
  'POST /users/:id/sessions/delete': async ({ app, eve }) => {
    await signedIn(app, eve);
    return { url: `/users/${eve.id}/sessions/delete` };
  },
  'POST /users/:id/sessions/:session/delete': async ({ app, eve }) => ({
    url: `/users/${eve.id}/sessions/${await sessionOf(app, eve)}/delete`,
  }),
  'POST /invite': () => ({ url: '/invite', fields: { email: 'zed@example.org', role: 'viewer' } }),
  'POST /users/:id/invite': ({ bob }) => ({ url: `/users/${bob.id}/invite`, fields: { role: 'editor' } }),
  'POST /users/:id/invitation': ({ eve }) => ({ url: `/users/${eve.id}/invitation` }),
  'POST /users/:id/invitation/delete': async ({ app, eve, headers }) => {
    await post(app, `/users/${eve.id}/invitation`, {}, headers);
    return { url: `/users/${eve.id}/invitation/delete` };
  },
  'POST /users/:id/code/delete': ({ eve }) => ({ url: `/users/${eve.id}/code/delete` }),
  'POST /invitations/:token': async ({ app, eve, headers }) => {
    const made = await post(app, `/users/${eve.id}/invitation`, {}, headers);
    const page = pageOf(await get(app, String(made.headers.location), headers));
    return { url: new URL(page.secret).pathname, fields: CHOSEN, headers: {} };
  },
  'POST /roles': () => ({ url: '/roles', fields: { before: '', viewer: '1' } }),
};

async function sessionOf(app: FastifyInstance, { id }: User): Promise<number> {
  await signedIn(app, await userOf(app, id));
  const theirs = app.db.selectFrom('sessions').select('id').where('user_id', '=', id).orderBy('id', 'desc');
  return (await theirs.executeTakeFirstOrThrow()).id;
}

async function userOf(app: FastifyInstance, id: number): Promise<User> {
  return app.db.selectFrom('users').selectAll().where('id', '=', id).executeTakeFirstOrThrow();
}

export async function startHouse(): Promise<House & { clock: ReturnType<typeof movableClock> }> {
  const clock = movableClock();
  const app = await startApp({}, undefined, clock);
  const at = clock();
  const ann = await addPerson(app.db, 'ann', 'admin', { at });
  const eve = await addPerson(app.db, 'eve', 'viewer', { at, hasCode: true });
  const bob = await addUser(app.db, { username: 'bob' }, at);
  return { app, ann, eve, bob, headers: await signedIn(app, ann), clock };
}

export async function lastSet({ db }: FastifyInstance): Promise<number> {
  const last = db.selectFrom('change_sets').select('id').orderBy('id', 'desc').limit(1);
  return (await last.executeTakeFirst())?.id ?? 0;
}
