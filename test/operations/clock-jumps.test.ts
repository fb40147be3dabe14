/** The clock is set while people work: nobody is kept out, nothing hangs, nothing is done twice, and what came later stays later. */
import type { FastifyInstance } from 'fastify';
import { describe, expect, test } from 'vitest';
import { commandLine } from '../../src/auth/actor.ts';
import { newToken } from '../../src/auth/tokens.ts';
import { transact } from '../../src/db/transact.ts';
import { findTimesOf } from '../../src/history/versions.ts';
import { findImport, saveImport } from '../../src/imports/queries.ts';
import { insertInvitation } from '../../src/invitations/queries.ts';
import { findJobOfSet, saveJob } from '../../src/jobs/queries.ts';
import { deleteUser } from '../../src/users/commands.ts';
import { bring, csv } from '../imports/bringing.ts';
import { begin, changeMany } from '../jobs/many.ts';
import { pageOf } from '../page.ts';
import { addPerson, codeAt, HOUR, headersFor, movableClock, PASSWORD, signedIn, signIn } from '../people.ts';
import { addUser, cookieName, get, post, startApp } from '../support.ts';

const DAY = 24 * HOUR;
const NOW = Date.UTC(2026, 5, 1, 12);
/** After what seconds since 1970 are in 32 bits with a sign. */
const END_OF_32_BITS = Date.UTC(2038, 0, 19, 3, 14, 8);

async function start() {
  const clock = movableClock(NOW);
  const app = await startApp({}, undefined, clock);
  const ann = await addPerson(app.db, 'ann', 'admin');
  const bob = await addPerson(app.db, 'bob', 'editor', { hasCode: true });
  return { app, clock, ann, bob };
}

/** Signs bob in, by his password at one Roster and his code at another, or the same. */
async function signInByCode(app: FastifyInstance, time: number, other = app) {
  const asked = await post(app, '/sign-in', { username: 'bob', password: PASSWORD });
  return post(other, '/sign-in', { ticket: pageOf(asked).field('ticket'), code: codeAt(time) });
}

describe.each([
  ['an hour forward', HOUR],
  ['an hour back', -HOUR],
  ['a day back', -DAY],
  ['to the 19th of January 2038', END_OF_32_BITS - NOW],
])('set %s', (_, by) => {
  test('everyone can sign in at once, also whoever has failed, and with the codes of that time', async () => {
    const { app, clock } = await start();
    expect((await signInByCode(app, clock())).statusCode).toBe(303);
    for (let failures = 0; failures < 5; failures++) await signIn(app, 'ann', 'wrong');
    expect(await signIn(app, 'ann')).toBeUndefined();
    clock.move(by);
    await app.watchClock();
    const headers = await signIn(app, 'ann');
    expect((await get(app, '/users', headers)).statusCode).toBe(200);
    expect((await signInByCode(app, clock())).statusCode).toBe(303);
    // And right again.
    clock.move(-by + 60_000);
    await app.watchClock();
    expect(await signIn(app, 'ann')).toBeDefined();
    expect((await signInByCode(app, clock())).statusCode).toBe(303);
  });

  test.each([
    [0, 'used'],
    [2, 'used'],
    [8, 'used'],
    [0, 'unused'],
    [2, 'unused'],
    [8, 'unused'],
  ])(
    'and right again after %i hours, or never where that is 0, nobody stays signed in for longer than the settings say, in a session that is %s',
    async (hoursUntilRight, use) => {
      const { app, clock, ann } = await start();
      const { sessionIdle, sessionLasts } = app.config;
      const headers = await signedIn(app, ann);
      const isIn = async () => (await get(app, '/users', headers)).statusCode === 200;
      expect(await isIn()).toBe(true);
      const most = use === 'used' ? sessionLasts : sessionIdle;
      let passed = 0;
      // Each is looked at: else one that is set back would look like no time that has passed.
      const move = async (ms: number) => {
        clock.move(ms);
        await app.watchClock();
      };
      const passUntil = async (end: number) => {
        for (; passed < end && (use === 'unused' || (await isIn())); passed += HOUR) await move(HOUR);
      };
      await passUntil(2 * HOUR);
      await move(by);
      await passUntil((2 + hoursUntilRight) * HOUR);
      if (hoursUntilRight > 0) await move(-by);
      await passUntil(most);
      clock.move(1);
      expect(await isIn()).toBe(false);
    },
  );

  test('a link is good, or a new one is', async () => {
    const { app, clock, bob } = await start();
    const make = async () => {
      const token = newToken();
      await transact(app.db, (trx) => insertInvitation(trx, bob.id, token, clock()));
      return token;
    };
    const before = await make();
    clock.move(by);
    const isShort = Math.abs(by) < 3 * DAY;
    expect((await get(app, `/invitations/${before}`)).statusCode).toBe(isShort ? 200 : 404);
    expect((await get(app, `/invitations/${await make()}`)).statusCode).toBe(200);
  });

  test('a form that is sent again is answered as before, and done once', async () => {
    const { app, clock, ann } = await start();
    const form = { username: 'eve', email: 'eve@example.org', key: newToken() };
    const first = await post(app, '/users', form, await signedIn(app, ann));
    clock.move(by);
    await app.watchClock();
    const again = await post(app, '/users', form, await signIn(app, 'ann'));
    expect([again.statusCode, again.headers.location]).toEqual([303, first.headers.location]);
  });

  test('what is sent in a session that is over by then waits in the next one', async () => {
    const { app, clock, ann } = await start();
    const headers = await signedIn(app, ann);
    clock.move(by);
    await app.watchClock();
    const typed = { username: 'eve', email: 'eve@example.org' };
    const answer = await post(app, '/users', typed, headers);
    if (by === HOUR) return expect(answer.statusCode).toBe(303);
    expect(answer.statusCode).toBe(401);
    const form = pageOf(answer);
    const hidden = { next: form.field('next'), draft: form.field('draft') };
    const signed = await post(app, '/sign-in', { ...hidden, username: 'ann', password: PASSWORD }, headers);
    const token = signed.cookies.find(({ name }) => name === cookieName('session'))?.value ?? '';
    const waiting = pageOf(await get(app, '/users/new', headersFor(app, token)));
    expect(waiting.field('email')).toBe(typed.email);
  });

  test('a job and an import that somebody was at go on', async () => {
    const { app, clock } = await start();
    const set = await begin(app.db, await changeMany(app.db, 150));
    const id = await bring(app, csv(['username', 'email'], ['eve', 'eve@example.org']));
    const lease = { lease_owner: 'somebody', leased_until: clock() + 15_000 };
    await transact(app.db, async (trx) => {
      await saveJob(trx, Number((await findJobOfSet(trx, set))?.id), lease);
      await saveImport(trx, id, lease);
    });
    await app.runJobs();
    expect((await findJobOfSet(app.db, set))?.done).toBe(0);
    clock.move(by);
    await app.runJobs();
    expect(await findJobOfSet(app.db, set)).toMatchObject({ state: 'done', done: 150 });
    expect(await findImport(app.db, id)).toMatchObject({ state: 'checked' });
  });

  test('what is done to somebody from then on stands after what was done before, and is what holds now', async () => {
    const { app, clock, ann } = await start();
    const { id } = await addUser(app.db, { username: 'eve', full_name: 'First' }, clock());
    const rename = async (full_name: string) =>
      post(app, `/users/${id}`, { full_name }, await signedIn(app, ann));
    await rename('Second');
    clock.move(by);
    await rename('Third');
    await rename('Fourth');
    const times = await findTimesOf(app.db, id, [1, 2, 3, 4]);
    expect(times).toEqual(times.toSorted((one, other) => one - other));
    const headers = await signedIn(app, ann);
    const { links } = pageOf(await get(app, `/history?user=${id}`, headers));
    const sets = links.flatMap(({ href }) => /^\/history\/(\d+)$/.exec(href)?.[1] ?? []).map(Number);
    expect(new Set(sets).size).toBe(4);
    expect(sets).toEqual(sets.toSorted((one, other) => other - one));
    // Whoever is deleted then is deleted last.
    await transact(app.db, (trx) => deleteUser(trx, commandLine, id, clock()));
    expect((await get(app, `/users/${id}`, headers)).statusCode).toBe(404);
    const [deleted] = await findTimesOf(app.db, id, [5]);
    expect(deleted).toBeGreaterThanOrEqual(times.at(-1) ?? 0);
  });

  test('a list by the day when somebody was created has them on the day of that clock', async () => {
    const { app, clock, ann } = await start();
    clock.move(by);
    const headers = await signedIn(app, ann);
    await post(app, '/users', { username: 'eve', email: 'eve@example.org' }, headers);
    const day = (time: number) => new Date(time).toISOString().slice(0, 10);
    const found = async (filter: string) =>
      pageOf(await get(app, `/users?q=eve&${filter}`, headers)).users.length;
    expect(await found(`created_after=${day(clock() - DAY)}&created_before=${day(clock() + DAY)}`)).toBe(1);
    expect(await found(`created_before=${day(clock() - DAY)}`)).toBe(0);
    expect(await found(`created_after=${day(clock() + DAY)}`)).toBe(0);
  });
});

describe('of two Rosters, one a minute ahead', () => {
  async function startTwo() {
    const one = await start();
    const aheadClock = movableClock(NOW + 60_000);
    const ahead = await startApp({}, one.app.db, aheadClock);
    return { ...one, ahead, aheadClock };
  }

  test('whoever signs in at one is signed in at the other, and stays so', async () => {
    const { app, ahead, clock, aheadClock } = await startTwo();
    for (const [asking, finishing] of [
      [app, ahead],
      [ahead, app],
    ] as const) {
      const begun = await signInByCode(asking, finishing.clock(), finishing);
      expect(begun.statusCode).toBe(303);
      const headers = { cookie: String(begun.headers['set-cookie']).split(';')[0] ?? '' };
      for (let minutes = 0; minutes < 30; minutes += 10) {
        for (const server of [app, ahead, app])
          expect((await get(server, '/users', headers)).statusCode).toBe(200);
        for (const each of [clock, aheadClock]) each.move(10 * 60_000);
      }
    }
  });

  test('what both find to do is done once', async () => {
    const { app, ahead } = await startTwo();
    const set = await begin(app.db, await changeMany(app.db, 250));
    await Promise.all([app.runJobs(), ahead.runJobs(), app.runJobs()]);
    expect(await findJobOfSet(app.db, set)).toMatchObject({ state: 'done', done: 250, left_out: 0 });
  });

  test('what is done by turns stands in one order, and whoever guesses has not to wait for longer', async () => {
    const { app, ahead, ann } = await startTwo();
    const { id } = await addUser(app.db, { username: 'eve' }, app.clock());
    const headers = await signedIn(app, ann);
    for (const [turn, server] of [ahead, app, ahead, app].entries())
      await post(server, `/users/${id}`, { full_name: `Name ${turn}` }, headers);
    const times = await findTimesOf(app.db, id, [1, 2, 3, 4, 5]);
    expect(times).toEqual(times.toSorted((one, other) => one - other));
    expect(pageOf(await get(app, `/users/${id}`, headers)).text).toContain('Name 3');
    for (let failures = 0; failures < 5; failures++) await signIn(ahead, 'ann', 'wrong');
    const refused = await post(app, '/sign-in', { username: 'ann', password: 'wrong' });
    expect(refused.statusCode).toBe(429);
    expect(Number(refused.headers['retry-after'])).toBeLessThanOrEqual(62);
  });
});
