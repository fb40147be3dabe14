/** Sessions, one by one or all: someone's by an administrator, and one's own. */
import type { FastifyInstance } from 'fastify';
import { describe, expect, test } from 'vitest';
import { type Actor, commandLine } from '../../src/auth/actor.ts';
import { insertSession } from '../../src/auth/sessions.ts';
import { newToken } from '../../src/auth/tokens.ts';
import { ROLES, type User } from '../../src/db/schema.ts';
import { transact } from '../../src/db/transact.ts';
import { ForbiddenError } from '../../src/errors.ts';
import { endSession, endSessions } from '../../src/sessions/commands.ts';
import { pageOf } from '../page.ts';
import { addPerson, HOUR, headersFor, movableClock, signedIn } from '../people.ts';
import { get, post, startApp } from '../support.ts';

async function start() {
  const clock = movableClock(Date.now());
  const app = await startApp({}, undefined, clock);
  const ann = await addPerson(app.db, 'ann', 'admin');
  const ed = await addPerson(app.db, 'ed', 'editor');
  return { app, clock, ann, ed, headers: await signedIn(app, ann) };
}

/** A session in a browser of one's own, somewhere. */
async function signedInAt(app: FastifyInstance, { id }: User, address: string, browser = 'Firefox') {
  const token = newToken();
  const session = { token, user_id: id, address, browser };
  const number = await transact(app.db, (trx) => insertSession(trx, session, app.clock()));
  return { number, headers: headersFor(app, token) };
}

async function isSignedIn(app: FastifyInstance, { headers }: { headers: object }): Promise<boolean> {
  return (await get(app, '/users', headers)).statusCode === 200;
}

describe('an administrator', () => {
  test('sees in which browsers someone is signed in, and where, and ends one of them', async () => {
    const { app, clock, ed, headers } = await start();
    const old = await signedInAt(app, ed, '192.0.2.1', 'Mozilla/5.0 (iPhone) Safari/600');
    clock.move(HOUR);
    const other = await signedInAt(app, ed, '2001:db8::7');
    const page = pageOf(await get(app, `/users/${ed.id}?from=sort%3Demail`, headers));
    expect(page.text).toMatch(/Signed in Firefox 2001:db8::7 · .* Safari on iOS 192\.0\.2\.1 · /);
    const { action } = page.form('End Safari on iOS at 192.0.2.1');
    const answer = await post(app, action, {}, headers);
    expect(answer.headers.location).toBe(`/users/${ed.id}?from=sort%3Demail`);
    expect(answer.body).toBe('ed is signed out of that browser.\n');
    expect([await isSignedIn(app, old), await isSignedIn(app, other)]).toEqual([false, true]);
    expect((await post(app, action, {}, headers)).body).toBe('ed was not signed in there any more.\n');
  });

  test('ends all of them at once, and nobody else’s', async () => {
    const { app, ed, headers } = await start();
    const theirs = [await signedInAt(app, ed, '192.0.2.1'), await signedInAt(app, ed, '192.0.2.2')];
    const { action } = pageOf(await get(app, `/users/${ed.id}`, headers)).form('End all of them');
    expect((await post(app, action, {}, headers)).body).toBe('ed is signed out everywhere.\n');
    for (const one of theirs) expect(await isSignedIn(app, one)).toBe(false);
    expect(await isSignedIn(app, { headers })).toBe(true);
    expect(pageOf(await get(app, `/users/${ed.id}`, headers)).text).toContain('Not signed in anywhere now.');
  });

  test('ends no session at the address of another user', async () => {
    const { app, ann, ed, headers } = await start();
    const vic = await addPerson(app.db, 'vic', 'viewer');
    const session = await signedInAt(app, vic, '192.0.2.1');
    const answer = await post(app, `/users/${ed.id}/sessions/${session.number}/delete`, {}, headers);
    expect(answer.body).toBe('ed was not signed in there any more.\n');
    expect(await isSignedIn(app, session)).toBe(true);
    for (const address of ['sessions/delete', `sessions/${session.number}/delete`]) {
      const own = await post(app, `/users/${ann.id}/${address}`, {}, headers);
      expect([own.statusCode, own.headers.location]).toEqual([303, '/account']);
    }
    expect(await isSignedIn(app, { headers })).toBe(true);
  });

  test('is told of what is no session, or whose user is gone', async () => {
    const { app, ed, headers } = await start();
    for (const number of ['0', '-1', 'x', '9'.repeat(30)]) {
      const answer = await post(app, `/users/${ed.id}/sessions/${number}/delete`, {}, headers);
      expect([answer.statusCode, pageOf(answer).text]).toEqual([
        404,
        expect.stringContaining('no such session'),
      ]);
    }
    expect((await post(app, '/users/77/sessions/delete', {}, headers)).statusCode).toBe(404);
    expect((await post(app, '/users/77/sessions/1/delete', {}, headers)).statusCode).toBe(404);
  });

  test('sees only those that still last, of many the last used, and the others one step away', async () => {
    const { app, clock, ed, headers } = await start();
    await signedInAt(app, ed, '192.0.2.200');
    clock.move(13 * HOUR);
    for (let number = 1; number <= 9; number++) {
      clock.move(60_000);
      await signedInAt(app, ed, `192.0.2.${number}`);
    }
    const again = await signedIn(app, await addPerson(app.db, 'eve', 'admin'));
    expect((await get(app, '/users', headers)).statusCode).toBe(303);
    const page = pageOf(await get(app, `/users/${ed.id}`, again));
    expect(page.text).not.toContain('192.0.2.200');
    expect(page.isOpen('Show 5 more')).toBe(false);
    expect(page.text).toMatch(/192\.0\.2\.9 .*192\.0\.2\.6 .*Show 5 more.*192\.0\.2\.5 .*192\.0\.2\.1 /);
    expect(page.buttons.filter((button) => button.startsWith('End'))).toHaveLength(10);
  });

  test('alone sees any of it', async () => {
    const { app, ed } = await start();
    await signedInAt(app, ed, '192.0.2.1');
    for (const role of ['viewer', 'editor'] as const) {
      const headers = await signedIn(app, await addPerson(app.db, role, role));
      const page = await get(app, `/users/${ed.id}`, headers);
      expect(page.body).not.toContain('192.0.2.1');
      expect(pageOf(page).text).not.toMatch(/Signed in|End/);
    }
  });
});

describe('one’s own', () => {
  test('are ended one by one on the page of the account, but for the one that is used', async () => {
    const { app, ed } = await start();
    const [here, there, elsewhere] = [
      await signedInAt(app, ed, '192.0.2.1'),
      await signedInAt(app, ed, '192.0.2.2'),
      await signedInAt(app, ed, '192.0.2.3'),
    ];
    const page = pageOf(await get(app, '/account', here.headers));
    expect(page.buttons.filter((button) => button.startsWith('End'))).toEqual([
      'End Firefox at 192.0.2.3',
      'End Firefox at 192.0.2.2',
      'End all others',
    ]);
    const { action } = page.form('End Firefox at 192.0.2.2');
    expect((await post(app, action, {}, here.headers)).body).toBe('That browser is signed out.\n');
    expect((await post(app, action, {}, here.headers)).body).toBe('That browser was signed out already.\n');
    expect(await isSignedIn(app, there)).toBe(false);
    expect([await isSignedIn(app, here), await isSignedIn(app, elsewhere)]).toEqual([true, true]);
  });

  test('are no way to end somebody else’s', async () => {
    const { app, ann, ed } = await start();
    const [mine, theirs] = [await signedInAt(app, ed, '192.0.2.1'), await signedInAt(app, ann, '192.0.2.2')];
    const answer = await post(app, `/account/sessions/${theirs.number}/delete`, {}, mine.headers);
    expect(answer.body).toBe('That browser was signed out already.\n');
    expect(await isSignedIn(app, theirs)).toBe(true);
  });
});

test('sessions are ended by their owner and by administrators, whichever way they come, and that is noted', async () => {
  const { app, ed } = await start();
  const notes: string[] = [];
  const note: Actor['note'] = (event, user) => notes.push(`${event} (${user?.username})`);
  for (const role of ROLES) {
    const actor: Actor = { ...commandLine, role, via: 'form', note };
    const { number } = await signedInAt(app, ed, '192.0.2.1');
    const acts = [
      () => transact(app.db, (trx) => endSession(trx, actor, ed, number)),
      () => transact(app.db, (trx) => endSessions(trx, actor, ed)),
    ];
    for (const act of acts)
      if (role === 'admin') await act();
      else await expect(act(), role).rejects.toThrow(ForbiddenError);
  }
  const { number } = await signedInAt(app, ed, '192.0.2.1');
  const owner: Actor = { ...commandLine, role: 'editor', via: 'form', user: ed, note };
  await transact(app.db, (trx) => endSession(trx, owner, ed, number));
  await transact(app.db, (trx) => endSession(trx, owner, ed, number));
  await transact(app.db, (trx) => endSessions(trx, owner, ed, number));
  expect(notes).toEqual([
    'session ended (ed)',
    'all sessions ended (ed)',
    'session ended (ed)',
    'other sessions ended (ed)',
  ]);
});
