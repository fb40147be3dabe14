import { availableParallelism } from 'node:os';
import type { FastifyInstance } from 'fastify';
import { describe, expect, inject, test, vi } from 'vitest';
import { commandLine } from '../../src/auth/actor.ts';
import { findCredentials, setPassword } from '../../src/auth/credentials.ts';
import { COST, isOutdated } from '../../src/auth/password-hashing.ts';
import { FairQueue } from '../../src/auth/password-queue.ts';
import { prune } from '../../src/auth/pruning.ts';
import { insertSession } from '../../src/auth/sessions.ts';
import { hashOf } from '../../src/auth/tokens.ts';
import { transact } from '../../src/db/transact.ts';
import { changeUser } from '../../src/users/commands.ts';
import { pageOf } from '../page.ts';
import {
  addPerson,
  codeAt,
  HOUR,
  headersFor,
  movableClock,
  oldHash,
  PASSWORD,
  signedIn,
  signIn,
} from '../people.ts';
import { startRoster } from '../roster.ts';
import { addUser, cookieName, get, listen, post, startApp, temporaryDatabase } from '../support.ts';

async function startWithAnn(settings: Record<string, string> = {}) {
  const clock = movableClock();
  const app = await startApp(settings, undefined, clock);
  const ann = await addPerson(app.db, 'ann', 'admin');
  return { app, clock, ann };
}

/** What a browser sends along in which ann has signed in before, and out again. */
async function deviceOf(app: FastifyInstance) {
  const answer = await post(app, '/sign-in', { username: 'ann', password: PASSWORD });
  const device = answer.cookies.find(({ name }) => name === cookieName('device'));
  return { cookie: `${cookieName('device')}=${device?.value}` };
}

const WRONG = 'Username or password is wrong.';

describe('signing in', () => {
  test.each([
    'ann',
    'ANN',
    ' ann ',
    'ann@example.org',
    'Ann@Example.org',
    '\u2068ann@example.org\u2069',
    '\u200B\u00A0ann\u2060',
  ])('goes by %j', async (username) => {
    const { app } = await startWithAnn();
    const headers = await signIn(app, username);
    expect((await get(app, '/users', headers)).statusCode).toBe(200);
  });

  test('names an invisible character in the username, whoever has it', async () => {
    const { app } = await startWithAnn();
    for (const name of ['an\u200Bn', 'an\u00ADn@example.org', 'an\u2060other'])
      expect(pageOf(await post(app, '/sign-in', { username: name, password: PASSWORD })).text).toContain(
        'The username or email contains an invisible character after “an”.',
      );
  });

  test('leads to where someone was going, and nowhere else', async () => {
    const { app } = await startWithAnn();
    const door = await get(app, '/users?q=ann&page=2');
    expect(door.statusCode).toBe(303);
    const form = await get(app, String(door.headers.location));
    const next = pageOf(form).field('next');
    expect(next).toBe('/users?q=ann&page=2');
    const known = await deviceOf(app);
    const sent = await post(app, '/sign-in', { username: 'ann', password: PASSWORD, next }, known);
    expect(sent.headers.location).toBe('/users?q=ann&page=2');
    for (const next of ['https://evil.example/', '//evil.example', '/\\evil.example', '/..//evil.example']) {
      const form = await get(app, `/sign-in?next=${encodeURIComponent(next)}`);
      expect(pageOf(form).field('next')).toBe('/users');
      const sent = await post(app, '/sign-in', { username: 'ann', password: PASSWORD, next }, known);
      expect(sent.headers.location).toBe('/users');
    }
  });

  test('who is signed in goes on at once', async () => {
    const { app, ann } = await startWithAnn();
    const answer = await get(app, '/sign-in?next=%2Fusers%2F1', await signedIn(app, ann));
    expect([answer.statusCode, answer.headers.location]).toEqual([303, '/users/1']);
  });

  test('is the same answer for a wrong password and for everyone who has none', async () => {
    const { app } = await startWithAnn();
    await addPerson(app.db, 'max', 'member');
    await addPerson(app.db, 'gone', 'editor', { is_active: false });
    await addUser(app.db, { username: 'new', role: 'viewer' });
    const pages = [];
    const headers = new Set<string>();
    for (const username of ['ann', 'max', 'gone', 'new', 'nobody', 'nobody@example.org', '']) {
      const answer = await post(app, '/sign-in', {
        username,
        password: username === 'ann' ? 'wrong' : PASSWORD,
      });
      expect(answer.statusCode, username).toBe(422);
      expect(answer.cookies).toEqual([]);
      const key = pageOf(answer).field('key');
      pages.push(answer.body.replace(`value="${username}"`, 'value="…"').replace(key, '…'));
      headers.add(JSON.stringify({ ...answer.headers, date: '', 'x-request-id': '', 'content-length': '' }));
    }
    expect([new Set(pages).size, headers.size]).toEqual([1, 1]);
    expect(pageOf(pages[0] ?? '').text).toContain(WRONG);
  });

  test('keeps the name that was typed, and no password', async () => {
    const { app } = await startWithAnn();
    const { body } = await post(app, '/sign-in', {
      username: 'ann "the" <b>',
      password: 'lemon, my secret',
      next: '/roles',
    });
    expect(pageOf(body).field('username')).toBe('ann "the" <b>');
    expect(pageOf(body).field('password')).toBe('');
    expect(pageOf(body).field('next')).toBe('/roles');
    expect(body).not.toContain('lemon');
  });

  test('begins at the first field that is to be filled in, or at what is wrong', async () => {
    const { app } = await startWithAnn();
    await addPerson(app.db, 'bob', 'editor', { hasCode: true });
    expect(pageOf(await get(app, '/sign-in')).focused).toEqual(['username']);
    const wrong = await post(app, '/sign-in', { username: 'ann', password: 'wrong' });
    expect(pageOf(wrong).focused).toEqual([WRONG]);
    const code = await post(app, '/sign-in', { username: 'bob', password: PASSWORD });
    expect(pageOf(code).focused).toEqual(['code']);
  });

  test('is told with its first field that something was not done', async () => {
    const { app } = await startWithAnn();
    const page = pageOf(await post(app, '/users/1/delete', {}));
    expect(page.focused).toEqual(['username']);
    expect(page.input('username')).toMatchObject({ 'aria-describedby': 'notice' });
    expect(page.notices).toEqual([expect.stringContaining('nothing was changed')]);
  });

  test('asks for what password managers look for', async () => {
    const { app } = await startWithAnn();
    const page = pageOf(await get(app, '/sign-in'));
    expect(page.input('username')).toMatchObject({ id: 'username', type: 'text', autocomplete: 'username' });
    expect(page.input('password')).toMatchObject({
      id: 'password',
      type: 'password',
      autocomplete: 'current-password',
    });
    for (const input of page.inputs) {
      expect(input.autocomplete).not.toBe('off');
      for (const hindrance of ['onpaste', 'maxlength']) expect(input).not.toHaveProperty(hindrance);
    }
  });

  test('makes a new session each time, and ends the one that the browser had', async () => {
    const { app } = await startWithAnn();
    const first = await signIn(app, 'ann');
    const again = await post(app, '/sign-in', { username: 'ann', password: PASSWORD }, first);
    expect(again.statusCode).toBe(303);
    expect((await get(app, '/users', first)).statusCode).toBe(303);
    expect(await app.db.selectFrom('sessions').select('id').execute()).toHaveLength(1);
  });

  test('does not take up a cookie that somebody else has set', async () => {
    const { app } = await startWithAnn();
    const planted = headersFor(app, 'planted-by-someone-else-planted-by-someone-');
    await post(app, '/sign-in', { username: 'ann', password: PASSWORD }, planted);
    expect((await get(app, '/users', planted)).statusCode).toBe(303);
  });

  test('renews a hash that was made with less work', async () => {
    const { app, ann } = await startWithAnn();
    await transact(app.db, (trx) => setPassword(trx, ann.id, oldHash(PASSWORD), 1));
    expect(await signIn(app, 'ann', 'wrong')).toBeUndefined();
    expect(await findCredentials(app.db, ann.id)).toMatchObject({ password_hash: oldHash(PASSWORD) });
    expect(await signIn(app, 'ann')).toBeDefined();
    const { password_hash } = (await findCredentials(app.db, ann.id)) ?? { password_hash: '' };
    expect(isOutdated(password_hash, app.passwordCost)).toBe(false);
    expect(await signIn(app, 'ann')).toBeDefined();
  });

  test('renews it with all the work of today in a Roster that is started', async () => {
    const { address, url } = await startRoster();
    const db = await temporaryDatabase(url);
    const ann = await addPerson(db, 'ann', 'admin');
    const body = new URLSearchParams({ username: 'ann', password: PASSWORD });
    const { status } = await fetch(`${address}/sign-in`, { method: 'POST', body, redirect: 'manual' });
    expect(status).toBe(303);
    const { password_hash } = (await findCredentials(db, ann.id)) ?? { password_hash: '' };
    expect(isOutdated(password_hash)).toBe(false);
  });

  test('renews it once for two who come at once, and lets both in', async () => {
    const { app, ann } = await startWithAnn();
    await transact(app.db, (trx) => setPassword(trx, ann.id, oldHash(PASSWORD), 1));
    for (const headers of await Promise.all([signIn(app, 'ann'), signIn(app, 'ann')]))
      expect(headers).toBeDefined();
  });

  test('is refused when the password is changed while it is checked', async () => {
    const { app, ann } = await startWithAnn();
    const signing = post(app, '/sign-in', { username: 'ann', password: PASSWORD });
    await transact(app.db, (trx) => setPassword(trx, ann.id, oldHash('something else'), 2));
    expect((await signing).statusCode).toBe(422);
    expect(await app.db.selectFrom('sessions').select('id').execute()).toEqual([]);
  });

  test('takes a huge paste for what it is: wrong', async () => {
    const { app } = await startWithAnn();
    const answer = await post(app, '/sign-in', {
      username: 'x'.repeat(20_000),
      password: 'e\u0301'.repeat(5_000),
    });
    expect(answer.statusCode).toBe(422);
  });
});

describe('the cookie', () => {
  const signedInAt = async (settings: Record<string, string>, headers = {}) => {
    const { app } = await startWithAnn(settings);
    const answer = await post(app, '/sign-in', { username: 'ann', password: PASSWORD }, headers);
    return [answer.headers['set-cookie']].flat().join('\n');
  };

  test('cannot be set, or read, by anyone else where there is https', async () => {
    expect(await signedInAt({ ORIGIN: 'https://users.example.org', TRUST_PROXY: '10.0.0.1' })).toMatch(
      /^__Host-roster_session_\w{8}=[\w-]{43}; Max-Age=\d+; Path=\/; HttpOnly; Secure; SameSite=Lax$/m,
    );
  });

  test('has a plain name without Secure on plain HTTP', async () => {
    expect(await signedInAt({})).toMatch(
      /^roster_session_\w{8}=[\w-]{43}; Max-Age=\d+; Path=\/; HttpOnly; SameSite=Lax$/m,
    );
  });
});

describe('guessing', () => {
  test('makes one wait, says how long, and the right password works after that', async () => {
    const { app, clock } = await startWithAnn();
    for (let failures = 0; failures < 4; failures++)
      expect(await signIn(app, 'ann', 'wrong')).toBeUndefined();
    const waiting = await post(app, '/sign-in', { username: 'ann', password: PASSWORD, next: '/roles' });
    expect([waiting.statusCode, waiting.headers['retry-after']]).toEqual([429, '1']);
    expect(pageOf(waiting).text).toContain('Too many attempts. Wait 1 second, then try again.');
    expect(pageOf(waiting).field('next')).toBe('/roles');
    clock.move(1000);
    expect(await signIn(app, 'ann')).toBeDefined();
  });

  test('is counted by name, however it is written, and does not tell whose email belongs to a username', async () => {
    const { app } = await startWithAnn();
    const status = async (username: string) =>
      (await post(app, '/sign-in', { username, password: 'wrong' })).statusCode;
    for (const name of ['ann', 'bob']) {
      for (const typed of [name, name.toUpperCase(), ` ${name} `, name])
        expect(await status(typed)).toBe(422);
      expect(await status(name)).toBe(429);
      expect(await status(`${name}@example.org`)).toBe(422);
    }
  });

  test('at a name that nobody has waits just as long', async () => {
    const { app } = await startWithAnn();
    const statuses: Record<string, number[]> = { ann: [], nobody: [] };
    for (let failures = 0; failures < 6; failures++) {
      for (const name of ['ann', 'nobody'])
        statuses[name]?.push((await post(app, '/sign-in', { username: name, password: 'wrong' })).statusCode);
    }
    expect(statuses.ann).toEqual([422, 422, 422, 422, 429, 429]);
    expect(statuses.nobody).toEqual(statuses.ann);
  });

  test('is counted by where it comes from, as a proxy that is trusted says, and nobody else', async () => {
    const { app } = await startWithAnn({ TRUST_PROXY: '127.0.0.1' });
    const from = (address: string) =>
      post(app, '/sign-in', { username: 'ann', password: 'wrong' }, { 'x-forwarded-for': address });
    for (let failures = 0; failures < 4; failures++) await from('192.0.2.1');
    expect((await from('192.0.2.1')).statusCode).toBe(429);
    expect((await from('192.0.2.2')).statusCode).toBe(422);

    const { app: direct } = await startWithAnn();
    const claiming = (address: string) =>
      post(direct, '/sign-in', { username: 'ann', password: 'wrong' }, { 'x-forwarded-for': address });
    for (let failures = 0; failures < 4; failures++) await claiming(`192.0.2.${failures}`);
    expect((await claiming('192.0.2.99')).statusCode).toBe(429);
  });
});

/** Fewer than else may wait for their turn, so that fewer do: of all, and of one place. */
const MOST_WAITING = { all: 64, place: 24 };

/** Passwords take there what they really do: else none would have to wait. */
function shortenQueue(app: FastifyInstance): void {
  app.passwordCost = COST;
  app.passwordQueue = new FairQueue(availableParallelism(), MOST_WAITING);
}

/** Of how passwords wait to be checked, a hundred at once, which no database has to do with. */
const testQueue = test.skipIf(inject('engine') === 'postgres');

describe('many at once', () => {
  testQueue(
    'are all answered, those past the queue with a page that says to try again, and others are served meanwhile',
    async () => {
      const { app, ann } = await startWithAnn({ TRUST_PROXY: '127.0.0.1' });
      shortenQueue(app);
      const headers = await signedIn(app, ann);
      let answered = 0;
      const attempts = Array.from({ length: 110 }, async (_, index) => {
        const from = { 'x-forwarded-for': `2001:db8:${index.toString(16)}::1` };
        const answer = await post(
          app,
          '/sign-in',
          { username: 'ann', password: PASSWORD, next: '/roles' },
          from,
        );
        if (answer.statusCode === 303) answered++;
        return answer;
      });
      expect((await get(app, '/users', headers)).statusCode).toBe(200);
      expect(answered).toBeLessThan(32);
      const answers = await Promise.all(attempts);
      const busy = answers.filter(({ statusCode }) => statusCode === 503);
      expect(busy.length).toBeGreaterThan(25);
      expect(answered).toBe(110 - busy.length);
      expect(pageOf(busy[0]?.body ?? '').text).toContain('Too many people are signing in at this moment.');
      for (const { headers } of busy) expect(headers['retry-after']).toMatch(/^[1-5]$/);
      expect(pageOf(busy[0]?.body ?? '').field('next')).toBe('/roles');
    },
  );
});

describe('many at once from one address', () => {
  async function startCrowd() {
    const { app, clock } = await startWithAnn({ TRUST_PROXY: '127.0.0.1' });
    shortenQueue(app);
    const attempt = (address: string, password: string, username = 'ann') =>
      post(app, '/sign-in', { username, password }, { 'x-forwarded-for': address });
    return { app, clock, attempt };
  }

  test('keep nobody out who comes from elsewhere', async () => {
    const { attempt } = await startCrowd();
    const crowd = Array.from({ length: 120 }, (_, number) => attempt('192.0.2.1', 'wrong', `name${number}`));
    const others = Array.from({ length: 30 }, (_, number) => attempt(`198.51.100.${number}`, PASSWORD));
    for (const { statusCode } of await Promise.all(others)) expect(statusCode).toBe(303);
    const statuses = (await Promise.all(crowd)).map(({ statusCode }) => statusCode);
    // Twenty names are looked at; whoever has come in by then waits, or is turned away.
    expect(statuses.filter((status) => status === 422)).toHaveLength(20);
    expect(statuses.filter((status) => status === 429 || status === 503)).toHaveLength(100);
  });

  testQueue(
    'keep nobody out who comes from elsewhere, also with any number of browsers that are known',
    async () => {
      const { app, attempt } = await startCrowd();
      await addPerson(app.db, 'eve', 'viewer');
      const devices: string[] = [];
      for (let number = 0; number < 30; number++) {
        const { cookies } = await attempt(`198.51.100.${number}`, PASSWORD, 'eve');
        devices.push(cookies.find(({ name }) => name === cookieName('device'))?.value ?? '');
      }
      const crowd = Array.from({ length: 120 }, (_, number) =>
        post(
          app,
          '/sign-in',
          { username: 'eve', password: PASSWORD },
          { 'x-forwarded-for': '192.0.2.1', cookie: `${cookieName('device')}=${devices[number % 30]}` },
        ),
      );
      const others = Array.from({ length: 30 }, (_, number) => attempt(`203.0.113.${number}`, PASSWORD));
      for (const { statusCode } of await Promise.all(others)) expect(statusCode).toBe(303);
      await Promise.all(crowd);
    },
  );

  test('write nothing once they have to wait, and take no place where passwords are checked', async () => {
    const { app, clock, attempt } = await startCrowd();
    for (let number = 0; number < 20; number++) await attempt('192.0.2.1', 'wrong', `name${number}`);
    const rows = () => app.db.selectFrom('guesses').selectAll().orderBy('key_hash').execute();
    const before = await rows();
    expect(before).toHaveLength(21);
    const queue = vi.spyOn(app.passwordQueue, 'run');
    const crowd = Array.from({ length: 100 }, (_, number) =>
      attempt('192.0.2.1', PASSWORD, `other${number}`),
    );
    for (const { statusCode } of await Promise.all(crowd)) expect(statusCode).toBe(429);
    expect(queue).not.toHaveBeenCalled();
    expect(await rows()).toEqual(before);
    clock.move(1000);
    expect((await attempt('192.0.2.1', PASSWORD)).statusCode).toBe(303);
  });
});

describe('with a second factor', () => {
  const RECOVERY = 'Without your telephone? Use a recovery code';
  const ONLY_ONE = 'You are the only administrator?';

  async function startWithBob() {
    const { app, clock } = await startWithAnn();
    const codes = ['aaaa-bbbb-cccc', 'dddd-eeee-ffff'];
    const bob = await addPerson(app.db, 'bob', 'editor', {
      hasCode: true,
      recoveryHashes: codes.map(hashOf),
    });
    const askForCode = async () => {
      const page = await post(app, '/sign-in', { username: 'bob', password: PASSWORD, next: '/users/1' });
      return pageOf(page).field('ticket');
    };
    const sendCode = async (code: string, ticket?: string) =>
      post(app, '/sign-in', { ticket: ticket ?? (await askForCode()), code, next: '/users/1' });
    return { app, clock, bob, codes, askForCode, sendCode };
  }

  test('the password alone begins no session; the code does, and leads on', async () => {
    const { app, clock, sendCode } = await startWithBob();
    const page = await post(app, '/sign-in', { username: 'bob', password: PASSWORD, next: '/users/1' });
    expect([page.statusCode, page.cookies]).toEqual([200, []]);
    const form = pageOf(page);
    expect(form.heading).toBe('Enter your code');
    expect(form.input('code')).toMatchObject({ autocomplete: 'one-time-code', inputmode: 'numeric' });
    // On a telephone it has letters.
    expect(form.isOpen(RECOVERY)).toBe(false);
    expect(form.input('recovery_code')).toMatchObject({ type: 'text' });
    expect(form.input('recovery_code')).not.toHaveProperty('inputmode');
    expect(page.body).not.toContain(PASSWORD);
    expect(page.headers['cache-control']).toBe('no-store');
    const answer = await sendCode(codeAt(clock()), form.field('ticket'));
    expect(answer.statusCode).toBe(303);
    expect(answer.headers.location).toMatch(/^\/sign-in\?next=%2Fusers%2F1&check=/);
  });

  test('either code is enough, and whoever has none reads what to do', async () => {
    const { app } = await startWithBob();
    const page = pageOf(await post(app, '/sign-in', { username: 'bob', password: PASSWORD }));
    for (const name of ['code', 'recovery_code']) expect(page.input(name)).not.toHaveProperty('required');
    expect(page.text).toContain('Ask an administrator to remove your second factor.');
    expect(page.isOpen(ONLY_ONE)).toBe(false);
  });

  test('the command for the only administrator is folded up, and not there before somebody has tried', async () => {
    const { app } = await startWithBob();
    expect(pageOf(await get(app, '/sign-in')).text).not.toContain(ONLY_ONE);
    const wrong = pageOf(await post(app, '/sign-in', { username: 'bob', password: 'wrong' }));
    expect(wrong.isOpen(ONLY_ONE)).toBe(false);
    expect(wrong.text).toContain('npm run roster -- admin NAME');
  });

  test('starting again leads back to the password, and from there to where someone was going', async () => {
    const { app } = await startWithBob();
    const sent = { username: 'bob', password: PASSWORD, next: '/users/1' };
    const form = pageOf(await post(app, '/sign-in', sent)).form('Start again');
    const hidden = { again: form.field('again'), next: form.field('next') };
    const page = await post(app, '/sign-in', hidden);
    expect([page.statusCode, pageOf(page).heading]).toEqual([200, 'Sign in']);
    expect(pageOf(page).fields).not.toContain('ticket');
    expect(pageOf(page).field('next')).toBe('/users/1');
  });

  test('no code is taken twice, nor one from before it, not even by two at once', async () => {
    const { clock, sendCode } = await startWithBob();
    const code = codeAt(clock());
    const before = codeAt(clock() - 30_000);
    const both = await Promise.all([sendCode(code), sendCode(code)]);
    expect(both.map(({ statusCode }) => statusCode).sort()).toEqual([303, 422]);
    expect((await sendCode(before)).statusCode).toBe(422);
    clock.move(30_000);
    expect((await sendCode(codeAt(clock()))).statusCode).toBe(303);
  });

  test('a clock is a step off at most', async () => {
    const { clock, sendCode } = await startWithBob();
    expect((await sendCode(codeAt(clock() - 60_000))).statusCode).toBe(422);
    expect((await sendCode(codeAt(clock() + 60_000))).statusCode).toBe(422);
    expect((await sendCode(codeAt(clock() - 30_000))).statusCode).toBe(303);
    expect((await sendCode(codeAt(clock() + 30_000))).statusCode).toBe(303);
  });

  test('a recovery code signs in once, and how many are left is said', async () => {
    const { app, askForCode, sendCode } = await startWithBob();
    const answer = await sendCode('AAAA BBBB cccc');
    expect([answer.statusCode, answer.body]).toEqual([303, 'You are signed in; 1 recovery code is left.\n']);
    expect((await sendCode('aaaa-bbbb-cccc')).statusCode).toBe(422);
    const sent = { ticket: await askForCode(), code: '', recovery_code: 'aaaa-bbbb-cccc' };
    const refused = await post(app, '/sign-in', sent);
    expect(pageOf(refused).isOpen(RECOVERY)).toBe(true);
    expect(refused.body).not.toContain('The clock of this server');
    expect((await post(app, '/sign-in', { ...sent, recovery_code: 'dddd-eeee-ffff' })).statusCode).toBe(303);
    expect(JSON.stringify(await app.db.selectFrom('recovery_codes').selectAll().execute())).not.toContain(
      'dddd',
    );
  });

  test('guessing codes makes one wait, and the password does not start it anew', async () => {
    const { clock, sendCode } = await startWithBob();
    for (let failures = 0; failures < 4; failures++) expect((await sendCode('000000')).statusCode).toBe(422);
    const waiting = await sendCode(codeAt(clock()));
    expect(waiting.statusCode).toBe(429);
    expect(pageOf(waiting).field('ticket')).toBeTruthy();
    clock.move(1000);
    expect((await sendCode(codeAt(clock()))).statusCode).toBe(303);
  });

  test('the right password is good for five minutes, as long as it and its user stay as they are', async () => {
    const { app, clock, bob, askForCode, sendCode } = await startWithBob();
    const late = await askForCode();
    clock.move(5 * 60_000);
    const answer = await sendCode(codeAt(clock()), late);
    expect(answer.statusCode).toBe(422);
    expect(pageOf(answer).text).toContain(
      'Your sign-in took too long, or something has changed meanwhile: enter your password again.',
    );
    expect(pageOf(answer).fields).toContain('password');

    const outdated = await askForCode();
    await transact(app.db, (trx) => setPassword(trx, bob.id, oldHash('another one'), clock()));
    expect((await sendCode(codeAt(clock()), outdated)).statusCode).toBe(422);
    for (const ticket of ['', 'x', `${outdated}x`])
      expect((await sendCode(codeAt(clock()), ticket)).statusCode).toBe(422);
  });

  test('a password is hashed anew also for those who have one', async () => {
    const { app, clock, bob, askForCode, sendCode } = await startWithBob();
    await transact(app.db, (trx) => setPassword(trx, bob.id, oldHash(PASSWORD), 1));
    const ticket = await askForCode();
    const { password_hash } = (await findCredentials(app.db, bob.id)) ?? { password_hash: '' };
    expect(isOutdated(password_hash, app.passwordCost)).toBe(false);
    expect((await sendCode(codeAt(clock()), ticket)).statusCode).toBe(303);
  });

  test('someone deactivated after the password does not get in by the code', async () => {
    const { app, clock, bob, askForCode, sendCode } = await startWithBob();
    const ticket = await askForCode();
    await transact(app.db, (trx) => changeUser(trx, commandLine, bob.id, { is_active: false }, 1));
    expect((await sendCode(codeAt(clock()), ticket)).statusCode).toBe(422);
  });
});

describe('signing out', () => {
  test('ends the session, empties the cookie and the cache, and says so', async () => {
    const { app } = await startWithAnn();
    const headers = await signIn(app, 'ann');
    const answer = await post(app, '/sign-out', {}, headers);
    expect([answer.statusCode, answer.headers.location]).toEqual([303, '/sign-in']);
    expect(answer.headers['clear-site-data']).toBe('"cache"');
    expect(String(answer.headers['set-cookie'])).toMatch(/roster_session_\w{8}=; Max-Age=0; Path=\//);
    expect(answer.body).toBe('You are signed out.\n');
    expect((await get(app, '/users', headers)).statusCode).toBe(303);
    expect(await app.db.selectFrom('sessions').select('id').execute()).toEqual([]);
  });

  test('is not done by a link', async () => {
    const { app } = await startWithAnn();
    const headers = await signIn(app, 'ann');
    const page = await get(app, '/sign-out', headers);
    expect(page.statusCode).toBe(200);
    expect(pageOf(page).text).toContain('You are signed in as ann.');
    expect(pageOf(page).main.form('Sign out')).toMatchObject({ action: '/sign-out', method: 'post' });
    expect((await get(app, '/users', headers)).statusCode).toBe(200);
  });
});

test('what is old is forgotten every minute while Roster serves', async () => {
  const { app, clock } = await startWithAnn();
  const timers = vi.spyOn(globalThis, 'setInterval');
  await listen(app);
  const [prune, every] = timers.mock.calls.find(([, delay]) => delay === 60_000) ?? [];
  expect(every).toBe(60_000);
  await post(app, '/sign-in', { username: 'ann', password: 'wrong' });
  clock.move(2 * HOUR);
  (prune as () => void)();
  await app.close();
  expect(await app.db.selectFrom('guesses').selectAll().execute()).toEqual([]);
});

test('sessions that nobody will come back to are forgotten, in nobody’s request', async () => {
  const { app, clock, ann } = await startWithAnn();
  const session = { user_id: ann.id, address: '', browser: '' };
  await transact(app.db, (trx) => insertSession(trx, { ...session, token: 'old' }, clock() - 31 * 24 * HOUR));
  await transact(app.db, (trx) =>
    insertSession(trx, { ...session, token: 'late' }, clock() - 29 * 24 * HOUR),
  );
  await signIn(app, 'ann');
  expect(await app.db.selectFrom('sessions').select('id').execute()).toHaveLength(3);
  await prune(app.db, clock(), app.config.sessionIdle);
  const sessions = await app.db.selectFrom('sessions').select('token_hash').execute();
  expect(sessions.map(({ token_hash }) => token_hash)).toContain(hashOf('late'));
  expect(sessions).toHaveLength(2);
});
