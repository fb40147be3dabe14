/** Who may ask for what. */

import type { FastifyInstance } from 'fastify';
import { describe, expect, test } from 'vitest';
import { commandLine } from '../../src/auth/actor.ts';
import { endAllSessions, touchSession } from '../../src/auth/sessions.ts';
import { transact } from '../../src/db/transact.ts';
import { named } from '../../src/lib/text.ts';
import { requireCode } from '../../src/roles/queries.ts';
import { changeUser, deleteUser } from '../../src/users/commands.ts';
import { breakUpdates } from '../engines.ts';
import { pageOf } from '../page.ts';
import { addPerson, type Headers, HOUR, movableClock, signedIn, signIn } from '../people.ts';
import { addUser, get, post, startApp } from '../support.ts';

const ASKERS = ['visitor', 'viewer', 'editor', 'admin'] as const;

/**
 * What everyone is answered who asks for a route, as `ASKERS`: a status. The users there are have the numbers 1 to 3 with
 * the roles viewer, editor and admin; number 4 is a member. A visitor who asks for a page is sent to sign in (303), one who
 * sends a form is shown where to (401).
 */
const TABLE: Readonly<Record<string, [visitor: number, viewer: number, editor: number, admin: number]>> = {
  'GET /': [303, 302, 302, 302],
  'GET /users': [303, 200, 200, 200],
  'GET /users/new': [303, 403, 200, 200],
  'POST /users': [401, 403, 422, 422],
  'GET /users/4': [303, 200, 200, 200],
  'GET /users/4/edit': [303, 403, 200, 200],
  'POST /users/4': [401, 403, 303, 303],
  'GET /users/4/delete': [303, 403, 200, 200],
  'POST /users/4/delete': [401, 403, 303, 303],
  'POST /users/4/restore': [401, 403, 303, 303],
  'GET /export': [303, 200, 200, 200],
  'GET /export/file': [303, 302, 302, 302],
  'GET /import': [303, 403, 200, 200],
  'POST /import': [401, 403, 422, 422],
  'GET /import/template': [303, 403, 200, 200],
  'GET /imports/4': [303, 403, 404, 404],
  'POST /imports/4': [401, 403, 404, 404],
  'POST /imports/4/apply': [401, 403, 404, 404],
  'POST /imports/4/discard': [401, 403, 404, 404],
  'GET /imports/4/refused': [303, 403, 404, 404],
  'GET /imports/4/refused-rows': [303, 403, 404, 404],
  'GET /bulk': [303, 403, 303, 303],
  'POST /bulk': [401, 403, 404, 404],
  'GET /history': [303, 200, 200, 200],
  'GET /history/1': [303, 200, 200, 200],
  'GET /history/1/undo': [303, 403, 200, 200],
  'POST /history/1/undo': [401, 403, 409, 409],
  'POST /history/1/go-on': [401, 403, 404, 404],
  'GET /users/by-username/member': [303, 302, 302, 302],
  'POST /add_user': [401, 403, 422, 422],
  'POST /update_user/4': [401, 403, 303, 303],
  'POST /delete_user/4': [401, 403, 303, 303],
  'GET /add_user': [303, 403, 302, 302],
  'GET /update_user/4': [303, 403, 302, 302],
  'GET /delete_user/4': [303, 403, 302, 302],
  'GET /sign-in': [200, 303, 303, 303],
  'POST /sign-in': [422, 422, 422, 422],
  'GET /sign-out': [303, 200, 200, 200],
  'POST /sign-out': [303, 303, 303, 303],
  'POST /drafts/delete': [401, 303, 303, 303],
  'GET /account': [303, 200, 200, 200],
  'GET /account/profile': [303, 200, 200, 200],
  'POST /account/profile': [401, 303, 303, 303],
  'POST /account/password': [401, 422, 422, 422],
  'GET /account/code': [303, 200, 200, 200],
  'POST /account/code': [401, 422, 422, 422],
  'POST /account/code/delete': [401, 303, 303, 303],
  'POST /account/recovery-codes': [401, 303, 303, 303],
  'POST /account/sessions/delete': [401, 303, 303, 303],
  'POST /account/sessions/9/delete': [401, 303, 303, 303],
  'GET /roles': [303, 403, 403, 200],
  'POST /roles': [401, 403, 403, 303],
  'GET /admin/status': [303, 403, 403, 200],
  'GET /invite': [303, 403, 403, 200],
  'POST /invite': [401, 403, 403, 422],
  'POST /users/4/invite': [401, 403, 403, 303],
  'GET /users/4/invitation': [303, 403, 403, 302],
  'POST /users/4/invitation': [401, 403, 403, 303],
  'POST /users/4/invitation/mail': [401, 403, 403, 404],
  'POST /users/4/invitation/delete': [401, 403, 403, 303],
  'POST /users/4/code/delete': [401, 403, 403, 303],
  'POST /users/4/sessions/delete': [401, 403, 403, 303],
  'POST /users/4/sessions/9/delete': [401, 403, 403, 303],
  'GET /invitations/x': [404, 404, 404, 404],
  'POST /invitations/x': [404, 404, 404, 404],
  'GET /users/4/erase': [303, 403, 403, 404],
  'POST /users/4/erase': [401, 403, 403, 404],
  'GET /users/4/data': [303, 403, 403, 200],
  'POST /made-up-people': [401, 403, 303, 303],
  'POST /made-up-people/delete': [401, 403, 303, 303],
  'POST /first-steps/delete': [401, 403, 403, 303],
  'POST /setup': [401, 409, 409, 409],
  'GET /setup/x': [404, 404, 404, 404],
  'POST /setup/x': [404, 404, 404, 404],
  // It takes a token, and no role.
  'GET /metrics': [401, 401, 401, 401],
  'GET /healthz': [200, 200, 200, 200],
  'GET /readyz': [200, 200, 200, 200],
  'OPTIONS /healthz': [200, 200, 200, 200],
  'OPTIONS /readyz': [200, 200, 200, 200],
  'GET /robots.txt': [200, 200, 200, 200],
  'GET /favicon.ico': [302, 302, 302, 302],
  'GET /.well-known/change-password': [303, 303, 303, 303],
  'GET /.well-known/*': [404, 404, 404, 404],
  // An address that nobody knows.
  'GET /nowhere': [303, 404, 404, 404],
  'POST /nowhere': [401, 404, 404, 404],
};

/** With every route that there may be. */
const EVERYTHING = { METRICS_TOKEN: 'a-token-for-the-tests-alone' };

async function startWithPeople() {
  const app = await startApp(EVERYTHING);
  const people = {
    viewer: await addPerson(app.db, 'vera', 'viewer'),
    editor: await addPerson(app.db, 'ed', 'editor'),
    admin: await addPerson(app.db, 'ann', 'admin'),
  };
  await addUser(app.db, { username: 'member' });
  const headersOf = async (asker: (typeof ASKERS)[number]) =>
    asker === 'visitor' ? { 'sec-fetch-site': 'same-origin' } : signedIn(app, people[asker]);
  return { app, people, headersOf };
}

function ask(app: FastifyInstance, route: string, headers: object) {
  const [method = '', url = ''] = route.split(' ');
  return method === 'POST' ? post(app, url, {}, headers) : get(app, url, headers);
}

describe('every route', () => {
  test.each(Object.entries(TABLE))(
    '%s answers visitor, viewer, editor, admin: %j',
    async (route, statuses) => {
      // The next one asks the same Roster, unless something was changed there.
      let roster: Awaited<ReturnType<typeof startWithPeople>> | undefined;
      for (const [index, asker] of ASKERS.entries()) {
        roster ??= await startWithPeople();
        const { app, headersOf } = roster;
        const before = await app.db.selectFrom('users').selectAll().execute();
        const answer = await ask(app, route, await headersOf(asker));
        expect(answer.statusCode, asker).toBe(statuses[index]);
        if (answer.statusCode >= 400)
          expect(await app.db.selectFrom('users').selectAll().execute()).toEqual(before);
        else if (route.startsWith('POST ')) roster = undefined;
        if (answer.statusCode === 403)
          expect(pageOf(answer).text).toMatch(/Only (editors and )?administrators can do that\./);
        const isForAnyone = /sign-out|well-known/.test(route);
        if (asker === 'visitor' && answer.statusCode === 303 && !isForAnyone)
          expect(answer.headers.location).toBe(
            `/sign-in?next=${encodeURIComponent(route.replace('GET ', ''))}`,
          );
      }
    },
  );

  test('is in the table, and every file of public/ is for anyone', async () => {
    const app = await startApp(EVERYTHING);
    const known = new Set(
      Object.keys(TABLE).map((route) =>
        route
          .replace(/\/4\b|(?<=\/history)\/1\b/, '/:id')
          .replace('sessions/9', 'sessions/:session')
          .replace('by-username/member', 'by-username/:username')
          .replace(/\/x$/, '/:token'),
      ),
    );
    const routes = [...app.rules.keys()].filter(
      (route) => !route.startsWith('HEAD ') && !route.includes('/assets/'),
    );
    expect(routes.filter((route) => !known.has(route))).toEqual([]);
    expect(routes.length).toBe(known.size - 2);
    for (const [route, may] of app.rules)
      if (route.includes('/assets/')) expect(may({ role: 'member' })).toBe(true);
  });

  test('that does not say who may ask for it stops Roster from starting', async () => {
    const app = await startApp();
    expect(() => app.get('/forgotten', async () => 'secret')).toThrow(
      'GET /forgotten does not say who may ask for it.',
    );
  });

  test('is not there for a member, whatever cookie they have', async () => {
    const { app } = await startWithPeople();
    const member = await addPerson(app.db, 'max', 'member');
    expect((await get(app, '/users', await signedIn(app, member))).statusCode).toBe(303);
  });
});

test('whoever may not change something is led to where they may look at it, if there is such a page', async () => {
  const { app, people, headersOf } = await startWithPeople();
  const viewer = await headersOf('viewer');
  const { id } = people.editor;
  const linksOf = async (address: string) => pageOf(await get(app, address, viewer)).main.links;
  const list = { text: 'Go to the list of users', href: '/users' };
  for (const address of [`/users/${id}/edit`, `/update_user/${id}`, `/users/${id}/invitation`])
    expect(await linksOf(address)).toEqual([{ text: `Look at user ${id}`, href: `/users/${id}` }]);
  for (const address of ['/imports/1', '/users/new', '/users/x/edit', '/users/0/edit', '/users/007/edit'])
    expect(await linksOf(address)).toEqual([list]);
});

test('where there is no such change set or import, people are led to those that there are, if they may see them', async () => {
  const { app, headersOf } = await startWithPeople();
  const linksOf = async (address: string, role: 'viewer' | 'editor') =>
    pageOf(await get(app, address, await headersOf(role))).main.links.map(({ href }) => href);
  expect(await linksOf('/history/999', 'viewer')).toEqual(['/history']);
  expect(await linksOf('/history/x/undo', 'viewer')).toEqual(['/history']);
  expect(await linksOf('/imports/999', 'editor')).toEqual(['/import']);
  expect(await linksOf('/users/999', 'editor')).toEqual(['/users']);
});

describe('an editor', () => {
  test('changes and deletes members, and nobody else', async () => {
    const { app, people, headersOf } = await startWithPeople();
    const headers = await headersOf('editor');
    for (const { id } of Object.values(people)) {
      for (const address of [`/users/${id}/edit`, `/users/${id}/delete`]) {
        const page = await get(app, address, headers);
        expect(page.statusCode).toBe(403);
        expect(pageOf(page).text).toContain('Only administrators can do that.');
        expect(pageOf(page).main.links).toEqual([{ text: `Look at user ${id}`, href: `/users/${id}` }]);
      }
      for (const address of [
        `/users/${id}`,
        `/users/${id}/delete`,
        `/update_user/${id}`,
        `/delete_user/${id}`,
      ])
        expect(
          (await post(app, address, address.includes('delete') ? {} : { is_active: '0' }, headers))
            .statusCode,
        ).toBe(403);
    }
    const roles = await app.db
      .selectFrom('users')
      .select(['role', 'is_active', 'version'])
      .orderBy('id')
      .execute();
    expect(roles.map(({ role }) => role)).toEqual(['viewer', 'editor', 'admin', 'member']);
    expect(roles.every(({ is_active, version }) => is_active && version === 1)).toBe(true);
  });

  test('gives nobody a role', async () => {
    const { app, headersOf } = await startWithPeople();
    const headers = await headersOf('editor');
    const user = { username: 'new', email: 'new@example.org' };
    expect((await post(app, '/users', { ...user, role: 'viewer' }, headers)).statusCode).toBe(403);
    expect((await post(app, '/users', { ...user, role: 'member' }, headers)).statusCode).toBe(303);
    expect((await post(app, '/users/4', { role: 'admin' }, headers)).statusCode).toBe(403);
    expect((await post(app, '/users/4', { role: 'member', full_name: 'Max' }, headers)).statusCode).toBe(303);
    expect(
      await app.db.selectFrom('users').select('id').where('role', '!=', 'member').execute(),
    ).toHaveLength(3);
  });

  test('does not change someone who is given a role at the same moment', async () => {
    const { app, headersOf } = await startWithPeople();
    const headers = await headersOf('editor');
    const [given, changed] = await Promise.all([
      transact(app.db, (trx) => changeUser(trx, commandLine, 4, { role: 'admin' }, 5)),
      post(app, '/users/4', { full_name: 'Not yours' }, headers),
    ]);
    expect(given.user.role).toBe('admin');
    expect([303, 403]).toContain(changed.statusCode);
    const after = await post(app, '/users/4', { full_name: 'Not yours any more' }, headers);
    expect(after.statusCode).toBe(403);
  });
});

describe('what someone may not do is not offered', () => {
  const BUTTONS = {
    '/users': { viewer: [], editor: ['New user'], admin: ['New user', 'Roles'] },
    '/users/4': {
      viewer: [],
      editor: ['Edit', 'Deactivate', 'Delete…'],
      admin: ['Edit', 'Deactivate', 'Delete…', 'Roles'],
    },
    '/users/1': {
      viewer: [],
      editor: [],
      admin: ['Edit', 'Deactivate', 'Delete…', 'Create access link', 'Roles'],
    },
  } as const;
  const ALL = ['New user', 'Edit', 'Deactivate', 'Delete…', 'Create access link', 'Roles'];

  test.each(Object.entries(BUTTONS))('on %s', async (address, offered) => {
    const { app, headersOf } = await startWithPeople();
    for (const asker of ['viewer', 'editor', 'admin'] as const) {
      const { buttons, links } = pageOf(await get(app, address, await headersOf(asker)));
      const offers = [...buttons, ...links.map(({ text }) => text)];
      const shown = ALL.filter((label) => offers.some((offer) => `${offer} `.startsWith(`${label} `)));
      expect(shown.toSorted(), asker).toEqual([...offered[asker]].toSorted());
    }
  });

  test('in the form: a role is chosen by an administrator', async () => {
    const { app, headersOf } = await startWithPeople();
    const fieldsFor = async (asker: 'editor' | 'admin') =>
      pageOf(await get(app, '/users/4/edit', await headersOf(asker))).fields;
    expect(await fieldsFor('editor')).not.toContain('role');
    expect(await fieldsFor('admin')).toContain('role');
  });
});

describe('a session', () => {
  async function startAt(settings: Record<string, string> = {}) {
    const clock = movableClock();
    const app = await startApp(settings, undefined, clock);
    const user = await addPerson(app.db, 'ann', 'admin');
    const headers = await signedIn(app, user);
    const status = async () => (await get(app, '/users', headers)).statusCode;
    return { app, clock, user, headers, status };
  }

  test('ends after twelve hours without use, and not before', async () => {
    const { clock, status } = await startAt();
    clock.move(12 * HOUR - 1);
    expect(await status()).toBe(200);
    clock.move(12 * HOUR - 1);
    expect(await status()).toBe(200);
    clock.move(12 * HOUR);
    expect(await status()).toBe(303);
  });

  test('ends after seven days, however much it is used', async () => {
    const { clock, status } = await startAt();
    for (let time = 0; time < 14; time++) {
      expect(await status()).toBe(200);
      clock.move(12 * HOUR - 1000);
    }
    expect(await status()).toBe(200);
    clock.move(14_000);
    expect(await status()).toBe(303);
  });

  test('ends as the settings say', async () => {
    const { clock, status } = await startAt({ SESSION_IDLE_HOURS: '2', SESSION_HOURS: '3' });
    clock.move(2 * HOUR - 1);
    expect(await status()).toBe(200);
    clock.move(HOUR);
    expect(await status()).toBe(200);
    clock.move(1);
    expect(await status()).toBe(303);
  });

  test.each([
    [{}, 'roster_session'],
    [{ ORIGIN: 'https://users.example.org', TRUST_PROXY: '10.0.0.1' }, '__Host-roster'],
  ])('of before cookies had marks goes on (%o)', async (settings, name) => {
    const app = await startApp(settings);
    const { cookie } = await signedIn(app, await addPerson(app.db, 'ann', 'admin'));
    const former = { cookie: `${name}=${cookie.split('=')[1]}` };
    expect((await get(app, '/users', former)).statusCode).toBe(200);
    // It is asked as much of it as of any other.
    expect((await post(app, '/account/sessions/delete', {}, former)).statusCode).toBe(403);
    expect(
      (await post(app, '/sign-out', {}, { ...former, 'sec-fetch-site': 'same-origin' })).statusCode,
    ).toBe(303);
    expect((await get(app, '/users', former)).statusCode).toBe(303);
  });

  test('is over when the clock has been set back, and stays over', async () => {
    const { clock, status } = await startAt();
    clock.move(6 * HOUR);
    expect(await status()).toBe(200);
    clock.move(-HOUR);
    expect(await status()).toBe(303);
    clock.move(20 * HOUR);
    expect(await status()).toBe(303);
  });

  test('of anyone is over when the clock has been set back, whoever was seen later, until they sign in again', async () => {
    const { app, clock, headers } = await startAt();
    const ed = await addPerson(app.db, 'ed', 'editor');
    const other = await signedIn(app, ed);
    const statuses = async (...all: Headers[]) => {
      const pages = [];
      for (const one of all) pages.push((await get(app, '/users', one)).statusCode);
      return pages;
    };
    clock.move(11 * HOUR);
    expect(await statuses(other)).toEqual([200]);
    clock.move(-6 * HOUR);
    expect(await statuses(headers, other)).toEqual([303, 303]);
    const again = (await signIn(app, 'ann')) as Headers;
    clock.move(2 * 60_000);
    expect(await statuses(again, headers, other)).toEqual([200, 303, 303]);
    clock.move(5 * HOUR + 58 * 60_000);
    expect(await statuses(again, headers, other)).toEqual([200, 303, 303]);
  });

  test('that is over when the clock has been set back stays so after a page that was under way', async () => {
    const { app, clock, status } = await startAt();
    clock.move(HOUR);
    const sessions = app.db.selectFrom('sessions').select(['id', 'seen_at']);
    const underWay = await sessions.executeTakeFirstOrThrow();
    await transact(app.db, (trx) => endAllSessions(trx, clock(), app.config.sessionIdle));
    await transact(app.db, (trx) => touchSession(trx, underWay, clock()));
    expect(await status()).toBe(303);
  });

  test('of someone else does not end by a sign-in, however long it may rest', async () => {
    const { app, clock, status } = await startAt({ SESSION_IDLE_HOURS: '8760', SESSION_HOURS: '8760' });
    await addPerson(app.db, 'ed', 'editor');
    clock.move(100 * 24 * HOUR);
    expect(await signIn(app, 'ed')).toBeDefined();
    expect(await status()).toBe(200);
  });

  test('is still there for another Roster whose clock is a few seconds behind', async () => {
    const { clock, status } = await startAt();
    clock.move(-30_000);
    expect(await status()).toBe(200);
  });

  test('is noted to be in use once a minute', async () => {
    const { app, clock, status } = await startAt();
    const seen = async () =>
      (await app.db.selectFrom('sessions').select('seen_at').executeTakeFirstOrThrow()).seen_at;
    const began = await seen();
    clock.move(59_999);
    await status();
    expect(await seen()).toBe(began);
    clock.move(1);
    await status();
    expect(await seen()).toBe(began + 60_000);
  });

  test('ends at once when someone else changes the role, deactivates or deletes its user', async () => {
    const { app, headers: admin } = await startAt();
    const acts: [string, string, Record<string, string>][] = [
      ['one', '', { role: 'viewer' }],
      ['two', '', { is_active: '0' }],
      ['three', '/delete', {}],
    ];
    for (const [username, path, fields] of acts) {
      const user = await addPerson(app.db, username, 'editor');
      const headers = await signedIn(app, user);
      expect((await get(app, '/users', headers)).statusCode).toBe(200);
      expect((await post(app, `/users/${user.id}${path}`, fields, admin)).statusCode).toBe(303);
      expect((await get(app, '/users', headers)).statusCode, username).toBe(303);
      const sessions = app.db.selectFrom('sessions').select('id').where('user_id', '=', user.id);
      expect(await sessions.execute()).toEqual([]);
    }
  });

  test('goes on when something else of its user is changed', async () => {
    const { app, headers: admin } = await startAt();
    const user = await addPerson(app.db, 'ed', 'editor');
    const headers = await signedIn(app, user);
    await post(app, `/users/${user.id}`, { full_name: 'Ed', is_active: '1', role: 'editor' }, admin);
    expect((await get(app, '/users', headers)).statusCode).toBe(200);
  });

  test('is not found by any part of its token, nor in the database', async () => {
    const { app, headers } = await startAt();
    const [name, token = ''] = headers.cookie.split('=');
    for (const other of [token.slice(0, -1), `${token}x`, token.toLowerCase(), '', "' or 1=1 --"])
      expect((await get(app, '/users', { cookie: `${name}=${other}` })).statusCode).toBe(303);
    const rows = JSON.stringify(await app.db.selectFrom('sessions').selectAll().execute());
    expect(rows).not.toContain(token);
  });

  test('lets a page be read when nothing can be written', async () => {
    const { app, clock, headers } = await startAt();
    clock.move(HOUR);
    await breakUpdates(app.db, 'sessions');
    expect((await get(app, '/users', headers)).statusCode).toBe(200);
  });
});

describe('before a second factor where there has to be one', () => {
  test('only setting it up and signing out are possible, and a form that is sent is kept', async () => {
    const { app, headersOf } = await startWithPeople();
    const headers = await headersOf('editor');
    await transact(app.db, (trx) => requireCode(trx, 'editor', true));
    for (const address of ['/users', '/users/4', '/account', '/nowhere'])
      expect((await get(app, address, headers)).headers.location).toBe(
        `/account/code?next=${encodeURIComponent(address)}`,
      );
    const sent = await post(app, '/users', { username: 'zoe', email: 'zoe@example.org' }, headers);
    expect(sent.headers.location).toBe('/account/code?next=%2Fusers%2Fnew');
    expect(sent.body).toBe(
      'Nothing was changed: your role asks for a second factor first. What you sent is there once you have set it up.\n',
    );
    // Of a click nothing was typed.
    const clicked = await post(app, '/users/4', { is_active: '0' }, headers);
    expect(clicked.headers.location).toBe('/account/code?next=%2Fusers%2F4%2Fedit');
    expect(clicked.body).not.toContain('typed');
    const unkept = await post(app, '/users/4/delete', {}, headers);
    expect(unkept.body).toBe('Nothing was changed: your role asks for a second factor first.\n');
    expect(await app.db.selectFrom('users').select('id').execute()).toHaveLength(4);
    // Of an address that is too long to be kept whole, the page.
    const long = await get(app, `/history?user=${'x'.repeat(2_000)}`, headers);
    expect(long.headers.location).toBe('/account/code?next=%2Fhistory');
    const page = pageOf(await get(app, '/account/code', headers));
    // No link that would only lead back.
    expect(page.navs).toEqual([]);
    expect(page.links.map(({ text }) => text)).toEqual(['Skip to content', 'Roster', 'Sign out']);
    expect((await get(app, '/users', await headersOf('admin'))).statusCode).toBe(200);
  });
});

test('without an administrator whoever is there does what an editor may, under a notice, and no more', async () => {
  const app = await startApp();
  expect(pageOf(await get(app, '/users')).text).toContain('There is no administrator yet');
  expect(pageOf(await get(app, '/nowhere')).text).toContain('There is no administrator yet');
  const user = { username: 'zoe', email: 'zoe@example.org' };
  expect((await post(app, '/users', { ...user, role: 'admin' })).statusCode).toBe(403);
  expect((await post(app, '/users', user)).statusCode).toBe(303);
  expect((await get(app, '/roles')).statusCode).toBe(403);
  expect((await post(app, '/users/1/invitation')).statusCode).toBe(403);
  expect((await get(app, '/account')).statusCode).toBe(403);
});

test('from the first administrator on everyone signs in, also at a Roster that was there before', async () => {
  const app = await startApp();
  expect((await get(app, '/users')).statusCode).toBe(200);
  const { id } = await addPerson(app.db, 'ann', 'admin');
  expect((await get(app, '/users')).statusCode).toBe(303);
  const inactive = transact(app.db, (trx) => changeUser(trx, commandLine, id, { is_active: false }, 1));
  await expect(inactive).rejects.toThrow(`${named('ann')} is the last administrator.`);
  await expect(transact(app.db, (trx) => deleteUser(trx, commandLine, id, 2))).rejects.toThrow(
    `${named('ann')} is the last administrator.`,
  );
});
