/** Every form sent twice: at the same moment, and once more afterwards. It is one act, and all get one answer. */
import type { FastifyInstance } from 'fastify';
import { describe, expect, test } from 'vitest';
import { setCode } from '../src/auth/credentials.ts';
import { prune } from '../src/auth/pruning.ts';
import { sealSecret } from '../src/auth/second-factor-secrets.ts';
import { hashOf, newKey, newToken } from '../src/auth/tokens.ts';
import type { User } from '../src/db/schema.ts';
import { transact } from '../src/db/transact.ts';
import { dump } from './engines.ts';
import { ALICE, CHOSEN, FORMS, lastSet, startHouse } from './forms.ts';
import { pageOf } from './page.ts';
import {
  addPerson,
  CODE_SECRET,
  codeAt,
  HOUR,
  headersFor,
  movableClock,
  PASSWORD,
  signedIn,
} from './people.ts';
import { cookieName, get, interrupted, post, SECRET_KEY, startApp } from './support.ts';

/** Those that are not answered by what is kept, and why not. */
const OTHERS: Readonly<Record<string, string>> = {
  'POST /setup/:token': 'there is nobody yet: below',
  'POST /setup': 'leads to another form',
  'POST /first-steps/delete': 'writes a cookie alone',
  'POST /sign-in': 'is answered once it has been looked at who sends it: below',
  'POST /import': 'is a file: in `imports/routes.test.ts`',
  'POST /imports/:id': 'leaves nothing in the history: in `imports/routes.test.ts`',
  'POST /imports/:id/apply': 'begins what is done later: in `imports/routes.test.ts`',
  'POST /imports/:id/discard': 'leaves nothing in the history: in `imports/routes.test.ts`',
  'POST /history/:id/go-on': 'leaves nothing in the history by itself: in `jobs/jobs.test.ts`',
  'POST /drafts/delete': 'leaves nothing in the history: in `auth/drafts.test.ts`',
  'POST /sign-out': 'whoever is signed out is told the same',
  'POST /account/code': 'shows recovery codes once: below',
  'POST /account/recovery-codes': 'shows recovery codes once: below',
  'POST /users/:id/invitation/mail': 'in `invitations/mail.test.ts`, where there is a mail server',
};

function told({ statusCode, headers: { location }, body }: Awaited<ReturnType<typeof post>>) {
  return { statusCode, location, body };
}

function sessionOf({ cookies }: Awaited<ReturnType<typeof post>>) {
  return cookies.find(({ name }) => name === cookieName('session'))?.value;
}

/** What was done since, each in words; what is done twice stands there twice. */
async function doneSince({ db }: FastifyInstance, id: number): Promise<string[]> {
  const sets = await db.selectFrom('change_sets').selectAll().where('id', '>', id).execute();
  return sets.map(({ kind, event, subject_id, detail, users }) =>
    [kind, event, subject_id, detail, users].join(' '),
  );
}

test('every form is here', async () => {
  const { app } = await startHouse();
  const posts = [...app.rules.keys()].filter((route) => route.startsWith('POST '));
  expect(posts.sort()).toEqual([...Object.keys(FORMS), ...Object.keys(OTHERS)].sort());
});

describe.each(Object.entries(FORMS))('%s', (_route, prepare) => {
  test('sent twice at once and once more is one act with one answer', async () => {
    const house = await startHouse();
    const { app } = house;
    const { url, fields, headers = house.headers } = await prepare(house);
    const before = await lastSet(app);
    const send = () => post(app, url, { ...fields, key }, headers);
    const key = newToken();
    const [one, other] = await Promise.all([send(), send()]);
    expect(one.statusCode).toBe(303);
    expect(told(other)).toEqual(told(one));
    const acts = await doneSince(app, before);
    expect(acts.length).toBeGreaterThan(0);
    expect(new Set(acts).size).toBe(acts.length);
    // What follows is done by then.
    await app.scrub();
    const saved = await dump(app.db);
    expect(told(await send())).toEqual(told(one));
    expect(await dump(app.db)).toEqual(saved);
  });
});

describe('what was changed since the form was first sent', () => {
  const CHANGED_SINCE =
    'This was done already, when it was sent before, and was changed since. To do it once more, open the form anew.\n';

  test.each(['by themselves', 'by somebody else'])(
    '%s is told to whoever sends it again, and stays',
    async (who) => {
      const { app, eve, bob, headers } = await startHouse();
      const other =
        who === 'by themselves' ? headers : await signedIn(app, await addPerson(app.db, 'ed', 'admin'));
      const form = { full_name: 'Two', version: String(bob.version), key: newToken() };
      const save = (fields: Record<string, string>, by = headers) =>
        post(app, `/users/${bob.id}`, fields, by);
      const first = await save(form);
      await save({ full_name: 'Three' }, other);
      await post(app, `/users/${eve.id}`, { full_name: 'Eve' }, headers);
      const again = await save(form);
      expect(told(again)).toEqual({ ...told(first), body: CHANGED_SINCE });
      expect(pageOf(await get(app, `/users/${bob.id}`, headers)).heading).toBe('Three');
    },
  );

  test('a deletion that was taken back is not told as done', async () => {
    const { app, bob, headers } = await startHouse();
    const form = { key: newToken() };
    const remove = () => post(app, `/users/${bob.id}/delete`, form, headers);
    expect((await remove()).body).toBe('User bob deleted!\n');
    await post(
      app,
      `/users/${bob.id}/restore`,
      {},
      await signedIn(app, await addPerson(app.db, 'ed', 'admin')),
    );
    expect((await remove()).body).toBe(CHANGED_SINCE);
  });

  test('to be brought back with changes, as two versions of one act, is no change since', async () => {
    const { app, bob, headers } = await startHouse();
    await post(app, `/users/${bob.id}/delete`, {}, headers);
    const form = { full_name: 'Robert', key: newToken() };
    const restore = () => post(app, `/users/${bob.id}/restore`, form, headers);
    expect((await restore()).body).toBe('User bob is back!\n');
    expect((await restore()).body).toBe('User bob is back!\n');
  });
});

describe('the link to the first administrator', () => {
  test('makes one, sent twice at once and once more', async () => {
    const app = await startApp();
    const send = () => post(app, `/setup/${app.setupToken}`, { ...ALICE, ...CHOSEN, key });
    const key = newToken();
    const [one, other] = await Promise.all([send(), send()]);
    expect(sessionOf(one)).toBeDefined();
    expect(told(one)).toMatchObject({ statusCode: 303, body: 'You are the administrator.\n' });
    expect(told(other)).toEqual(told(one));
    expect(sessionOf(other)).toEqual(sessionOf(one));
    const saved = await dump(app.db);
    expect(told(await send())).toEqual(told(one));
    expect(await dump(app.db)).toEqual(saved);
    expect(sessionOf(await send())).toEqual(sessionOf(one));
    const cookie = `${cookieName('session')}=${sessionOf(one)}`;
    await post(app, '/sign-out', {}, { cookie, 'sec-fetch-site': 'same-origin' });
    expect((await send()).statusCode).toBe(409);
  });

  test('lets in by its form alone for five minutes, and after that its browser', async () => {
    const clock = movableClock();
    const app = await startApp({}, undefined, clock);
    const fields = { ...ALICE, ...CHOSEN, key: newToken() };
    const send = (headers = {}) => post(app, `/setup/${app.setupToken}`, fields, headers);
    const headers = headersFor(app, sessionOf(await send()) ?? '');
    clock.move(5 * 60_000 - 1);
    expect((await send()).statusCode).toBe(303);
    clock.move(1);
    const late = await send();
    expect([late.statusCode, sessionOf(late)]).toEqual([409, undefined]);
    expect(sessionOf(await send(headers))).toBeDefined();
  });
});

describe('recovery codes', () => {
  const shown = (answer: Awaited<ReturnType<typeof post>>) =>
    answer.body.includes('Keep these recovery codes');

  test('are shown to the first click that sets the second factor; the others say that it is set', async () => {
    const { app, headers, clock } = await startHouse();
    const page = pageOf(await get(app, '/account/code', headers));
    const secret = page.secret.replaceAll(' ', '');
    const fields = { sealed: page.field('sealed'), code: codeAt(clock(), secret), password: PASSWORD };
    const send = () => post(app, '/account/code', { ...fields, key: page.field('key') }, headers);
    const answers = [...(await Promise.all([send(), send()])), await send()];
    expect(answers.filter(shown)).toHaveLength(1);
    for (const answer of answers.filter((other) => !shown(other)))
      expect(told(answer)).toEqual({
        statusCode: 303,
        location: '/account',
        body: 'Your second factor is set already. If you have not kept its recovery codes, make new ones in your account.\n',
      });
    expect(JSON.stringify(await dump(app.db))).not.toContain(secret);
  });

  test('that are new are shown to the first click, and stay the ones that work', async () => {
    const { app, headers, clock } = await startHouse();
    const page = pageOf(await get(app, '/account/code', headers));
    const code = codeAt(clock(), page.secret.replaceAll(' ', ''));
    await post(app, '/account/code', { sealed: page.field('sealed'), code, password: PASSWORD }, headers);
    const key = newToken();
    const present_code = codeAt(clock() + 30_000, page.secret.replaceAll(' ', ''));
    const fields = { password: PASSWORD, present_code, key };
    const send = () => post(app, '/account/recovery-codes', fields, headers);
    const answers = [...(await Promise.all([send(), send()])), await send()];
    const [first, ...more] = answers.filter(shown);
    expect(more).toEqual([]);
    const codes = pageOf(first ?? '').items.filter((item) => /^\S{4}(-\S{4}){2}$/.test(item));
    const kept = await app.db.selectFrom('recovery_codes').select('code_hash').execute();
    expect(codes).toHaveLength(10);
    expect(kept.map(({ code_hash }) => code_hash).sort()).toEqual(codes.map((one) => hashOf(one)).sort());
    for (const answer of answers.filter((other) => !shown(other)))
      expect(answer.body).toBe(
        'You have new recovery codes already. Make new ones again if you have not kept any.\n',
      );
  });
});

describe('a new password', () => {
  const change = (app: FastifyInstance, headers: Record<string, string>, key: string) =>
    post(app, '/account/password', { current_password: PASSWORD, ...CHOSEN, key }, headers);

  test('keeps the browser signed in, whichever of two answers arrives there', async () => {
    const { app, headers } = await startHouse();
    const key = newToken();
    const answers = await Promise.all([change(app, headers, key), change(app, headers, key)]);
    // With the cookie of before: the first answer has not arrived.
    answers.push(await change(app, headers, key));
    for (const answer of answers)
      expect((await get(app, '/account', headersFor(app, tokenIn(answer)))).statusCode).toBe(200);
    expect((await get(app, '/account', headers)).headers.location).toContain('/sign-in');
  });

  test('is told the same where the first click was saved while the second was looked at', async () => {
    const { app, headers, clock } = await startHouse();
    const key = newToken();
    const first = Promise.withResolvers<Awaited<ReturnType<typeof post>>>();
    const isUser = (row: object) => 'search_text' in row;
    const db = interrupted(app.db, isUser, async () => first.resolve(await change(app, headers, key)));
    const second = await change(await startApp({}, db, clock), headers, key);
    expect(told(second)).toEqual(told(await first.promise));
    expect((await get(app, '/account', headersFor(app, tokenIn(second)))).statusCode).toBe(200);
  });

  test('gives no session for the former cookie alone, nor for the form alone, nor for another form', async () => {
    const { app, headers } = await startHouse();
    const key = newToken();
    expect((await change(app, headers, key)).statusCode).toBe(303);
    const fresh = { 'sec-fetch-site': 'same-origin' };
    const answers = [
      await change(app, headers, newToken()),
      await change(app, fresh, key),
      await change(app, headersFor(app, newToken()), key),
      await post(app, '/account/password', { current_password: PASSWORD, ...CHOSEN, x: '1', key }, headers),
    ];
    for (const answer of answers) {
      expect(answer.statusCode).toBe(401);
      expect(tokenIn(answer)).toBe('');
    }
  });

  test('sent again once its browser is signed out leads to signing in', async () => {
    const { app, headers } = await startHouse();
    const key = newToken();
    const token = tokenIn(await change(app, headers, key));
    await post(app, '/sign-out', {}, headersFor(app, token));
    expect((await change(app, headers, key)).statusCode).toBe(401);
  });
});

type Answer = Awaited<ReturnType<typeof post>>;

const tokenIn = ({ cookies }: Answer) =>
  cookies.find(({ name }) => name === cookieName('session'))?.value ?? '';

async function sessionsOf({ db }: FastifyInstance, { id }: User): Promise<number> {
  return (await db.selectFrom('sessions').select('id').where('user_id', '=', id).execute()).length;
}

describe('signing in', () => {
  async function atTheDoor() {
    const house = await startHouse();
    const { app, bob } = house;
    const zoe = await addPerson(app.db, 'zoe', 'editor');
    const fields = { username: 'zoe', password: PASSWORD, next: `/users/${bob.id}`, key: newToken() };
    const send = (headers = {}, more = {}) => post(app, '/sign-in', { ...fields, ...more }, headers);
    return { ...house, zoe, send };
  }

  test('twice at once and once more begins one session, whichever answer arrives', async () => {
    const { app, zoe, send } = await atTheDoor();
    const answers = [...(await Promise.all([send(), send()])), await send()];
    const [one, ...others] = answers.map(told);
    expect(one?.statusCode).toBe(303);
    for (const other of others) expect(other).toEqual(one);
    expect(await sessionsOf(app, zoe)).toBe(1);
    for (const answer of answers)
      expect((await get(app, '/account', headersFor(app, tokenIn(answer)))).statusCode).toBe(200);
    expect(new Set(answers.map(tokenIn)).size).toBe(1);
  });

  test('once more in the browser that has the session goes on with it', async () => {
    const { app, zoe, send } = await atTheDoor();
    const headers = headersFor(app, tokenIn(await send()));
    expect(tokenIn(await send(headers))).toBe(tokenIn(await send()));
    expect((await get(app, '/account', headers)).statusCode).toBe(200);
    expect(await sessionsOf(app, zoe)).toBe(1);
  });

  test('again after it was signed out there, or after twelve hours, begins another session', async () => {
    const { app, clock, send } = await atTheDoor();
    const tokens = [tokenIn(await send())];
    await post(app, '/sign-out', {}, headersFor(app, tokens[0] ?? ''));
    tokens.push(tokenIn(await send()));
    clock.move(13 * HOUR);
    tokens.push(tokenIn(await send()));
    expect(new Set(tokens).size).toBe(3);
    const statuses = [];
    for (const token of tokens)
      statuses.push((await get(app, '/account', headersFor(app, token))).statusCode);
    expect(statuses).toEqual([303, 303, 200]);
  });

  test('gives no session to another form, nor to one without a key or with a wrong password', async () => {
    const { app, zoe, send } = await atTheDoor();
    const tokens = [tokenIn(await send())];
    for (const more of [{ key: newToken() }, { key: '' }, { key: '' }, { next: '/users' }])
      tokens.push(tokenIn(await send({}, more)));
    expect(tokens).not.toContain('');
    expect(new Set(tokens).size).toBe(5);
    expect(await sessionsOf(app, zoe)).toBe(5);
    expect(tokenIn(await send({}, { password: 'wrong' }))).toBe('');
  });

  test('is asked for the password again, and refused once it is another one', async () => {
    const { app, zoe, send } = await atTheDoor();
    const headers = headersFor(app, tokenIn(await send()));
    const change = { current_password: PASSWORD, ...CHOSEN };
    expect((await post(app, '/account/password', change, headers)).statusCode).toBe(303);
    const answer = await send();
    expect([answer.statusCode, tokenIn(answer)]).toEqual([422, '']);
    expect(await sessionsOf(app, zoe)).toBe(1);
  });

  test('is given nothing where the password is not looked at, nor without the second factor set since', async () => {
    const { app, clock, zoe, send } = await atTheDoor();
    expect(tokenIn(await send())).not.toBe('');
    await transact(app.db, (trx) =>
      setCode(trx, zoe.id, {
        sealed: sealSecret(SECRET_KEY, zoe.id, CODE_SECRET),
        step: 0,
        recoveryHashes: [],
      }),
    );
    for (let failures = 0; failures < 4; failures++) await send({}, { password: 'wrong' });
    const waiting = await send();
    expect([waiting.statusCode, tokenIn(waiting)]).toEqual([429, '']);
    clock.move(HOUR);
    const asked = await send();
    expect([asked.statusCode, tokenIn(asked)]).toEqual([200, '']);
    expect(pageOf(asked).field('ticket')).not.toBe('');
  });

  test('keeps nothing that would let anybody in', async () => {
    const { app, send } = await atTheDoor();
    const token = tokenIn(await send());
    const kept = await app.db.selectFrom('kept_answers').selectAll().execute();
    expect(kept).toHaveLength(1);
    expect(JSON.stringify(await dump(app.db))).not.toContain(token);
  });
});

describe('signing in with a code', () => {
  async function atTheCode() {
    const house = await startHouse();
    const { app, clock, eve } = house;
    const asked = await post(app, '/sign-in', { username: 'eve', password: PASSWORD, key: newToken() });
    const page = pageOf(asked).form('Sign in');
    const fields = { next: '/users/2', ticket: page.field('ticket'), code: codeAt(clock()) };
    const send = (headers = {}, more = {}) =>
      post(app, '/sign-in', { ...fields, key: page.field('key'), ...more }, headers);
    return { ...house, send, sessionsOfEve: () => sessionsOf(app, eve) };
  }
  const TOO_LATE = 'Your sign-in took too long, or something has changed meanwhile';

  test('twice at once and once more begins one session, whichever answer arrives', async () => {
    const { app, send, sessionsOfEve } = await atTheCode();
    const answers = [...(await Promise.all([send(), send()])), await send()];
    const [one, ...others] = answers.map(told);
    expect(one?.statusCode).toBe(303);
    for (const other of others) expect(other).toEqual(one);
    expect(await sessionsOfEve()).toBe(1);
    for (const answer of answers)
      expect((await get(app, '/account', headersFor(app, tokenIn(answer)))).statusCode).toBe(200);
  });

  test('is given to the form alone for as long as its ticket is good, and to its browser after that', async () => {
    const { app, clock, send } = await atTheCode();
    const headers = headersFor(app, tokenIn(await send()));
    clock.move(5 * 60_000 - 1);
    expect((await send()).statusCode).toBe(303);
    clock.move(1);
    const late = await send();
    expect([late.statusCode, tokenIn(late)]).toEqual([422, '']);
    expect(pageOf(late).text).toContain(TOO_LATE);
    expect((await send(headers)).statusCode).toBe(303);
    expect((await get(app, '/account', headers)).statusCode).toBe(200);
  });

  test('is given to nobody who sends another form with the same code, or once its session has ended', async () => {
    const { app, send } = await atTheCode();
    const headers = headersFor(app, tokenIn(await send()));
    for (const more of [{ key: newToken() }, { key: '' }, { next: '/users' }, { ticket: newToken() }])
      expect((await send({}, more)).statusCode).toBe(422);
    await post(app, '/sign-out', {}, headers);
    const answer = await send();
    expect([answer.statusCode, tokenIn(answer)]).toEqual([422, '']);
  });

  test('with a wrong code is told so, however often it is sent', async () => {
    const { send } = await atTheCode();
    const code = '000000';
    for (const answer of [await send({}, { code }), await send({}, { code })])
      expect(pageOf(answer).text).toContain('That code is wrong, or it has been used.');
  });
});

describe('the same key', () => {
  test('with other content, at another address or from someone else is another act', async () => {
    const { app, headers, eve, bob } = await startHouse();
    const key = newToken();
    const send = async (url: string, fields: Record<string, string>, as = headers) =>
      (await post(app, url, { ...fields, key }, as)).body;
    expect(await send('/users', ALICE)).toBe('User alice created!\n');
    expect(await send('/users', { username: 'carol', email: 'c@example.org' })).toBe('User carol created!\n');
    expect(await send(`/users/${bob.id}`, { full_name: 'X' })).toBe('User bob updated!\n');
    expect(await send(`/users/${eve.id}`, { full_name: 'X' })).toBe('User eve updated!\n');
    const zoe = await addPerson(app.db, 'zoe', 'editor');
    const byZoe = await post(app, '/users', { ...ALICE, key }, await signedIn(app, zoe));
    expect(byZoe.statusCode).toBe(422);
    expect(pageOf(byZoe).text).toContain('already belongs to alice');
  });

  test('is asked for by nothing: without one, or with none of ours, all works as it did', async () => {
    const { app, headers, bob } = await startHouse();
    for (const [key, sent] of [
      [{}, ALICE],
      [{ key: 'short' }, { username: 'carol', email: 'c@example.org' }],
    ] as const) {
      expect((await post(app, '/users', { ...sent, ...key }, headers)).statusCode).toBe(303);
      expect((await post(app, '/users', { ...sent, ...key }, headers)).statusCode).toBe(422);
    }
    const answers = await Promise.all([1, 2].map(() => post(app, `/users/${bob.id}/delete`, {}, headers)));
    expect(answers.map(({ statusCode }) => statusCode).sort()).toEqual([303, 404]);
    expect((await post(app, `/users/${bob.id}/delete`, {}, headers)).statusCode).toBe(404);
    expect(await app.db.selectFrom('kept_answers').selectAll().execute()).toEqual([]);
  });

  test('is not known of what was refused: put right, or free by now, the form is sent anew', async () => {
    const { app, headers, bob } = await startHouse();
    const key = newToken();
    const send = () => post(app, '/users', { ...ALICE, username: 'bob', key }, headers);
    expect((await send()).statusCode).toBe(422);
    await post(app, `/users/${bob.id}/delete`, {}, headers);
    expect((await send()).body).toBe('User bob created!\n');
  });

  test('gives no answer to whoever may not ask any more', async () => {
    const { app, headers, ann, bob } = await startHouse();
    const key = newToken();
    const send = () => post(app, `/users/${bob.id}/delete`, { key }, headers);
    const root = await addPerson(app.db, 'root', 'admin');
    const byRoot = await signedIn(app, root);
    expect((await send()).statusCode).toBe(303);
    await post(app, `/users/${ann.id}/sessions/delete`, {}, byRoot);
    expect((await send()).statusCode).toBe(401);
    await post(app, `/users/${ann.id}`, { role: 'viewer' }, byRoot);
    const viewing = await signedIn(app, ann);
    expect((await post(app, `/users/${bob.id}/delete`, { key }, viewing)).statusCode).toBe(403);
  });

  test('is kept nowhere, and what is kept says nothing to whoever has the database', async () => {
    const { app, headers } = await startHouse();
    const key = newToken();
    const answer = await post(app, '/invite', { email: 'zed@example.org', role: 'viewer', key }, headers);
    expect(answer.headers.location).toContain(key);
    const [kept] = await app.db.selectFrom('kept_answers').selectAll().execute();
    expect(kept?.answer).toMatch(/^[\w-]+$/);
    expect(JSON.stringify(await dump(app.db))).not.toContain(key);
  });

  test('lies beside those of forms that were shown at the same time', async () => {
    const { app, headers } = await startHouse();
    const [key, next] = [newKey(1_800_000_000_000), newKey(1_800_000_000_000)];
    await post(app, '/users', { ...ALICE, key }, headers);
    await post(app, '/users', { username: 'carl', email: 'carl@example.org', key: next }, headers);
    const kept = await app.db.selectFrom('kept_answers').select('hash').execute();
    expect(kept.map(({ hash }) => hash.slice(0, 8))).toEqual([key.slice(0, 8), key.slice(0, 8)]);
    expect(new Set(kept.map(({ hash }) => hash.slice(8))).size).toBe(2);
  });

  test('is remembered for a day', async () => {
    const { app, headers, clock } = await startHouse();
    const key = newToken();
    const send = () => post(app, '/users', { ...ALICE, key }, headers);
    await send();
    await prune(app.db, clock() + 23 * HOUR, HOUR);
    expect((await send()).statusCode).toBe(303);
    await prune(app.db, clock() + 25 * HOUR, HOUR);
    expect((await send()).statusCode).toBe(422);
  });
});
