import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { newToken } from '../../src/auth/tokens.ts';
import { createMailer, type Mail } from '../../src/invitations/mailer.ts';
import { findUserByUsername } from '../../src/users/queries.ts';
import { startMailServer, startSilentServer } from '../mail-server.ts';
import { pageOf } from '../page.ts';
import { addPerson, movableClock, signedIn } from '../people.ts';
import { addUser, get, listen, post, startApp } from '../support.ts';

const ADA = { full_name: 'Ada Byron', email: 'ada@example.org', role: 'viewer' };
const PUBLIC = { ORIGIN: 'https://users.example.org', TRUST_PROXY: '10.0.0.1' };
const NEVER = 60_000;
const MAIL: Mail = { to: { name: 'Ada', address: 'ada@example.org' }, subject: 'S', text: 'T' };
const TLS = ['key', 'crt'].map((end) =>
  readFileSync(join(import.meta.dirname, '..', 'postgres', 'tls', `server.${end}`)),
);

async function start(port: number, mailLimit = NEVER) {
  const settings = { ...PUBLIC, SMTP_URL: `smtp://127.0.0.1:${port}` };
  const clock = movableClock();
  const app = await startApp(settings, undefined, clock, undefined, mailLimit);
  const ann = await addPerson(app.db, 'ann', 'admin', { full_name: 'Änn Ädmin' });
  const headers = { ...(await signedIn(app, ann)), host: 'users.example.org' };
  const invite = (fields: Record<string, string> = {}) =>
    post(app, '/invite', { ...ADA, ...fields }, headers);
  const show = async (location: unknown) => pageOf(await get(app, String(location), headers));
  return { app, clock, headers, invite, show };
}

/** A mailer that is given up, in milliseconds, and what it writes to the log. */
async function mailerTo(url: string, limit = NEVER) {
  const log: object[] = [];
  const from = 'roster@example.org';
  const mailer = await createMailer({ server: new URL(url), from }, limit);
  const warn = (about: object) => void log.push(about);
  return { send: (mail = MAIL) => mailer.send('link', mail, { warn }), log };
}

describe('an invitation', () => {
  test('goes out by mail, with who invites, to what, the link and its end', async () => {
    const { port, mails } = await startMailServer();
    const { app, headers, invite, show } = await start(port);
    expect(pageOf(await get(app, '/invite', headers)).text).toContain('Roster mails them a link');
    const answer = await invite();
    expect(answer.body).toBe('Ada Byron is invited.\n');
    const page = await show(answer.headers.location);
    expect(page.text).toContain('Roster has sent it by mail.');
    expect(page.text).not.toContain('It opens on this machine alone');
    expect(page.buttons).toEqual([]);
    expect(mails).toHaveLength(1);
    const [mail] = mails;
    expect(mail).toMatchObject({ from: 'roster@users.example.org', to: ['ada@example.org'] });
    expect(mail?.headers.get('from')).toBe('Roster <roster@users.example.org>');
    expect(mail?.headers.get('to')).toBe('Ada Byron <ada@example.org>');
    expect(mail?.headers.get('subject')).toBe('Your access to Roster');
    expect(mail?.headers.get('auto-submitted')).toBe('auto-generated');
    expect(mail?.headers.get('content-type')).toMatch(/^text\/plain; charset=utf-8/);
    expect(mail?.body).toBe(
      `Hello Ada Byron,

Änn Ädmin gives you access to Roster, the directory at https://users.example.org. Open this link and choose a password:

${page.secret}

It works once, until 4 June 2026, 12:00 UTC. It is for you alone: whoever opens it chooses the password.

You then sign in as ada.
`,
    );
    expect(page.secret).toMatch(/^https:\/\/users\.example\.org\/invitations\/[\w-]{43}$/);
  });

  test('of someone whose name is not Latin shows it as it is', async () => {
    const { port, mails } = await startMailServer();
    const { invite } = await start(port);
    await invite({ full_name: 'Łukasz „Łu” Żółć, 山田' });
    expect(mails[0]?.headers.get('to')).toBe('Łukasz „Łu” Żółć, 山田 <ada@example.org>');
    expect(mails[0]?.body).toContain('Hello Łukasz „Łu” Żółć, 山田,');
  });

  test('is sent once, however often its form is', async () => {
    const { port, mails } = await startMailServer();
    const { app, headers, invite, show } = await start(port);
    const key = pageOf(await get(app, '/invite', headers)).field('key');
    const answers = await Promise.all([invite({ key }), invite({ key })]);
    answers.push(await invite({ key }));
    expect(answers.map(({ statusCode }) => statusCode)).toEqual([303, 303, 303]);
    for (const { headers: told } of answers)
      expect((await show(told.location)).text).toContain('Roster has sent it by mail.');
    expect(mails).toHaveLength(1);
  });

  test('says what became of its mail also to who sends the form again after a restart', async () => {
    const { port, mails } = await startMailServer();
    const { app, headers, invite, show } = await start(port);
    const key = newToken();
    const first = await invite({ key });
    const settings = { ...PUBLIC, SMTP_URL: `smtp://127.0.0.1:${port}` };
    const restarted = await startApp(settings, app.db, app.clock, undefined, NEVER);
    const again = await post(restarted, '/invite', { ...ADA, key }, headers);
    expect(again.headers.location).toBe(first.headers.location);
    expect((await show(again.headers.location)).text).toContain('Roster has sent it by mail.');
    expect(mails).toHaveLength(1);
  });

  test('of a member goes out, too', async () => {
    const { port, mails } = await startMailServer();
    const { app, headers, show } = await start(port);
    const mia = await addUser(app.db, { username: 'mia' });
    const form = (await show(`/users/${mia.id}`)).form('Invite');
    expect(form.text).toContain('They choose a password by a link, which Roster mails to them at once.');
    const answer = await post(app, form.action, { role: 'viewer' }, headers);
    const page = await show(answer.headers.location);
    expect(page.text).toContain('Roster has sent it by mail.');
    expect(mails[0]).toMatchObject({ to: ['mia@example.org'], body: expect.stringContaining(page.secret) });
  });

  test('stays where its mail is refused for that address, and says what to do', async () => {
    const { port } = await startMailServer({
      onRcptTo: (_to, _session, done) =>
        done(Object.assign(new Error('No such user'), { responseCode: 550 })),
    });
    const { app, invite, show } = await start(port);
    const page = await show((await invite()).headers.location);
    expect(page.title).toBe('Error: Access link for Ada Byron · Roster');
    expect(page.text).toContain(
      'Not sent The mail server takes no mail for ada@example.org. Change the address, then create a new link; or send this one yourself.',
    );
    expect(page.link('Change the address')).toMatch(/^\/users\/\d+\/edit$/);
    expect((await get(app, new URL(page.secret).pathname, { host: 'users.example.org' })).statusCode).toBe(
      200,
    );
    expect(await findUserByUsername(app.db, 'ada')).toBeDefined();
  });

  test('stays where the server refuses all mail, and can be sent again', async () => {
    let isRefusing = true;
    const { port, mails } = await startMailServer({
      onMailFrom: (_from, _session, done) => done(isRefusing ? new Error('Not now') : undefined),
    });
    const { app, headers, invite, show } = await start(port);
    const page = await show((await invite()).headers.location);
    expect(page.text).toContain('The mail could not be sent; Roster’s log says why.');
    const form = page.form('Try again');
    isRefusing = false;
    const again = await post(app, form.action, { link: form.field('link') }, headers);
    expect((await show(again.headers.location)).text).toContain('Roster has sent it by mail.');
    expect(mails[0]?.body).toContain(page.secret);
  });

  test('stays where the server never answers, which holds nobody else up', async () => {
    const silent = await startSilentServer();
    const { app, headers, invite, show } = await start(silent.port);
    const asked = once(silent.server, 'connection');
    const inviting = invite();
    await asked;
    expect((await get(app, '/users', headers)).statusCode).toBe(200);
    expect(
      (await post(app, '/users', { username: 'eve', email: 'eve@example.org' }, headers)).statusCode,
    ).toBe(303);
    silent.hangUp();
    expect((await show((await inviting).headers.location)).text).toContain('The mail could not be sent');
  });

  test('is waited for, and given up in time, by a Roster that stops', async () => {
    const silent = await startSilentServer();
    const { app, headers } = await start(silent.port, 200);
    const address = await listen(app);
    const asked = once(silent.server, 'connection');
    const inviting = fetch(`${address}/invite`, {
      method: 'POST',
      redirect: 'manual',
      headers: { ...headers, origin: PUBLIC.ORIGIN },
      body: new URLSearchParams(ADA),
    });
    await asked;
    await app.drain(0);
    await app.close();
    const answer = await inviting;
    expect(answer.status).toBe(303);
    const restarted = await startApp({ ...PUBLIC, SMTP_URL: 'smtp://127.0.0.1:1' }, app.db, app.clock);
    const page = pageOf(await get(restarted, String(answer.headers.get('location')), headers));
    expect(page.text).toContain('Perhaps not sent The mail server has not answered in time');
    const { text } = pageOf(await get(restarted, '/users/2', headers));
    expect(text).toContain('ann got no answer about the mail with the access link');
    expect(text).not.toContain('could not send');
  });
});

describe('what became of a mail', () => {
  test('is known to another Roster, which sends no second one, and stands in the history', async () => {
    let isRefusing = true;
    const { port, mails } = await startMailServer({
      onRcptTo: (_to, _session, done) =>
        done(isRefusing ? Object.assign(new Error('No such user'), { responseCode: 550 }) : undefined),
    });
    const { app, headers, invite } = await start(port);
    const settings = { ...PUBLIC, SMTP_URL: `smtp://127.0.0.1:${port}` };
    const other = await startApp(settings, app.db, app.clock, undefined, NEVER);
    const { location } = (await invite()).headers;
    const shown = async () => pageOf(await get(other, String(location), headers));
    expect((await shown()).text).toContain('The mail server takes no mail for ada@example.org.');
    isRefusing = false;
    const form = (await shown()).form('Try again');
    const send = (roster = other) => post(roster, form.action, { link: form.field('link') }, headers);
    expect((await send()).statusCode).toBe(303);
    expect((await send(app)).statusCode).toBe(303);
    expect((await shown()).text).toContain('Roster has sent it by mail.');
    expect(mails).toHaveLength(1);
    const { text } = pageOf(await get(app, '/users/2', headers));
    expect(text).toMatch(/sent the access link by mail .* could not send the access link by mail .* invited/);
  });

  test('is forgotten with its link: a new one can be sent', async () => {
    const { port, mails } = await startMailServer();
    const { app, clock, headers, invite, show } = await start(port);
    await invite();
    clock.move(1);
    const page = await show((await post(app, '/users/2/invitation', {}, headers)).headers.location);
    const form = page.form('Send by mail');
    await post(app, form.action, { link: form.field('link') }, headers);
    expect(mails.map(({ body }) => body.includes(page.secret))).toEqual([false, true]);
  });
});

test('a link made anew is sent by mail on demand', async () => {
  const { port, mails } = await startMailServer();
  const { app, headers, show } = await start(port);
  const bob = await addPerson(app.db, 'bob', 'viewer');
  const page = await show((await post(app, `/users/${bob.id}/invitation`, {}, headers)).headers.location);
  expect(mails).toEqual([]);
  expect(page.links.map(({ text }) => text)).not.toContain('Invite another');
  const form = page.form('Send by mail');
  const sent = await post(app, form.action, { link: form.field('link'), key: form.field('key') }, headers);
  expect((await show(sent.headers.location)).text).toContain('Roster has sent it by mail.');
  expect(mails[0]).toMatchObject({ to: ['bob@example.org'], body: expect.stringContaining(page.secret) });
  // By a second click, or after a restart, when nobody remembers the mail.
  const settings = { ...PUBLIC, SMTP_URL: `smtp://127.0.0.1:${port}` };
  const restarted = await startApp(settings, app.db, app.clock, undefined, NEVER);
  for (const roster of [app, restarted]) {
    const again = await post(
      roster,
      form.action,
      { link: form.field('link'), key: form.field('key') },
      headers,
    );
    expect(again.headers.location).toBe(sent.headers.location);
  }
  expect(mails).toHaveLength(1);
  const gone = await post(app, form.action, { link: 'x' }, headers);
  expect([gone.statusCode, mails.length]).toEqual([404, 1]);
});

test('without a mail server nothing is offered that would need one', async () => {
  const app = await startApp();
  const headers = await signedIn(app, await addPerson(app.db, 'ann', 'admin'));
  const ed = await addUser(app.db, { username: 'ed', role: 'editor' });
  expect(pageOf(await get(app, '/invite', headers)).text).toContain('You get a link to send them');
  const { location } = (await post(app, `/users/${ed.id}/invitation`, {}, headers)).headers;
  const key = new URL(String(location), 'http://localhost').searchParams.get('key') ?? '';
  expect(pageOf(await get(app, `${location}`, headers)).buttons).toEqual([]);
  expect((await post(app, `/users/${ed.id}/invitation/mail`, { link: key }, headers)).statusCode).toBe(404);
});

describe('a mail', () => {
  test('has no more headers and receivers, whatever a name has in it', async () => {
    const { port, mails } = await startMailServer();
    const { send } = await mailerTo(`smtp://127.0.0.1:${port}`);
    const name = 'Ada\r\nBcc: eve@example.org\r\n\r\nHi" <eve@example.org>, x';
    expect(await send({ ...MAIL, to: { name, address: 'ada@example.org' }, subject: `S\r\nX-Evil: 1` })).toBe(
      'sent',
    );
    expect(mails[0]?.to).toEqual(['ada@example.org']);
    expect([...(mails[0]?.headers.keys() ?? [])].sort()).toEqual([
      'auto-submitted',
      'content-transfer-encoding',
      'content-type',
      'date',
      'from',
      'message-id',
      'mime-version',
      'subject',
      'to',
    ]);
    expect(mails[0]?.body.trim()).toBe('T');
  });

  test('is given up in time where the server never says a word, or never says that it has it', async () => {
    const silent = await startSilentServer();
    const slow = await startMailServer({ onData: (stream) => void stream.resume() });
    for (const port of [silent.port, slow.port]) {
      const { send, log } = await mailerTo(`smtp://127.0.0.1:${port}`, 100);
      expect(await send()).toBe('late');
      expect(log).toHaveLength(1);
    }
  });

  test('is sent with what the setting holds, of which the log has nothing', async () => {
    const words: unknown[] = [];
    const { port, mails } = await startMailServer({
      allowInsecureAuth: true,
      authOptional: false,
      onAuth: ({ username, password }, _session, done) => {
        words.push(username, password);
        if (password === 'p@ss wörd') done(null, { user: 'x' });
        else done(new Error(`Wrong: ${username} ${password}`));
      },
    });
    const right = await mailerTo(`smtp://ro%40ster:p%40ss%20w%C3%B6rd@127.0.0.1:${port}`);
    expect(await right.send()).toBe('sent');
    expect(words).toEqual(['ro@ster', 'p@ss wörd']);
    expect(mails).toHaveLength(1);
    const wrong = await mailerTo(`smtp://roster:s3cret@127.0.0.1:${port}`);
    expect(await wrong.send()).toBe('failed');
    expect(wrong.log).toEqual([{ outcome: 'failed', reason: expect.stringContaining('EAUTH') }]);
    expect(JSON.stringify(wrong.log)).not.toMatch(/s3cret|czNjcmV0/);
  });

  test('goes encrypted: by smtps to a server that proves who it is', async () => {
    const [key, cert] = TLS;
    const { port, mails } = await startMailServer({ secure: true, key, cert });
    const { send, log } = await mailerTo(`smtps://127.0.0.1:${port}`);
    expect(await send()).toBe('failed');
    expect(JSON.stringify(log)).toMatch(/certificate/);
    const plain = await startMailServer();
    const toPlain = await mailerTo(`smtps://127.0.0.1:${plain.port}`);
    expect(await toPlain.send()).toBe('failed');
    expect([...mails, ...plain.mails]).toEqual([]);
  });

  test('goes encrypted by smtp, too, where the server is another machine; on this one as it can', async () => {
    const [key, cert] = TLS;
    const plain = await startMailServer();
    // What leads here, and is not called so.
    const { send } = await mailerTo(`smtp://0.0.0.0:${plain.port}`);
    expect(await send()).toBe('failed');
    expect(plain.mails).toEqual([]);
    const encrypting = await startMailServer({ hideSTARTTLS: false, key, cert });
    expect(await (await mailerTo(`smtp://127.0.0.1:${encrypting.port}`)).send()).toBe('sent');
    expect(encrypting.mails).toMatchObject([{ isEncrypted: true }]);
  });

  test('is refused in words of ours where nothing listens', async () => {
    const { server, port } = await startSilentServer();
    server.close();
    const { send, log } = await mailerTo(`smtp://127.0.0.1:${port}`);
    expect(await send()).toBe('failed');
    expect(JSON.stringify(log)).toContain('ECONNREFUSED');
  });
});
