import type { FastifyInstance } from 'fastify';
import { describe, expect, test, vi } from 'vitest';
import { findCredentials } from '../../src/auth/credentials.ts';
import { deleteSessionsOf } from '../../src/auth/sessions.ts';
import { hashOf, newToken } from '../../src/auth/tokens.ts';
import { transact } from '../../src/db/transact.ts';
import { requireCode } from '../../src/roles/queries.ts';
import { pageOf } from '../page.ts';
import {
  addPerson,
  codeAt,
  type Headers,
  HOUR,
  headersFor,
  movableClock,
  PASSWORD,
  signedIn,
  signIn,
} from '../people.ts';
import { cookieName, get, post, startApp } from '../support.ts';

/** A recovery code. */
const KEPT = 'dddd-eeee-ffff';
const NEW = 'a bicycle in the library';
const CHANGE = { current_password: PASSWORD, new_password: NEW, new_password_again: NEW };

async function start({ hasCode = false } = {}) {
  const clock = movableClock();
  const app = await startApp({}, undefined, clock);
  await addPerson(app.db, 'ann', 'admin');
  const ed = await addPerson(app.db, 'ed', 'editor', { hasCode, recoveryHashes: [hashOf(KEPT)] });
  return { app, clock, ed, headers: await signedIn(app, ed) };
}

/** The page with a new second factor, and what is on it. */
async function newCode(app: FastifyInstance, headers: Headers) {
  const page = await get(app, '/account/code', headers);
  const { secret } = pageOf(page);
  return { page, secret: secret.replaceAll(' ', ''), sealed: pageOf(page).field('sealed') };
}

describe('changing the password', () => {
  test('signs out every other browser, and only the new one works from then on', async () => {
    const { app, ed, headers } = await start();
    const other = await signedIn(app, ed);
    const answer = await post(app, '/account/password', CHANGE, headers);
    expect([answer.statusCode, answer.headers.location]).toEqual([303, '/account']);
    expect(answer.body).toBe('Your password is changed; every other browser is signed out.\n');
    const token = answer.cookies.find(({ name }) => name === cookieName('session'))?.value ?? '';
    expect((await get(app, '/account', headersFor(app, token))).statusCode).toBe(200);
    expect((await get(app, '/account', headers)).statusCode).toBe(303);
    expect((await get(app, '/account', other)).statusCode).toBe(303);
    expect(await signIn(app, 'ed')).toBeUndefined();
    expect(await signIn(app, 'ed', NEW)).toBeDefined();
  });

  test('asks for the present one, and for a good new one twice, and says all at once', async () => {
    const { app, headers } = await start();
    const wrong = {
      current_password: 'wrong',
      new_password: 'ed@example.org ed@example.org',
      new_password_again: '',
    };
    const answer = await post(app, '/account/password', wrong, headers);
    expect(answer.statusCode).toBe(422);
    const page = pageOf(answer);
    expect(page.text).toContain('There are 2 problems');
    expect(page.errorOf('current_password')).toContain('That is not your password.');
    expect(page.errorOf('new_password')).toContain('must not contain the username or the email');
    expect(answer.body).not.toContain('ed@example.org ed@');
    const typo = await post(app, '/account/password', { ...CHANGE, new_password_again: `${NEW}s` }, headers);
    expect(pageOf(typo).errorOf('new_password_again')).toContain('The two passwords differ.');
    expect(await signIn(app, 'ed')).toBeDefined();
  });

  test('is not done with the one that it is already, however its letters are composed', async () => {
    const { app, headers } = await start();
    const accented = 'zoé eats lémons on the roof';
    const change = { current_password: PASSWORD, new_password: accented, new_password_again: accented };
    const changed = await post(app, '/account/password', change, headers);
    const token = changed.cookies.find(({ name }) => name === cookieName('session'))?.value ?? '';
    const typed = accented.normalize('NFD');
    const same = { current_password: accented, new_password: typed, new_password_again: typed };
    const refused = await post(app, '/account/password', same, headersFor(app, token));
    expect(refused.statusCode).toBe(422);
    expect(pageOf(refused).errorOf('new_password')).toContain(
      'That is your password already: choose another one.',
    );
    // It tells nothing to whoever does not know it.
    const guess = { current_password: NEW, new_password: NEW, new_password_again: NEW };
    const guessed = pageOf(await post(app, '/account/password', guess, headersFor(app, token))).text;
    expect(guessed).toContain('That is not your password.');
    expect(guessed).not.toContain('already');
  });

  test('is no way to guess it', async () => {
    const { app, headers } = await start();
    for (let failures = 0; failures < 4; failures++)
      await post(app, '/account/password', { ...CHANGE, current_password: 'wrong' }, headers);
    const answer = await post(app, '/account/password', CHANGE, headers);
    expect([answer.statusCode, answer.headers['retry-after']]).toEqual([429, '1']);
    expect(await signIn(app, 'ed', NEW)).toBeUndefined();
  });

  test('has what password managers look for', async () => {
    const { app, headers } = await start();
    const { inputs } = pageOf(await get(app, '/account', headers)).form('Change password');
    const type = 'password';
    expect(inputs.slice(1)).toMatchObject([
      { name: 'current_password', type, autocomplete: 'current-password' },
      { type: 'text', value: 'ed', autocomplete: 'username' },
      { name: 'new_password', type, autocomplete: 'new-password' },
      { name: 'new_password_again', type, autocomplete: 'new-password' },
    ]);
  });
});

describe('the second factor', () => {
  test('is on once its first code has been entered; ten recovery codes are shown, once', async () => {
    const { app, clock, ed, headers } = await start();
    const { page, secret, sealed } = await newCode(app, headers);
    const password = PASSWORD;
    expect(page.headers['cache-control']).toBe('no-store');
    const drawing = pageOf(page).drawing('QR code with the key that is written beside it');
    expect(drawing).toMatch(/^M\d/);
    const wrong = await post(app, '/account/code', { sealed, code: '000000', password }, headers);
    expect(wrong.statusCode).toBe(422);
    expect(pageOf(wrong).secret.replaceAll(' ', '')).toBe(secret);
    expect(await findCredentials(app.db, ed.id)).toMatchObject({ code_secret: null });

    const code = codeAt(clock(), secret);
    const refused = await post(app, '/account/code', { sealed, code, password: 'wrong' }, headers);
    expect(refused.statusCode).toBe(422);
    expect(pageOf(refused).errorOf('password')).toContain('That is not your password.');
    const shown = await post(app, '/account/code', { sealed, code, password }, headers);
    expect([shown.statusCode, shown.headers['cache-control']]).toEqual([200, 'no-store']);
    const codes = pageOf(shown).items;
    for (const one of codes) expect(one).toMatch(/^[a-z2-9-]{14}$/);
    expect(new Set(codes).size).toBe(10);
    expect(pageOf(await get(app, '/account', headers)).text).toContain('10 recovery codes are left');
    // The code that turned it on has been used.
    const asked = await post(app, '/sign-in', { username: 'ed', password: PASSWORD });
    const ticket = pageOf(asked).field('ticket');
    expect((await post(app, '/sign-in', { ticket, code })).statusCode).toBe(422);
    expect((await post(app, '/sign-in', { ticket, code: codes[3] ?? '' })).statusCode).toBe(303);
    const again = await post(app, '/account/code', { sealed, code, password }, headers);
    expect([again.statusCode, again.headers.location]).toEqual([303, '/account']);
    expect(again.body).toContain('If you have not kept its recovery codes, make new ones in your account.');
    // Once it is removed, neither it nor its code turns it on again.
    await post(app, '/account/code/delete', { password, present_code: codes[4] ?? '' }, headers);
    const old = await post(app, '/account/code', { sealed, code, password }, headers);
    expect(old.statusCode).toBe(422);
    expect(pageOf(old).text).toContain('Scan this new code.');
    expect(await findCredentials(app.db, ed.id)).toMatchObject({ code_secret: null });
  });

  test.each([
    ['/users/3', '/users/3'],
    ['/users/new', '/users/new?from=q%3Dx'],
    ['', '/users/new?from=q%3Dx'],
  ])(
    'leads where somebody was going, and who was going nowhere to a form that waits: %j',
    async (next, to) => {
      const { app, clock, headers } = await start();
      await transact(app.db, (trx) => requireCode(trx, 'editor', true));
      await post(app, '/users?from=q%3Dx', { username: 'zoe' }, headers);
      const { secret, sealed } = await newCode(app, headers);
      const sent = { sealed, code: codeAt(clock(), secret), password: PASSWORD };
      const page = pageOf(await post(app, `/account/code?${new URLSearchParams({ next })}`, sent, headers));
      expect(page.links.find(({ text }) => text === 'I have kept them')?.href).toBe(to);
    },
  );

  test('begins with the field for the code, and after a mistake with that', async () => {
    const { app, headers } = await start();
    const { page, sealed } = await newCode(app, headers);
    expect(pageOf(page).focused).toEqual(['code']);
    const wrong = await post(app, '/account/code', { sealed, code: '', password: '' }, headers);
    expect(pageOf(wrong).focused).toEqual([expect.stringMatching(/^There are 2 problems /)]);
  });

  test('is not set with the secret of someone else, or one that was made up', async () => {
    const { app, clock, ed, headers } = await start();
    const ann = await signedIn(app, { ...ed, id: 1 });
    const sealed = pageOf(await get(app, '/account/code', ann)).field('sealed');
    for (const foreign of [sealed, 'x', ''])
      expect(
        (
          await post(
            app,
            '/account/code',
            { sealed: foreign, code: codeAt(clock()), password: PASSWORD },
            headers,
          )
        ).statusCode,
      ).toBe(422);
    expect(await findCredentials(app.db, ed.id)).toMatchObject({ code_secret: null });
  });

  test('is turned off, and recovery codes are made anew, with the password and a code of it', async () => {
    const { app, clock, ed, headers } = await start({ hasCode: true });
    for (const [address, button, summary, other] of [
      ['/account/code/delete', 'Turn off', 'Turn off…', 'Make new recovery codes…'],
      ['/account/recovery-codes', 'Make new recovery codes', 'Make new recovery codes…', 'Turn off…'],
    ] as const) {
      const refused = await post(app, address, { password: 'wrong' }, headers);
      expect(refused.statusCode).toBe(422);
      // The form that was sent, and no other, is unfolded and says so.
      const page = pageOf(refused);
      const form = page.form(button);
      expect(form.action).toBe(address);
      expect(form.text).toContain('That is not your password.');
      expect(form.text).toContain('That is not a code: enter six digits, or one of your recovery codes.');
      expect(form.input('password')['aria-invalid']).toBe('true');
      expect([page.isOpen(summary), page.isOpen(other)]).toEqual([true, false]);
      const guess = await post(app, address, { password: PASSWORD, present_code: '000000' }, headers);
      expect(guess.statusCode).toBe(422);
      expect(pageOf(guess).isOpen(summary)).toBe(true);
      expect(pageOf(guess).form(button).text).toContain('That code is wrong, or it has been used.');
    }
    expect(pageOf(await get(app, '/account', headers)).text).toContain('1 recovery code is left');
    const present_code = codeAt(clock());
    const shown = await post(app, '/account/recovery-codes', { password: PASSWORD, present_code }, headers);
    expect(shown.headers['cache-control']).toBe('no-store');
    const codes = pageOf(shown).items;
    expect(codes).toEqual(Array(10).fill(expect.stringMatching(/^[a-z2-9-]{14}$/)));
    const kept = await app.db.selectFrom('recovery_codes').select('code_hash').execute();
    expect(kept.map(({ code_hash }) => code_hash)).not.toContain(hashOf(KEPT));
    // A code that has been used is none any more.
    const again = await post(app, '/account/code/delete', { password: PASSWORD, present_code }, headers);
    expect(again.statusCode).toBe(422);
    const off = { password: PASSWORD, present_code: codes[0] ?? '' };
    expect((await post(app, '/account/code/delete', off, headers)).statusCode).toBe(303);
    expect(await findCredentials(app.db, ed.id)).toMatchObject({ code_secret: null });
    expect(await app.db.selectFrom('recovery_codes').selectAll().execute()).toEqual([]);
    expect(await signIn(app, 'ed')).toBeDefined();
  });

  test('is moved to a new telephone also where the role asks for one; until then the one before holds', async () => {
    const { app, clock, ed, headers } = await start({ hasCode: true });
    await transact(app.db, (trx) => requireCode(trx, 'editor', true));
    expect(pageOf(await get(app, '/account', headers)).link('Set up another one')).toBe('/account/code');
    const { page, secret, sealed } = await newCode(app, headers);
    expect(pageOf(page).text).toContain('It replaces the one that you have');
    const later = await newCode(app, headers);
    const before = await findCredentials(app.db, ed.id);
    const [code, present_code] = [codeAt(clock(), secret), codeAt(clock())];
    for (const wrong of [{ code: codeAt(clock()) }, { code, password: 'wrong' }, { present_code: '' }]) {
      const fields = { sealed, code, password: PASSWORD, present_code, ...wrong };
      expect((await post(app, '/account/code', fields, headers)).statusCode).toBe(422);
    }
    expect(await findCredentials(app.db, ed.id)).toEqual(before);

    const sent = { sealed, code, password: PASSWORD, present_code };
    const shown = await post(app, '/account/code', sent, headers);
    expect(pageOf(shown).items).toHaveLength(10);
    const kept = await app.db.selectFrom('recovery_codes').select('code_hash').execute();
    expect(kept.map(({ code_hash }) => code_hash)).not.toContain(hashOf(KEPT));
    clock.move(60_000);
    const asked = await post(app, '/sign-in', { username: 'ed', password: PASSWORD });
    const ticket = pageOf(asked).field('ticket');
    expect((await post(app, '/sign-in', { ticket, code: codeAt(clock()) })).statusCode).toBe(422);
    expect((await post(app, '/sign-in', { ticket, code: codeAt(clock(), secret) })).statusCode).toBe(303);
    // One that was shown before that replaces nothing any more.
    const old = { ...sent, sealed: later.sealed, code: codeAt(clock(), later.secret) };
    expect(pageOf(await post(app, '/account/code', old, headers)).text).toContain('Scan this new code.');
  });

  test('that was turned off in another window is not asked for in a form that was open: a new code is shown', async () => {
    const { app, headers } = await start({ hasCode: true });
    const { secret, sealed } = await newCode(app, headers);
    await post(app, '/account/code/delete', { password: PASSWORD, present_code: KEPT }, headers);
    const page = pageOf(await post(app, '/account/code', { sealed, code: '', present_code: '1' }, headers));
    expect(page.errorOf('code')).toContain('Scan this new code.');
    expect(page.text).toContain('There is a problem');
    expect(page.fields).not.toContain('present_code');
    expect(page.secret.replaceAll(' ', '')).not.toBe(secret);
  });

  test('is not replaced with an open session and the password alone', async () => {
    const { app, clock, ed, headers } = await start({ hasCode: true });
    const { secret, sealed } = await newCode(app, headers);
    const code = codeAt(clock(), secret);
    const send = (typed: object) =>
      post(
        app,
        '/account/code?next=%2Fusers%3Fq%3Dmax',
        { sealed, code, password: PASSWORD, ...typed },
        headers,
      );
    for (const [typed, sentence] of [
      [{}, 'That is not a code: enter six digits, or one of your recovery codes.'],
      [{ present_code: code }, 'That code is wrong, or it has been used. Wait for the next one.'],
      [{ present_code: 'aaaa-bbbb-cccc' }, 'That code is wrong, or it has been used.'],
    ] as const) {
      const refused = await send(typed);
      expect(refused.statusCode).toBe(422);
      const page = pageOf(refused);
      expect(page.errorOf('present_code')).toContain(sentence);
      // All that was sent is there, but for what is secret.
      expect(page.secret.replaceAll(' ', '')).toBe(secret);
      expect(page.form('Turn on').action).toBe('/account/code?next=%2Fusers%3Fq%3Dmax');
      for (const name of ['code', 'password', 'present_code']) expect(page.field(name)).toBe('');
    }
    expect(await signIn(app, 'ed')).toBeUndefined();
    // Nor are there new recovery codes, one of which would do.
    const renewed = await post(app, '/account/recovery-codes', { password: PASSWORD }, headers);
    expect(renewed.statusCode).toBe(422);
    expect((await send({ present_code: KEPT })).statusCode).toBe(200);
    const events = app.db.selectFrom('change_sets').select('event').where('subject_id', '=', ed.id);
    expect((await events.where('event', 'is not', null).execute()).map(({ event }) => event)).toEqual([
      'second factor replaced',
    ]);
    const page = pageOf(await get(app, `/users/${ed.id}`, headers));
    expect(page.text).toContain('ed replaced the second factor');
  });

  test('that is replaced signs out every other browser, and one that is the first does not', async () => {
    for (const hasCode of [true, false]) {
      const { app, clock, ed, headers } = await start({ hasCode });
      const other = await signedIn(app, ed);
      const { secret, sealed } = await newCode(app, headers);
      const typed = { code: codeAt(clock(), secret), present_code: codeAt(clock()), password: PASSWORD };
      expect((await post(app, '/account/code', { sealed, ...typed }, headers)).statusCode).toBe(200);
      expect((await get(app, '/account', headers)).statusCode).toBe(200);
      expect((await get(app, '/account', other)).statusCode).toBe(hasCode ? 303 : 200);
    }
  });

  test('is not replaced by guessing codes: after four wrong ones there is a wait, at every form and at the door', async () => {
    const { app, clock, headers } = await start({ hasCode: true });
    const noted = vi.spyOn(app, 'auditOften');
    const { secret, sealed } = await newCode(app, headers);
    const send = (present_code: string) =>
      post(
        app,
        '/account/code',
        { sealed, code: codeAt(clock(), secret), password: PASSWORD, present_code },
        headers,
      );
    const [wrong, off] = ['000000', { password: PASSWORD, present_code: '000000' }];
    for (let failures = 0; failures < 2; failures++) {
      expect((await send(wrong)).statusCode).toBe(422);
      expect((await post(app, '/account/code/delete', off, headers)).statusCode).toBe(422);
    }
    const waiting = [
      await send(codeAt(clock())),
      await post(app, '/account/code/delete', { ...off, present_code: codeAt(clock()) }, headers),
      await post(app, '/account/recovery-codes', { ...off, present_code: codeAt(clock()) }, headers),
    ];
    for (const answer of waiting)
      expect([answer.statusCode, answer.headers['retry-after']]).toEqual([429, '1']);
    const asked = await post(app, '/sign-in', { username: 'ed', password: PASSWORD });
    const code = { ticket: pageOf(asked).field('ticket'), code: codeAt(clock()) };
    expect((await post(app, '/sign-in', code)).statusCode).toBe(429);
    expect(new Set(noted.mock.calls.map(([, event]) => event))).toEqual(
      new Set([
        'code refused: wrong code',
        'code refused: too many attempts',
        'sign-in refused: too many attempts',
      ]),
    );
    clock.move(1000);
    expect((await send(codeAt(clock()))).statusCode).toBe(200);
  });

  test('is replaced once with one recovery code, also by two forms at once', async () => {
    const { app, clock, headers } = await start({ hasCode: true });
    const [one, other] = [await newCode(app, headers), await newCode(app, headers)];
    const send = ({ secret, sealed }: typeof one) => {
      const code = codeAt(clock(), secret);
      const fields = { sealed, code, password: PASSWORD, present_code: KEPT, key: newToken() };
      return post(app, '/account/code', fields, headers);
    };
    const off = { password: PASSWORD, present_code: KEPT, key: newToken() };
    const answers = await Promise.all([
      send(one),
      send(other),
      post(app, '/account/code/delete', off, headers),
    ]);
    expect(answers.map(({ statusCode }) => statusCode).filter((status) => status < 400)).toHaveLength(1);
  });

  test('is not turned on again, and not lost on the way, by a second click', async () => {
    const { app, clock, headers } = await start();
    await transact(app.db, (trx) => requireCode(trx, 'editor', true));
    const page = pageOf(await get(app, '/account/code?next=%2Fusers%3Fq%3Dmax', headers));
    const code = codeAt(clock(), page.secret.replaceAll(' ', ''));
    const { action } = page.form('Turn on');
    const fields = { sealed: page.field('sealed'), code, password: PASSWORD };
    const send = () => post(app, action, { ...fields, key: page.field('key') }, headers);
    const answers = [...(await Promise.all([send(), send()])), await send()];
    const others = answers.filter(({ statusCode }) => statusCode !== 200);
    expect(others.map(({ headers: { location } }) => location)).toEqual(['/users?q=max', '/users?q=max']);
  });

  test('that the role asks for leads on to where somebody was going', async () => {
    const { app, clock, headers } = await start();
    await transact(app.db, (trx) => requireCode(trx, 'editor', true));
    const { location } = (await get(app, '/users?q=max', headers)).headers;
    const page = pageOf(await get(app, String(location), headers));
    const secret = page.secret.replaceAll(' ', '');
    const { action } = page.form('Turn on');
    const fields = { sealed: page.field('sealed'), password: PASSWORD };
    const wrong = pageOf(await post(app, action, { ...fields, code: '000000' }, headers));
    expect(wrong.form('Turn on').action).toBe(action);
    const shown = await post(app, action, { ...fields, code: codeAt(clock(), secret) }, headers);
    expect(pageOf(shown).link('I have kept them')).toBe('/users?q=max');
  });

  test('that the role asks for leads there also where the session runs out at it', async () => {
    const { app, clock, headers } = await start();
    await transact(app.db, (trx) => requireCode(trx, 'editor', true));
    const { location } = (await get(app, '/users?q=max', headers)).headers;
    const page = pageOf(await get(app, String(location), headers));
    clock.move(13 * HOUR);
    const { action } = page.form('Turn on');
    const refused = pageOf(await post(app, action, { sealed: page.field('sealed') }, headers));
    const typed = { username: 'ed', password: PASSWORD, next: refused.field('next') };
    const signed = await post(app, '/sign-in', typed, headers);
    expect(signed.headers.location).toBe(location);
  });

  test('is not asked for without a way to sign out', async () => {
    const app = await startApp();
    const ann = await addPerson(app.db, 'ann', 'admin');
    await transact(app.db, (trx) => requireCode(trx, 'admin', true));
    const page = pageOf(await get(app, '/account/code', await signedIn(app, ann)));
    expect(page.link('Sign out')).toBe('/sign-out');
  });

  test('is not turned off where the role asks for one', async () => {
    const { app, ed, headers } = await start({ hasCode: true });
    await transact(app.db, (trx) => requireCode(trx, 'editor', true));
    const { buttons } = pageOf(await get(app, '/account', headers));
    expect(buttons).toContain('Make new recovery codes');
    expect(buttons).not.toContain('Turn off');
    const off = { password: PASSWORD, present_code: KEPT };
    expect((await post(app, '/account/code/delete', off, headers)).statusCode).toBe(403);
    expect(await findCredentials(app.db, ed.id)).not.toMatchObject({ code_secret: null });
  });
});

describe('sessions', () => {
  test('are shown as long as they last', async () => {
    const { app, clock, ed } = await start();
    const count = async () => {
      const { items } = pageOf(await get(app, '/account', await signedIn(app, ed)));
      return items.filter((item) => item.startsWith('Firefox on Linux ')).length;
    };
    expect(await count()).toBe(2);
    clock.move(12 * HOUR - 1);
    expect(await count()).toBe(3);
    clock.move(1);
    expect(await count()).toBe(2);
  });

  test('are shown with where they began, and all others can be ended', async () => {
    const { app, ed, headers } = await start();
    const other = await signedIn(app, ed);
    const { items } = pageOf(await get(app, '/account', headers));
    const place = '127.0.0.1 on Roster’s own machine · signed in';
    expect(items).toHaveLength(2);
    expect(items.filter((item) => item.startsWith(`Firefox on Linux ${place}`))).toHaveLength(1);
    expect(items.filter((item) => item.startsWith(`Firefox on Linux This browser ${place}`))).toHaveLength(1);
    expect((await post(app, '/account/sessions/delete', {}, headers)).statusCode).toBe(303);
    expect((await get(app, '/account', headers)).statusCode).toBe(200);
    expect((await get(app, '/account', other)).statusCode).toBe(303);
  });
});

describe('a session that ends in the middle of a change', () => {
  test.each([
    ['/account/password', CHANGE],
    ['/account/code', undefined],
    ['/account/code/delete', { password: PASSWORD, present_code: KEPT }],
    ['/account/recovery-codes', { password: PASSWORD, present_code: KEPT }],
  ])('changes nothing any more: %s', async (address, given) => {
    const { app, clock, ed, headers } = await start({ hasCode: given !== undefined });
    const firstCode = async () => {
      const { sealed, secret } = await newCode(app, headers);
      return { sealed, code: codeAt(clock(), secret), password: PASSWORD };
    };
    const fields = given ?? (await firstCode());
    const stateOf = async () => [
      await findCredentials(app.db, ed.id),
      await app.db.selectFrom('recovery_codes').selectAll().execute(),
    ];
    const before = await stateOf();
    // The clock is looked at once it is known who asks.
    const isAtWork = Promise.withResolvers<void>();
    vi.spyOn(app, 'clock').mockImplementation(() => {
      isAtWork.resolve();
      return clock();
    });
    const isOver = Promise.withResolvers<void>();
    const ending = transact(app.db, async (trx) => {
      await deleteSessionsOf(trx, ed.id);
      await isOver.promise;
    });
    const answer = post(app, address, fields, headers);
    await isAtWork.promise;
    isOver.resolve();
    await ending;
    expect((await answer).statusCode).toBe(401);
    expect(pageOf(await answer).text).toContain('You are not signed in, so nothing was changed.');
    expect(await stateOf()).toEqual(before);
  });
});
