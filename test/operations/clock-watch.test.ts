/** What happens when the machine's clock is set while Roster runs, and where Rosters differ about the time. */
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { expect, onTestFinished, test, vi } from 'vitest';
import { buildApp } from '../../src/app.ts';
import { newToken } from '../../src/auth/tokens.ts';
import { readConfig } from '../../src/config.ts';
import { transact } from '../../src/db/transact.ts';
import { insertInvitation } from '../../src/invitations/queries.ts';
import { breakUpdates, mendUpdates } from '../engines.ts';
import { pageOf } from '../page.ts';
import { addPerson, codeAt, HOUR, movableClock, PASSWORD, signedIn, signIn } from '../people.ts';
import {
  cookiesOf,
  DATABASE_ID,
  get,
  post,
  SECRET_KEY,
  startApp,
  temporaryDatabase,
  temporaryFolder,
} from '../support.ts';

async function start() {
  const [clock, stopwatch] = [movableClock(), movableClock()];
  const app = await startApp({}, undefined, clock, stopwatch);
  const pass = (milliseconds: number) => [clock, stopwatch].forEach(({ move }) => void move(milliseconds));
  const warn = vi.spyOn(app.log, 'warn');
  await addPerson(app.db, 'ann', 'admin');
  const bob = await addPerson(app.db, 'bob', 'editor', { hasCode: true });
  return { app, clock, stopwatch, pass, warn, bob };
}

/** Signs bob in by a code; what he is answered. */
async function sendCode(app: FastifyInstance, code: string) {
  const asked = await post(app, '/sign-in', { username: 'bob', password: PASSWORD });
  return post(app, '/sign-in', { ticket: pageOf(asked).field('ticket'), code });
}

test('the time goes back when the clock is set back', async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.UTC(2026, 5, 1, 14) });
  onTestFinished(() => void vi.useRealTimers());
  const config = readConfig({ LOG_LEVEL: 'silent' });
  const app = await buildApp({
    config,
    db: await temporaryDatabase(),
    secretKey: SECRET_KEY,
    databaseId: DATABASE_ID,
    ledger: join(temporaryFolder(), 'erased.jsonl'),
  });
  onTestFinished(() => app.close());
  expect(app.clock()).toBe(Date.UTC(2026, 5, 1, 14));
  vi.setSystemTime(Date.UTC(2026, 5, 1, 12));
  expect(app.clock()).toBe(Date.UTC(2026, 5, 1, 12));
});

test('a clock that was two hours ahead, and is set right, refuses no right code, and takes none twice', async () => {
  const { app, clock } = await start();
  expect((await sendCode(app, codeAt(clock()))).statusCode).toBe(303);
  clock.move(-2 * HOUR);
  const code = codeAt(clock());
  expect((await sendCode(app, code)).statusCode).toBe(303);
  expect((await sendCode(app, code)).statusCode).toBe(422);
  clock.move(30_000);
  expect((await sendCode(app, codeAt(clock()))).statusCode).toBe(303);
});

test('a code is not taken again by a Roster whose clock is a minute behind', async () => {
  const { app, clock } = await start();
  const codes = [30_000, 0].map((later) => codeAt(clock() + later));
  expect((await sendCode(app, codes[0] ?? '')).statusCode).toBe(303);
  for (const behind of [30_000, 30_000]) {
    clock.move(-behind);
    for (const code of codes) expect((await sendCode(app, code)).statusCode).toBe(422);
  }
});

test('a code that is refused comes with the time of the server, and with how far its clock was set', async () => {
  const { app, clock } = await start();
  const wrong = pageOf(await sendCode(app, '000000')).text;
  expect(wrong).toContain('That code is wrong, or it has been used.');
  expect(wrong).toContain('The clock of this server says 1 June 2026, 12:00 UTC.');
  clock.move(2 * HOUR);
  const late = pageOf(await sendCode(app, codeAt(clock() - 2 * HOUR))).text;
  expect(late).toContain(
    'The clock of this server was set forward by 2 h 0 min of late, and says 1 June 2026, 14:00 UTC: if that is not the time, tell whoever runs Roster.',
  );
});

test('so does one that is refused while a second factor is set up', async () => {
  const { app, clock, bob } = await start();
  await transact(app.db, (trx) => trx.updateTable('credentials').set({ code_secret: null }).execute());
  clock.move(-90 * 60_000);
  const headers = await signedIn(app, bob);
  const sealed = pageOf(await get(app, '/account/code', headers)).field('sealed');
  const answer = await post(app, '/account/code', { sealed, code: '000000', password: PASSWORD }, headers);
  expect(pageOf(answer).text).toContain(
    'That is not the code that is shown now: six digits. The clock of this server was set back by 1 h 30 min of late',
  );
});

test('that the clock was set by more than a minute is in the log once, with what follows', async () => {
  const { app, clock, warn } = await start();
  const logged = async (by: number) => {
    warn.mockClear();
    clock.move(by);
    await app.watchClock();
    await app.watchClock();
    return warn.mock.calls.map(([line]) => line);
  };
  expect(await logged(50_000)).toEqual([]);
  expect(await logged(-60_000)).toEqual([]);
  expect(await logged(2 * HOUR + 10_000)).toEqual([
    'the clock was set forward by 2 h 0 min, or this machine was asleep: what has become too old meanwhile, such as sessions and links, is over',
  ]);
  expect(await logged(-2 * HOUR)).toEqual([
    'the clock was set back by 2 h 0 min: people have to sign in again, since nobody knows how old their sessions are, and waits after wrong passwords are over',
  ]);
});

test('sessions from before the clock was set back do not come to life again when their time comes', async () => {
  const { app, clock, warn, bob } = await start();
  const headers = await signedIn(app, bob);
  clock.move(-2 * HOUR);
  expect((await get(app, '/users', headers)).statusCode).toBe(303);
  expect(warn.mock.calls).toEqual([
    ['the clock has been set back, or another Roster’s is ahead: everyone has to sign in again'],
  ]);
  for (let minutes = 0; minutes < 150; minutes += 30) {
    expect((await get(app, '/users', headers)).statusCode).toBe(303);
    clock.move(30 * 60_000);
  }
});

test('sessions that nobody has used since end, too, when the clock is set back: nobody knows for how long they were not', async () => {
  const { app, clock, bob } = await start();
  const headers = await signedIn(app, bob);
  clock.move(11 * HOUR);
  await app.watchClock();
  expect((await get(app, '/users', headers)).statusCode).toBe(200);
  clock.move(11 * HOUR);
  await app.watchClock();
  clock.move(-10 * HOUR);
  await app.watchClock();
  expect((await get(app, '/users', headers)).statusCode).toBe(303);
  expect(await signIn(app, 'ann')).toBeDefined();
});

test('whoever has signed in since stays signed in, also where another process notices later that it was set', async () => {
  const { app, clock, stopwatch, pass, bob } = await start();
  const other = await startApp({}, app.db, clock, stopwatch);
  const before = await signedIn(app, bob);
  clock.move(-2 * HOUR);
  await app.watchClock();
  pass(20_000);
  const cookie = cookiesOf(await post(app, '/sign-in', { username: 'ann', password: PASSWORD }));
  pass(20_000);
  await other.watchClock();
  expect((await get(app, '/users', { cookie })).statusCode).toBe(200);
  expect((await get(app, '/users', before)).statusCode).toBe(303);
});

test('where they cannot be ended just then, it is tried again, and the log says so', async () => {
  const { app, clock, bob } = await start();
  const error = vi.spyOn(app.log, 'error').mockImplementation(() => {});
  await signedIn(app, bob);
  await breakUpdates(app.db, 'sessions');
  clock.move(-2 * HOUR);
  for (let times = 0; times < 2; times++) await app.watchClock();
  const line = 'the clock was set back, and sessions could not be ended yet';
  expect(error.mock.calls.map(([, said]) => said)).toEqual([line, line]);
});

test('also an hour later none of before is taken for one of since', async () => {
  const { app, clock, bob } = await start();
  vi.spyOn(app.log, 'error').mockImplementation(() => {});
  const before = await signedIn(app, bob);
  await breakUpdates(app.db, 'sessions');
  clock.move(-HOUR);
  await app.watchClock();
  await mendUpdates(app.db, 'sessions');
  clock.move(90 * 60_000);
  await app.watchClock();
  expect((await get(app, '/users', before)).statusCode).toBe(303);
});

test('whoever was signed in while the clock was ahead loses no form, not even after someone else has come back', async () => {
  const { app, clock, bob } = await start();
  const headers = await signedIn(app, bob);
  clock.move(-2 * HOUR);
  expect(await signIn(app, 'ann')).toBeDefined();
  const answer = await post(app, '/users', { username: 'eve', email: 'eve@example.org' }, headers);
  expect(answer.statusCode).toBe(401);
  expect(pageOf(answer).text).toContain('what you sent will be there, to be sent again');
});

test.each([2 * HOUR, -2 * HOUR])(
  'after a jump by %i ms a guesser waits a minute at most, and a link is good',
  async (by) => {
    const { app, clock, bob } = await start();
    const token = newToken();
    await transact(app.db, (trx) => insertInvitation(trx, bob.id, token, clock()));
    const guess = () => post(app, '/sign-in', { username: 'ann', password: 'wrong' });
    for (let failures = 0; failures < 4; failures++) await guess();
    expect((await guess()).statusCode).toBe(429);
    clock.move(by);
    expect((await guess()).statusCode).toBe(422);
    expect((await get(app, `/invitations/${token}`)).statusCode).toBe(200);
  },
);

test('a link from far in the future is over', async () => {
  const { app, clock, bob } = await start();
  const token = newToken();
  await transact(app.db, (trx) => insertInvitation(trx, bob.id, token, clock() + 72 * HOUR));
  expect((await get(app, `/invitations/${token}`)).statusCode).toBe(404);
});
