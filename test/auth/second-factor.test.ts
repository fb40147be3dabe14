/** Codes, and how many of them someone may guess. */
import { describe, expect, test, vi } from 'vitest';
import { giveUpSecondFactors } from '../../src/auth/credentials.ts';
import { MOST_FAILURES } from '../../src/auth/second-factor.ts';
import { hashOf, newToken } from '../../src/auth/tokens.ts';
import { transact } from '../../src/db/transact.ts';
import { pageOf } from '../page.ts';
import { addPerson, codeAt, movableClock, PASSWORD, signedIn } from '../people.ts';
import { get, post, startApp } from '../support.ts';

async function start() {
  const clock = movableClock();
  const app = await startApp({ TRUST_PROXY: '127.0.0.1' }, undefined, clock);
  const ann = await addPerson(app.db, 'ann', 'admin');
  const recoveryHashes = ['aaaa-bbbb-cccc', 'dddd-eeee-ffff'].map(hashOf);
  const bob = await addPerson(app.db, 'bob', 'editor', { hasCode: true, recoveryHashes });
  let sent = 0;
  // From another network each time.
  const from = () => ({ 'x-forwarded-for': `2001:db8:${(++sent).toString(16)}::1` });
  const askForCode = async () => {
    const page = await post(app, '/sign-in', { username: 'bob', password: PASSWORD }, from());
    return { page, ticket: pageOf(page).field('ticket') };
  };
  const { ticket } = await askForCode();
  const send = (code: string, by = ticket) => post(app, '/sign-in', { ticket: by, code }, from());
  return { app, clock, ann, bob, ticket, askForCode, send };
}

/** As if so many wrong codes had been sent, the last of them long ago. */
async function fail({ app, bob }: Awaited<ReturnType<typeof start>>, times: number): Promise<void> {
  await transact(app.db, (trx) =>
    trx
      .updateTable('credentials')
      .set({ code_failures: times, code_failed_at: 0 })
      .where('user_id', '=', bob.id)
      .execute(),
  );
}

describe('wrong codes', () => {
  test('are counted by account, from wherever they come, and make one wait a little longer each time', async () => {
    const { clock, send } = await start();
    for (const wait of [0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 60, 60]) {
      // Too early by a moment is too early, also for what is right.
      clock.move(Math.max(0, wait * 1000 - 1));
      if (wait > 0) expect((await send(codeAt(clock()))).headers['retry-after']).toBe('1');
      clock.move(wait > 0 ? 1 : 0);
      expect((await send('000000')).statusCode).toBe(422);
    }
    clock.move(60_000);
    expect((await send(codeAt(clock()))).statusCode).toBe(303);
  });

  test('are not the one that has just been right, sent by a second click', async () => {
    const { app, clock, send, askForCode } = await start();
    const { ticket } = await askForCode();
    const code = codeAt(clock());
    expect((await send(code)).statusCode).toBe(303);
    expect((await send(code, ticket)).statusCode).toBe(422);
    const failures = app.db.selectFrom('credentials').select('code_failures').where('code_failures', '>', 0);
    expect(await failures.execute()).toEqual([]);
  });

  test('that come too late are noted, but not the second click on one that has let somebody in', async () => {
    const { app, clock, ticket } = await start();
    const noted = vi.spyOn(app, 'auditOften');
    const fields = { ticket, code: codeAt(clock()), key: newToken() };
    for (let click = 1; click <= 2; click++)
      expect((await post(app, '/sign-in', fields)).statusCode).toBe(303);
    expect(noted).not.toHaveBeenCalled();
    expect((await post(app, '/sign-in', { ...fields, key: newToken() })).statusCode).toBe(422);
    expect(noted.mock.calls.map(([, event]) => event)).toEqual(['sign-in failed: too late']);
  });

  test('do not get ahead of the counting when they come at once', async () => {
    const { send } = await start();
    const answers = await Promise.all(Array.from({ length: 20 }, () => send('000000')));
    expect(answers.filter(({ statusCode }) => statusCode === 422)).toHaveLength(4);
  });

  test('lock the second factor after a hundred in a row, for a right code, too', async () => {
    const started = await start();
    const { clock, send } = started;
    await fail(started, MOST_FAILURES - 1);
    expect((await send('000000')).statusCode).toBe(422);
    clock.move(60_000);
    const { ticket } = await started.askForCode();
    const answer = await send(codeAt(clock()), ticket);
    expect(answer.statusCode).toBe(422);
    expect(pageOf(answer).text).toContain('After 100 wrong codes none is taken any more.');
  });

  test('one fewer do not', async () => {
    const started = await start();
    await fail(started, MOST_FAILURES - 1);
    expect((await started.send(codeAt(started.clock()))).statusCode).toBe(303);
  });

  test('are forgotten with a recovery code, which nobody has to wait with, and the owner hears of them', async () => {
    const started = await start();
    const { clock, send, askForCode } = started;
    await fail(started, MOST_FAILURES);
    const answer = await send('aaaa-bbbb-cccc');
    expect([answer.statusCode, answer.body]).toEqual([
      303,
      'You are signed in; 1 recovery code is left. 100 wrong codes were sent with your password before. If that was not you, change your password.\n',
    ]);
    const { ticket } = await askForCode();
    expect((await send(codeAt(clock()), ticket)).body).toBe('');
  });

  test('are forgotten when an administrator removes the second factor', async () => {
    const started = await start();
    const { app, ann, bob } = started;
    await fail(started, MOST_FAILURES);
    const headers = await signedIn(app, ann);
    expect(pageOf(await get(app, `/users/${bob.id}`, headers)).text).toContain('Locked');
    expect((await post(app, `/users/${bob.id}/code/delete`, {}, headers)).statusCode).toBe(303);
    const answer = await post(app, '/sign-in', { username: 'bob', password: PASSWORD });
    expect([answer.statusCode, answer.body]).toEqual([
      303,
      'You are signed in. 100 wrong codes were sent with your password before. If that was not you, change your password.\n',
    ]);
    expect((await post(app, '/sign-in', { username: 'bob', password: PASSWORD })).body).toBe('');
    expect(pageOf(await get(app, `/users/${bob.id}`, headers)).text).not.toContain('Locked');
  });

  test('or anything else that changes while someone looks for their telephone lead back to the password', async () => {
    const { app, ann, bob, clock, send, askForCode } = await start();
    const { ticket } = await askForCode();
    await post(app, `/users/${bob.id}/code/delete`, {}, await signedIn(app, ann));
    const answer = await send(codeAt(clock()), ticket);
    expect(answer.statusCode).toBe(422);
    expect(pageOf(answer).text).toContain('something has changed meanwhile: enter your password again.');
    expect(pageOf(answer).fields).not.toContain('ticket');
  });

  test('are told to the owner at the next sign-in', async () => {
    const { clock, send } = await start();
    await send('000000');
    expect((await send(codeAt(clock()))).body).toBe(
      'You are signed in. A wrong code was sent with your password before. If that was not you, change your password.\n',
    );
  });

  test.each(['/account/recovery-codes', '/account/code', '/account/code/delete'])(
    'are told where a right one comes at %s, and hold up nobody after that',
    async (address) => {
      const { app, clock, bob, send } = await start();
      const headers = await signedIn(app, bob);
      const shown = pageOf(await get(app, '/account/code', headers));
      await send('000000');
      const secret = shown.secret.replaceAll(' ', '');
      const fields = { sealed: shown.field('sealed'), code: codeAt(clock(), secret), password: PASSWORD };
      const changed = await post(app, address, { ...fields, present_code: codeAt(clock()) }, headers);
      expect(changed.statusCode).toBeLessThan(400);
      expect(changed.body).toContain('A wrong code was sent with your password before.');
      const { code_failures } = await app.db
        .selectFrom('credentials')
        .select('code_failures')
        .where('user_id', '=', bob.id)
        .executeTakeFirstOrThrow();
      expect(code_failures).toBe(0);
    },
  );

  test('are none when what was typed is no code', async () => {
    const { app, send } = await start();
    for (const typed of ['', '12345', '1234567', 'abcdef', 'aaaa-bbbb']) {
      const answer = await send(typed);
      expect(answer.statusCode).toBe(422);
      expect(pageOf(answer).text).toContain(
        'That is not a code: enter six digits, or one of your recovery codes.',
      );
      expect(pageOf(answer).field('ticket')).toMatch(/^[\w-]{43}$/);
    }
    const failures = app.db.selectFrom('credentials').select('code_failures').where('code_failures', '>', 0);
    expect(await failures.execute()).toEqual([]);
  });

  test('typed in other digits, with dashes and what nobody sees, are right ones', async () => {
    const { clock, send, askForCode } = await start();
    const inArabic = [...codeAt(clock())]
      .map((digit) => String.fromCodePoint(0x660 + Number(digit)))
      .join('');
    expect((await send(`\u200e${inArabic.slice(0, 3)}-${inArabic.slice(3)}\ufeff`)).statusCode).toBe(303);
    clock.move(60_000);
    const { ticket } = await askForCode();
    const wide = [...codeAt(clock())].map((digit) => String.fromCodePoint(0xff10 + Number(digit))).join('');
    expect((await send(wide, ticket)).statusCode).toBe(303);
  });
});

describe('a right password that waits for its code', () => {
  test('signs in once, also where two send the code at once', async () => {
    const { app, clock, send, askForCode } = await start();
    const { ticket } = await askForCode();
    const answers = await Promise.all([send('aaaa-bbbb-cccc', ticket), send('dddd-eeee-ffff', ticket)]);
    expect(answers.map(({ statusCode }) => statusCode).sort()).toEqual([303, 422]);
    const refused = answers.find(({ statusCode }) => statusCode === 422);
    expect(pageOf(refused?.body ?? '').text).toContain(
      'Your sign-in took too long, or something has changed meanwhile',
    );
    expect((await send(codeAt(clock()), ticket)).statusCode).toBe(422);
    expect(await app.db.selectFrom('sessions').select('id').execute()).toHaveLength(1);
    // The other code has not been used up for nothing.
    expect(await app.db.selectFrom('recovery_codes').select('user_id').execute()).toHaveLength(1);
  });

  test('signs in one of two browsers where both send the same recovery code at once', async () => {
    const { app, send, askForCode } = await start();
    const tickets = [(await askForCode()).ticket, (await askForCode()).ticket];
    const answers = await Promise.all(tickets.map((ticket) => send('aaaa-bbbb-cccc', ticket)));
    expect(answers.map(({ statusCode }) => statusCode).sort()).toEqual([303, 422]);
    expect(await app.db.selectFrom('recovery_codes').select('user_id').execute()).toHaveLength(1);
  });

  test('is known by a hash alone, and the page that asks for the code is neither kept nor compressed', async () => {
    const { app } = await start();
    const page = await post(
      app,
      '/sign-in',
      { username: 'bob', password: PASSWORD, next: `/users?q=${'x'.repeat(2000)}` },
      { 'accept-encoding': 'br, gzip' },
    );
    expect(page.headers['cache-control']).toBe('no-store');
    expect(page.headers['content-encoding']).toBe('identity');
    const ticket = pageOf(page).field('ticket');
    expect(ticket).toMatch(/^[\w-]{43}$/);
    const rows = await app.db.selectFrom('tickets').selectAll().execute();
    expect(JSON.stringify(rows)).not.toContain(ticket);
    expect(rows.map(({ token_hash }) => token_hash)).toContain(hashOf(ticket));
    const wrong = await post(app, '/sign-in', { ticket, code: '000000' });
    expect([wrong.statusCode, wrong.headers['cache-control']]).toEqual([422, 'no-store']);
  });
});

test('a second factor that is not there any more is removed by nobody, and said so', async () => {
  const { app, ann, bob } = await start();
  const headers = await signedIn(app, ann);
  const remove = () => post(app, `/users/${bob.id}/code/delete`, { key: newToken() }, headers);
  expect((await remove()).body).toBe('The second factor of bob is removed.\n');
  await signedIn(app, bob);
  expect((await remove()).body).toBe('bob has no second factor.\n');
  const sessions = app.db.selectFrom('sessions').select('id').where('user_id', '=', bob.id);
  expect(await sessions.execute()).toHaveLength(1);
  const events = app.db.selectFrom('change_sets').select('id').where('event', '=', 'second factor removed');
  expect(await events.execute()).toHaveLength(1);
});

test('without the key nobody with a second factor signs in, by no code and no password', async () => {
  const { app, clock, send } = await start();
  await transact(app.db, giveUpSecondFactors);
  expect((await send(codeAt(clock()))).statusCode).toBe(422);
  const answer = await post(app, '/sign-in', { username: 'bob', password: PASSWORD });
  expect(answer.statusCode).toBe(422);
  expect(pageOf(answer).text).toContain('Your second factor cannot be checked any more');
  expect(pageOf(answer).fields).not.toContain('ticket');
  expect(await app.db.selectFrom('sessions').select('id').execute()).toEqual([]);
});

test('without the key an only administrator who is signed in reads there, too, how to get rid of it', async () => {
  const { app, bob } = await start();
  const headers = await signedIn(app, bob);
  await transact(app.db, giveUpSecondFactors);
  const sent = { password: PASSWORD, present_code: '123456' };
  const page = pageOf(await post(app, '/account/code/delete', sent, headers));
  expect(page.text).toContain('If you are the only one: npm run roster -- admin NAME');
});
