/** Browsers that have signed in before, and those that keep no cookies. */
import type { FastifyInstance } from 'fastify';
import { describe, expect, test } from 'vitest';
import { seal } from '../../src/auth/tokens.ts';
import { pageOf } from '../page.ts';
import { addPerson, movableClock, PASSWORD } from '../people.ts';
import { cookieName, cookiesOf, get, post, startApp } from '../support.ts';

async function start() {
  const clock = movableClock();
  const app = await startApp({}, undefined, clock);
  for (const name of ['ann', 'bob']) await addPerson(app.db, name, 'admin');
  return { app, clock };
}

const signIn = (app: FastifyInstance, username: string, headers = {}, password = PASSWORD) =>
  post(app, '/sign-in', { username, password, next: '/users/1' }, headers);

/** Signs someone in; the cookie by which the browser is known from then on. */
async function deviceOf(app: FastifyInstance, username: string, headers = {}) {
  const { cookies } = await signIn(app, username, headers);
  return {
    cookie: `${cookieName('device')}=${cookies.find(({ name }) => name === cookieName('device'))?.value}`,
  };
}

/** A neighbour at the same address, at one name and at many. */
async function guess(app: FastifyInstance): Promise<void> {
  for (let number = 0; number < 24; number++) {
    await signIn(app, 'ann', {}, 'wrong');
    await signIn(app, `name${number}`, {}, 'wrong');
  }
}

describe('a browser that has signed in before', () => {
  test('is let in at once, however much a neighbour guesses at that name and others', async () => {
    const { app } = await start();
    const device = await deviceOf(app, 'ann');
    await guess(app);
    expect((await signIn(app, 'ann')).statusCode).toBe(429);
    expect((await signIn(app, 'ann', device)).statusCode).toBe(303);
  });

  test('is counted by itself, at each of its users', async () => {
    const { app, clock } = await start();
    const device = await deviceOf(app, 'bob', await deviceOf(app, 'ann'));
    for (let failures = 0; failures < 4; failures++)
      expect((await signIn(app, 'ann', device, 'wrong')).statusCode).toBe(422);
    expect((await signIn(app, 'ann', device)).statusCode).toBe(429);
    expect((await signIn(app, 'bob', device)).statusCode).toBe(303);
    // Elsewhere nobody waits for it.
    expect((await signIn(app, 'ann')).statusCode).toBe(303);
    clock.move(1000);
    expect((await signIn(app, 'ann', device)).statusCode).toBe(303);
  });

  test('is known for those who have signed in there, and by no cookie of somebody’s own making', async () => {
    const { app } = await start();
    const device = await deviceOf(app, 'bob');
    await guess(app);
    const forged = seal(Buffer.alloc(32), 'device', { id: 'x', users: [1] });
    const cookies = [
      device.cookie,
      `${cookieName('device')}=${forged}`,
      `${cookieName('device')}=x`,
      `${device.cookie}x`,
    ];
    for (const cookie of cookies) expect((await signIn(app, 'ann', { cookie })).statusCode, cookie).toBe(429);
  });

  test('is one after a password was chosen there by a link', async () => {
    const app = await startApp();
    const answer = await post(app, `/setup/${app.setupToken}`, {
      username: 'zoe',
      email: 'zoe@example.org',
      new_password: PASSWORD,
      new_password_again: PASSWORD,
    });
    const headers = { cookie: cookiesOf(answer), 'sec-fetch-site': 'same-origin' };
    for (let failures = 0; failures < 5; failures++) await signIn(app, 'zoe', {}, 'wrong');
    expect((await signIn(app, 'zoe')).statusCode).toBe(429);
    expect((await signIn(app, 'zoe', headers)).statusCode).toBe(303);
  });

  test('is remembered through a sign-out', async () => {
    const { app } = await start();
    const { cookies } = await signIn(app, 'ann');
    const cookie = cookiesOf({ cookies });
    const out = await post(app, '/sign-out', {}, { cookie, 'sec-fetch-site': 'same-origin' });
    expect(out.cookies.map(({ name }) => name)).not.toContain(cookieName('device'));
  });
});

describe('a browser that keeps no cookies', () => {
  test('hears so, and leaves no session behind', async () => {
    const { app } = await start();
    const { headers } = await signIn(app, 'ann');
    expect(await app.db.selectFrom('sessions').select('id').execute()).toHaveLength(1);
    const page = await get(app, String(headers.location));
    expect(page.statusCode).toBe(422);
    expect(pageOf(page).text).toContain('Your browser has not kept the cookie that you are known by');
    expect(pageOf(page).field('next')).toBe('/users/1');
    expect(await app.db.selectFrom('sessions').select('id').execute()).toEqual([]);
  });

  test('goes on at once where it has kept them, and is not asked again', async () => {
    const { app } = await start();
    const { headers, cookies } = await signIn(app, 'ann');
    const cookie = cookiesOf({ cookies });
    const checked = await get(app, String(headers.location), { cookie });
    expect([checked.statusCode, checked.headers.location]).toEqual([303, '/users/1']);
    const again = await signIn(app, 'ann', { cookie, 'sec-fetch-site': 'same-origin' });
    expect(again.headers.location).toBe('/users/1');
  });

  test('is told nothing by an address that somebody made up, or that is old', async () => {
    const { app, clock } = await start();
    const { headers } = await signIn(app, 'ann');
    const forged = seal(Buffer.alloc(32), 'cookie check', { sessionId: 1, at: clock() });
    clock.move(6 * 60_000);
    for (const address of [String(headers.location), `/sign-in?check=${forged}`, '/sign-in?check=x'])
      expect((await get(app, address)).statusCode).toBe(200);
    expect(await app.db.selectFrom('sessions').select('id').execute()).toHaveLength(1);
  });
});
