/** Behind each proxy, with the snippet that is given for it: what people and their programs do. */
import { connect as connectByHttp2 } from 'node:http2';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import chromiumBinary from '@sparticuz/chromium';
import { chromium } from 'playwright-core';
import { expect, onTestFinished, test } from 'vitest';
import { seedUsers } from '../../src/cli/seed.ts';
import { multipart } from '../imports/multipart.ts';
import { pageOf } from '../page.ts';
import { addPerson, PASSWORD } from '../people.ts';
import { addUser, readyUrl, temporaryDatabase } from '../support.ts';
import { askPlainly, Browser } from './browser.ts';
import { sayWhoIsMissing, withEach, withSome } from './everyone.ts';
import { PROGRAMS, type Program } from './programs.ts';
import { HOST, isInstalled, startBehind, startProxy } from './start.ts';

sayWhoIsMissing();

/** A Roster with an administrator and some made-up users behind a proxy. */
async function start(
  program: Program,
  { users = 30, change }: { users?: number; change?: (snippet: string) => string } = {},
) {
  const url = await readyUrl();
  const db = await temporaryDatabase(url);
  await addPerson(db, 'ann', 'admin');
  const bob = await addUser(db, { username: 'bob', role: 'viewer' });
  await seedUsers(db, users);
  const roster = await startBehind(url);
  return { bob, roster, proxy: await startProxy(program, roster.address, change) };
}

withEach('lets a person in a browser sign in and create a user, at the public address', async (program) => {
  const { proxy } = await start(program);
  const map = `MAP ${HOST}:80 127.0.0.1:${proxy.http}, MAP ${HOST}:443 127.0.0.1:${proxy.https}`;
  const browser = await chromium.launch({
    executablePath: await chromiumBinary.executablePath(),
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-background-networking',
      `--host-resolver-rules=${map}`,
    ],
  });
  onTestFinished(() => browser.close());
  const context = await browser.newContext({ ignoreHTTPSErrors: true, javaScriptEnabled: false });
  const page = await context.newPage();
  await page.goto(`http://${HOST}/users`);
  expect(page.url()).toBe(`https://${HOST}/sign-in?next=%2Fusers`);
  await page.getByLabel('Username or email').fill('ann');
  await page.getByLabel('Password').fill(PASSWORD);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('heading', { name: 'Users' }).waitFor();
  expect(page.url()).toBe(`https://${HOST}/users`);
  const cookies = await context.cookies();
  expect(cookies.map(({ name }) => name)).toContainEqual(expect.stringMatching(/^__Host-roster_session/));
  for (const cookie of cookies) expect(cookie).toMatchObject({ secure: true, httpOnly: true, domain: HOST });
  await page.getByRole('link', { name: 'New user' }).click();
  await page.getByLabel('Username').fill('zoe');
  await page.getByLabel('Email').fill('zoe@example.org');
  await page.getByRole('button', { name: 'Create' }).click();
  await page.getByText('User zoe created!').waitFor();
  expect(new URL(page.url()).origin).toBe(`https://${HOST}`);
});

withEach(
  'has Roster throttle whoever guesses, and nobody else, whatever they say of themselves',
  async (program) => {
    const { proxy, roster } = await start(program);
    const [guesser, neighbour] = [new Browser(proxy, '127.0.0.2'), new Browser(proxy, '127.0.0.3')];
    const answers: number[] = [];
    for (let at = 0; at < 8; at++) {
      const spoofed = { 'x-forwarded-for': `203.0.113.${at}` };
      const fields = { username: 'ann', password: 'a guess that is wrong' };
      answers.push((await guesser.post('/sign-in', fields, spoofed)).status);
    }
    expect(answers.slice(-3)).toEqual([429, 429, 429]);
    expect((await neighbour.signIn()).status).toBe(303);
    expect(roster.said()).not.toContain('X-Forwarded-For');
  },
);

withEach('sends whoever comes by http to https, at the same page', async (program) => {
  const { proxy } = await start(program);
  const answer = await askPlainly(proxy, '/users?page=2');
  expect([301, 302, 308]).toContain(answer.status);
  expect(answer.headers.location).toMatch(/^https:\/\/users\.example\.org(:\d+)?\/users\?page=2$/);
});

withEach('speaks HTTP/2', async (program) => {
  const { proxy } = await start(program);
  const session = connectByHttp2(`https://127.0.0.1:${proxy.https}`, {
    rejectUnauthorized: false,
    servername: HOST,
  });
  onTestFinished(() => session.destroy());
  const request = session.request({ ':path': '/sign-in', ':authority': HOST }).end();
  expect(pageOf(await text(request)).heading).toBe('Sign in');
});

withEach('passes on a file of some megabytes that is imported', async (program) => {
  const { proxy } = await start(program);
  const ann = new Browser(proxy);
  await ann.signIn();
  const name = 'n'.repeat(150);
  const rows = Array.from({ length: 20_000 }, (_, at) => `person${at},person${at}@example.net,${name}`);
  const { body, headers } = multipart(
    {},
    { name: 'a.csv', content: `username,email,full_name\n${rows.join('\n')}\n` },
  );
  expect(body.length).toBeGreaterThan(3_500_000);
  const answer = await ann.open('/import', {
    method: 'POST',
    headers: { ...headers, 'content-length': `${body.length}` },
    body,
  });
  answer.resume();
  expect(answer.statusCode).toBe(303);
  const read = async () => pageOf((await ann.get(`${answer.headers.location}`)).body.toString()).text;
  await expect.poll(read, { timeout: 60_000, interval: 500 }).toContain('20,000');
});

withEach('passes on a form that is too large as far as it must, and its refusal', async (program) => {
  const { proxy } = await start(program);
  const ann = new Browser(proxy);
  await ann.signIn();
  const answer = await ann.post('/users', { username: 'x'.repeat(5_000_000) });
  expect(answer.status).toBe(413);
  expect(pageOf(answer.body.toString()).text).toContain('A form may be 64 KiB at most. Nothing was changed');
});

// The others wait for the whole of a form before they pass on anything, or its answer.
withSome(['HAProxy'], 'passes on that a form took too long', async (program) => {
  const { proxy } = await start(program);
  const ann = new Browser(proxy);
  await ann.signIn();
  const headers = { 'content-type': 'application/x-www-form-urlencoded', 'content-length': '100' };
  const answer = await ann.stall('/users', { method: 'POST', headers, body: 'username=' });
  expect(answer.status).toBe(408);
  expect(pageOf(answer.body.toString()).text).toContain('took too long to arrive. Nothing was changed');
});

withEach(
  'sends an export on while it is written, and a download that breaks off is no whole one',
  async (program) => {
    const { proxy, roster } = await start(program, { users: 60_000 });
    const ann = new Browser(proxy);
    await ann.signIn();
    const whole = await ann.open('/export/file?format=csv&all=on');
    expect(whole.statusCode).toBe(200);
    const arrived: number[] = [];
    for await (const _ of whole) {
      arrived.push(performance.now());
    }
    expect((arrived.at(-1) ?? 0) - (arrived[0] ?? 0)).toBeGreaterThan(50);
    // Caddy 2.6 ends what breaks off as if it were whole.
    if (program.name === 'Caddy') return;
    const cut = await ann.open('/export/file?format=csv&all=on');
    const reading = (async () => {
      let count = 0;
      for await (const chunk of cut) {
        if (count === 0) roster.child.kill('SIGKILL');
        count += chunk.length;
      }
      return count;
    })();
    await expect(reading).rejects.toThrow();
  },
);

withEach('passes pages on as Roster compresses them, and none with a secret', async (program) => {
  const { proxy, bob } = await start(program);
  const ann = new Browser(proxy);
  await ann.signIn();
  const accepts = { 'accept-encoding': 'gzip, deflate, br' };
  for (const [accepted, open] of [
    ['br', brotliDecompressSync],
    ['gzip', gunzipSync],
  ] as const) {
    const page = await ann.get('/users', { 'accept-encoding': accepted });
    expect(page.headers['content-encoding']).toBe(accepted);
    expect(pageOf(open(page.body).toString()).heading).toMatch(/^Users/);
  }
  const list = await ann.get('/users');
  expect(list.headers['content-encoding']).toBeUndefined();
  const style = /href="(\/assets\/[^"]*app\.css)"/.exec(list.body.toString())?.[1] ?? '';
  const sheet = await ann.get(style, accepts);
  expect(sheet.headers).toMatchObject({
    'content-encoding': 'br',
    'cache-control': 'public, max-age=31536000, immutable',
  });
  expect(brotliDecompressSync(sheet.body).toString()).toContain('@layer');

  await pageWithSecret(ann, bob, accepts);
});

/** The page after an invitation, with its link. */
async function pageWithSecret(ann: Browser, bob: { id: number }, headers: Record<string, string>) {
  const made = await ann.post(`/users/${bob.id}/invitation`, {}, headers);
  const page = await ann.get(`${made.headers.location}`, headers);
  expect(page.headers['cache-control']).toBe('no-store');
  expect([undefined, 'identity']).toContain(page.headers['content-encoding']);
  expect(page.body.toString()).toMatch(/https:\/\/users\.example\.org\/(setup|invitations)\//);
}

const COMPRESSING: Readonly<Record<string, readonly [string, string]>> = {
  Caddy: ['\treverse_proxy', '\tencode gzip\n\treverse_proxy'],
  HAProxy: [
    'option forwardfor',
    'option forwardfor\n  compression algo gzip\n  compression type text/html text/csv',
  ],
};

// nginx does so as Debian ships it.
withSome(['Caddy', 'HAProxy'], 'that compresses by itself leaves pages with a secret', async (program) => {
  const [from = '', to = ''] = COMPRESSING[program.name] ?? [];
  const { proxy, bob } = await start(program, { change: (snippet) => snippet.replace(from, to) });
  const ann = new Browser(proxy);
  await ann.signIn();
  const accepts = { 'accept-encoding': 'gzip' };
  const file = await ann.get('/export/file?format=csv&all=on', accepts);
  expect(file.headers['content-encoding']).toBe('gzip');
  await pageWithSecret(ann, bob, accepts);
});

withEach('leaves it to Roster by what a browser asks whether what it has still holds', async (program) => {
  const { proxy } = await start(program);
  const ann = new Browser(proxy);
  await ann.signIn();
  const kept = { 'if-none-match': '*', 'if-modified-since': new Date().toUTCString() };
  const list = await ann.get('/users?page=1', kept);
  const style = /href="(\/assets\/[^"]*app\.css)"/.exec(list.body.toString())?.[1] ?? '';
  const sheet = await ann.get(style, kept);
  for (const { status, headers } of [list, sheet]) {
    expect(status).toBe(200);
    expect(headers).not.toHaveProperty('last-modified');
  }
  expect(sheet.headers).not.toHaveProperty('etag');
  for (const accepted of ['br', 'gzip', 'identity']) {
    const { etag } = (await ann.get('/users?page=1', { 'accept-encoding': accepted })).headers;
    expect(etag).toBe(list.headers.etag);
    const again = await ann.get('/users?page=1', { 'accept-encoding': accepted, 'if-none-match': `${etag}` });
    expect([again.status, again.body.length]).toEqual([304, 0]);
  }
});

withEach('gives each request a name of its own, whatever a client calls it', async (program) => {
  const { proxy } = await start(program);
  const { headers } = await new Browser(proxy).get('/sign-in', { 'x-request-id': 'chosen-by-a-client' });
  // Longer than those that Roster makes.
  expect(headers['x-request-id']).toMatch(/^(?!chosen)[\w@-]{20,}$/);
});

withEach('passes on where to go after signing in, however long that address is', async (program) => {
  const { proxy } = await start(program);
  const nobody = new Browser(proxy);
  for (const length of [1_000, 3_000, 7_000]) {
    const answer = await nobody.get(`/users?q=${'%C3%A9'.repeat(length / 6)}`);
    // Where the address would be too long for a proxy, the form is shown in its place.
    expect([303, 401], `${length}`).toContain(answer.status);
  }
});

test('after 70 s without a word each sends a form on', { timeout: 120_000 }, async () => {
  const all = await Promise.all(
    PROGRAMS.filter(isInstalled).map(async (program) => {
      const { proxy } = await start(program);
      const ann = new Browser(proxy);
      await ann.signIn();
      return { program, ann };
    }),
  );
  await sleep(70_000);
  for (const { program, ann } of all) {
    const answer = await ann.post('/users', { username: 'zoe', email: 'zoe@example.org' });
    expect(answer.status, program.name).toBe(303);
  }
});

test.skipIf(!PROGRAMS.some((program) => program.name === 'HAProxy' && isInstalled(program)))(
  'HAProxy finds by its own checks that Roster is there, and that it is not',
  async () => {
    const [program] = PROGRAMS.filter(({ name }) => name === 'HAProxy');
    if (program === undefined) throw new Error('There is no HAProxy.');
    const change = (snippet: string) =>
      snippet.replace(/^ *server .*/m, '  option httpchk GET /healthz\n$& check inter 1s');
    const { proxy, roster } = await start(program, { change });
    const status = async () => {
      const socket = connect(`${proxy.folder}/stats`).end('show stat\n');
      const row = (await text(socket)).split('\n').find((line) => line.startsWith('roster,roster,'));
      return /,(UP|DOWN)[^,]*,/.exec(row ?? '')?.[1];
    };
    await sleep(3_000);
    expect(await status()).toBe('UP');
    roster.child.kill('SIGKILL');
    await expect.poll(status, { timeout: 15_000, interval: 500 }).toBe('DOWN');
  },
);
