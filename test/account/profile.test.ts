/** One's own name and email, changed by their owner. */
import { expect, test } from 'vitest';
import { commandLine } from '../../src/auth/actor.ts';
import { transact } from '../../src/db/transact.ts';
import { changeUser } from '../../src/users/commands.ts';
import { getUser } from '../../src/users/queries.ts';
import { pageOf } from '../page.ts';
import { addPerson, HOUR, headersFor, movableClock, PASSWORD, signedIn } from '../people.ts';
import { cookieName, get, post, startApp } from '../support.ts';

async function start() {
  const clock = movableClock();
  const app = await startApp({}, undefined, clock);
  const ann = await addPerson(app.db, 'ann', 'admin');
  const vic = await addPerson(app.db, 'vic', 'viewer', { full_name: 'Vic Tor' });
  const headers = await signedIn(app, vic);
  const send = (fields: Record<string, string>) =>
    post(app, '/account/profile', { version: '1', ...fields }, headers);
  return { app, clock, ann, vic, headers, send, stored: () => getUser(app.db, vic.id) };
}

test('a viewer changes their own name without a password, and it is found and sorted by at once', async () => {
  const { app, headers, send } = await start();
  const account = pageOf(await get(app, '/account', headers));
  const form = pageOf(await get(app, account.link('Change name or email'), headers));
  expect([form.field('full_name'), form.field('email')]).toEqual(['Vic Tor', 'vic@example.org']);
  const answer = await send({ full_name: 'Victoria Æble', email: 'vic@example.org' });
  expect([answer.statusCode, answer.headers.location]).toEqual([303, '/account']);
  expect(answer.body).toBe('Your name and email are saved.\n');
  expect(pageOf(await get(app, '/account', headers)).text).toContain('Victoria Æble');
  expect(pageOf(await get(app, '/users?q=aeble', headers)).column('User')).toEqual(['Victoria Æble vic']);
});

test('a form of whoever was signed in before in the same browser changes nobody', async () => {
  const { app, headers, vic, stored } = await start();
  const form = pageOf(await get(app, '/account/profile', await signedIn(app, { ...vic, id: 1 })));
  const { action, inputs } = form.form('Save changes');
  const fields = Object.fromEntries(inputs.map(({ name = '', value = '' }) => [name, value]));
  const answer = await post(app, action, { ...fields, full_name: 'Ann Ada' }, headers);
  expect(answer.statusCode).toBe(409);
  expect(pageOf(answer).text).toContain(
    'That form was of whoever was signed in here before. Nothing was changed.',
  );
  expect(pageOf(answer).main.link('Open yours')).toBe('/account/profile');
  expect(await stored()).toMatchObject({ full_name: 'Vic Tor', version: 1 });
});

test('nor does a page with their choices', async () => {
  const { app, ann, headers, stored } = await start();
  const asAnn = await signedIn(app, ann);
  const rename = (full_name: string) =>
    transact(app.db, (trx) => changeUser(trx, commandLine, ann.id, { full_name }, 2));
  await rename('Anna');
  const typed = { full_name: 'Ann Ada', email: 'ann@example.org', version: '1' };
  const { action, inputs } = pageOf(await post(app, '/account/profile', typed, asAnn)).form(
    'Save my choices',
  );
  const chosen = inputs.filter(({ type, ...input }) => type !== 'radio' || 'checked' in input);
  const fields = Object.fromEntries(chosen.map(({ name = '', value = '' }) => [name, value]));
  expect(fields).toMatchObject({ full_name: 'Ann Ada', version: '2' });
  await transact(app.db, (trx) => changeUser(trx, commandLine, 2, { full_name: 'Victor' }, 2));
  expect((await post(app, action, fields, headers)).statusCode).toBe(409);
  expect(await stored()).toMatchObject({ full_name: 'Victor', version: 2 });
  expect((await post(app, action, fields, asAnn)).statusCode).toBe(303);
});

test('another email takes the password, and what is wrong is said at once with all that was typed', async () => {
  const { send, stored } = await start();
  const wrong = pageOf(await send({ full_name: 'V\u0000', email: 'no' }));
  expect(wrong.errorOf('full_name')).toContain('The full name contains');
  expect(wrong.errorOf('email')).toContain('Enter an email address like');
  expect(wrong.errorOf('password')).toContain('Enter your password, to change your email.');
  expect(wrong.field('email')).toBe('no');
  const guess = await send({ full_name: 'V', email: 'v@example.org', password: 'wrong' });
  expect([guess.statusCode, pageOf(guess).errorOf('password')]).toEqual([
    422,
    'Error: That is not your password.',
  ]);
  expect(await stored()).toMatchObject({ full_name: 'Vic Tor', email: 'vic@example.org', version: 1 });
  expect((await send({ full_name: 'V', email: 'v@bücher.example', password: PASSWORD })).statusCode).toBe(
    303,
  );
  expect(await stored()).toMatchObject({ full_name: 'V', email: 'v@xn--bcher-kva.example', version: 2 });
});

test('an email that somebody else has is refused, with who has it', async () => {
  const { send } = await start();
  const page = pageOf(await send({ full_name: 'Vic Tor', email: 'ANN@example.org', password: PASSWORD }));
  expect(page.errorOf('email')).toContain('That email already belongs to ann.');
});

test('nothing else of oneself is changed that way', async () => {
  const { send, stored } = await start();
  await send({ full_name: 'V', email: 'vic@example.org', role: 'admin', username: 'x', is_active: '0' });
  expect(await stored()).toMatchObject({ full_name: 'V', role: 'viewer', username: 'vic', is_active: true });
});

test('nobody changes somebody else by the same command, nor their own role', async () => {
  const { app, vic } = await start();
  const actor = { ...commandLine, role: 'viewer' as const, user: vic };
  const change = (id: number, changes: object) =>
    transact(app.db, (trx) => changeUser(trx, actor, id, changes, 1));
  await expect(change(1, { full_name: 'X' })).rejects.toThrow('administrators');
  await expect(change(vic.id, { role: 'admin' })).rejects.toThrow('administrators');
  expect((await change(vic.id, { full_name: 'X' })).kind).toBe('changed');
});

test('what somebody else has saved meanwhile is shown beside what was typed', async () => {
  const { app, vic, send, stored } = await start();
  await transact(app.db, (trx) => changeUser(trx, commandLine, vic.id, { full_name: 'Victor' }, 2));
  const answer = await send({ full_name: 'Vicky', email: 'vic@example.org' });
  const page = pageOf(answer);
  expect([answer.statusCode, page.field('version')]).toEqual([409, '2']);
  expect(page.field('full_name')).toMatch(/Yours Vicky$/);
  expect(page.text).toMatch(/Before Vic Tor .*There now Victor The command line/);
  expect((await stored()).full_name).toBe('Victor');
  expect((await send({ full_name: 'Vicky', email: 'vic@example.org', version: '2' })).statusCode).toBe(303);
});

test('an ended session keeps what was typed, but for the password', async () => {
  const { app, clock, headers, send } = await start();
  clock.move(13 * HOUR);
  const door = await send({ full_name: 'Vicky', email: 'v@example.org', password: PASSWORD });
  const draft = pageOf(door).field('draft');
  const fields = { username: 'vic', password: PASSWORD, draft };
  const signedInAgain = await post(app, '/sign-in', fields, headers);
  const cookie = signedInAgain.cookies.find(({ name }) => name === cookieName('session'));
  const again = headersFor(app, cookie?.value ?? '');
  // Whoever was here before may still have a form of theirs open.
  expect((await post(app, '/account/profile', { full_name: 'Ann', user: '1' }, again)).statusCode).toBe(409);
  const form = pageOf(await get(app, '/account/profile', again));
  expect([form.field('full_name'), form.field('email'), form.field('password')]).toEqual([
    'Vicky',
    'v@example.org',
    '',
  ]);
  const kept = await app.db.selectFrom('sessions').select('draft').execute();
  expect(JSON.stringify(kept)).toContain('Vicky');
  expect(JSON.stringify(kept)).not.toContain(PASSWORD);
});
