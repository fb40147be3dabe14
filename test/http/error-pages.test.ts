import { once } from 'node:events';
import { METHODS } from 'node:http';
import { connect } from 'node:net';
import { describe, expect, test } from 'vitest';
import { transact } from '../../src/db/transact.ts';
import { HEADERS } from '../../src/http/security.ts';
import { REFUSALS } from '../browser/refusals.ts';
import { pageOf } from '../page.ts';
import { addPerson, signedIn } from '../people.ts';
import { listenTo, run } from '../roster.ts';
import { addUser, get, listen, post, readyUrl, sharedApp, startApp, temporaryDatabase } from '../support.ts';

const FORM = 'Content-Type: application/x-www-form-urlencoded\r\n';

/** For what changes nothing. */
const start = sharedApp();

/** Sends bytes to the server as they are; what it answers until it closes the connection. */
async function sendRaw(address: string, bytes: string): Promise<string> {
  const { hostname, port } = new URL(address);
  const socket = connect(Number(port), hostname);
  let answer = '';
  socket.setEncoding('utf8').on('data', (data) => {
    answer += data;
  });
  socket.write(bytes);
  await once(socket, 'close');
  return answer;
}

/** By name, in lower case, of a whole answer. */
function headersOf(answer: string): Map<string, string> {
  const [, ...lines] = answer.slice(0, answer.indexOf('\r\n\r\n')).split('\r\n');
  return new Map(
    lines.map((line) => {
      const [, name = '', value = ''] = /^([^:]+): (.*)$/.exec(line) ?? [];
      return [name.toLowerCase(), value];
    }),
  );
}

describe('a page says what happened, and nothing about the inside', () => {
  test.each([
    [
      'bad percent-encoding',
      'username=%zz',
      400,
      '“%” in it that is not followed by two hex digits. Nothing was changed.',
    ],
    [
      'a field sent twice',
      'username=a&username=b',
      400,
      'The field “username” was sent twice. Nothing was changed.',
    ],
    [
      'more than 100 fields',
      Array.from({ length: 101 }, (_, i) => `a${i}=`).join('&'),
      400,
      'at most 100 fields',
    ],
    ['more than 64 KiB', `username=${'a'.repeat(64 * 1024)}`, 413, 'A form may be 64 KiB at most.'],
  ])('about %s', async (_what, body, status, sentence) => {
    const app = await start();
    const page = await post(app, '/users', body);
    expect(page.statusCode).toBe(status);
    expect(page.headers['content-type']).toBe('text/html; charset=utf-8');
    expect(pageOf(page).text).toContain(sentence);
  });

  test.each(['application/json', 'text/plain', 'multipart/form-data; boundary=x', 'nonsense'])(
    'about a body of type %s',
    async (type) => {
      const app = await start();
      const page = await post(app, '/users', '{"username":"alice","email":"alice@example.org"}', {
        'content-type': type,
      });
      expect(page.statusCode).toBe(415);
      expect(pageOf(page).text).toContain('Only a form');
      expect(await app.db.selectFrom('users').select('id').execute()).toEqual([]);
    },
  );

  test.each(['/users/%zz', '/%', '/users/by-username/%E0%A4%A', `/users/by-username/${'a'.repeat(1000)}`])(
    'about an address like %s',
    async (address) => {
      const app = await start();
      const page = await get(app, address);
      expect(page.statusCode).toBeGreaterThanOrEqual(400);
      expect(page.statusCode).toBeLessThan(500);
      expect(page.headers).toMatchObject(HEADERS);
      expect(page.body).toContain('<!doctype html>');
    },
  );

  test('about an address that does not exist', async () => {
    const app = await start();
    for (const address of [
      '/nowhere',
      '/users/1/nowhere',
      '//users',
      '/assets/0/nothing.css',
      '/..%2f/users',
    ]) {
      const page = await get(app, address);
      expect(page.statusCode).toBe(404);
      expect(pageOf(page).text).toContain('There is no page at this address.');
    }
  });

  test('about a failure of ours', async () => {
    const app = await startApp();
    await addUser(app.db, { username: 'alice' });
    await transact(app.db, (trx) => trx.schema.alterTable('users').renameTo('lost').execute());
    const page = await get(app, '/users/1');
    expect(page.statusCode).toBe(500);
    expect(pageOf(page).text).toContain('The mistake is ours');
    expect(page.body).not.toMatch(/sqlite|no such table|\bat \//i);
  });
});

/** Where the one link of a page about an error leads. */
function onlyLink(answer: string | { body: string }): string | undefined {
  const [link, ...others] = pageOf(answer).main.links;
  expect(others).toEqual([]);
  return link?.href;
}

/** A Roster whose users are gone, with an editor who has signed in. */
async function failingApp() {
  const app = await startApp();
  const headers = await signedIn(app, await addPerson(app.db, 'ann', 'admin'));
  await transact(app.db, (trx) => trx.schema.alterTable('user_counts').renameTo('lost').execute());
  return { app, headers };
}

describe('a page about an error has a way on', () => {
  test('who only looked is told of looking, and can look again', async () => {
    const { app, headers } = await failingApp();
    const page = await get(app, '/users?q=x', headers);
    expect(page.statusCode).toBe(500);
    expect(pageOf(page).text).toContain('The mistake is ours. Reload this page');
    expect(pageOf(page).text).not.toMatch(/changed|typed/);
    expect(onlyLink(page)).toBe('/users?q=x');
  });

  test('who sent a form is told of what they typed, and comes to the form', async () => {
    const { app, headers } = await failingApp();
    const page = await post(app, '/users', { username: 'bob', email: 'bob@example.org' }, headers);
    expect(page.statusCode).toBe(500);
    expect(pageOf(page).text).toContain('Nothing was changed; what you typed is one step back.');
    expect(onlyLink(page)).toBe('/users/new');
    // Where nothing of it is.
    expect(pageOf(page).main.links.map(({ text }) => text)).toEqual(['Open the page anew']);
  });

  test('whose search is longer than an address may be is told so, and the field takes no such search', async () => {
    const app = await startApp();
    await addUser(app.db, { username: 'alice' });
    const search = `GET /users?q=${'x'.repeat(20_000)} HTTP/1.1\r\nHost: localhost\r\n\r\n`;
    const page = pageOf(await sendRaw(await listen(app), search));
    expect([page.heading, page.text]).toEqual(['Too long', expect.stringContaining('search for less')]);
    const { maxlength } = pageOf(await get(app, '/history')).input('user');
    // Whatever is typed, each unit of it takes nine bytes at most.
    expect(9 * Number(maxlength)).toBeLessThan(16_000);
  });

  test.each([
    ['GET', '/nowhere', 404, '/users'],
    ['GET', '/users/42', 404, '/users'],
    ['PUT', '/users/1?from=page%3D2', 405, '/users/1?from=page%3D2'],
    ['DELETE', '/sign-out', 405, '/sign-out'],
    // The form would not be there either.
    ['POST', '/users/42', 404, '/users'],
    ['POST', '/users/42/delete', 404, '/users'],
    ['POST', '/invitations/x', 404, '/users'],
    ['POST', '/users', 415, '/users/new'],
  ])('%s %s is %i and leads to %s', async (method, url, status, to) => {
    const app = await startApp();
    const headers = { host: 'localhost', ...(status !== 404 && { 'content-type': 'text/plain' }) };
    const page = await app.inject({ method: method as 'GET', url, headers });
    expect(page.statusCode).toBe(status);
    expect(onlyLink(page)).toBe(to);
  });

  test('who is not signed in is led to where one signs in', async () => {
    const app = await startApp();
    await addPerson(app.db, 'ann', 'admin');
    for (const url of ['/invitations/x', '/setup/x', '/%zz']) {
      const page = await get(app, url);
      expect(page.statusCode).toBeGreaterThanOrEqual(400);
      expect(onlyLink(page), url).toBe('/');
    }
    const home = await get(app, '/');
    expect(home.headers.location).toMatch(/^\/sign-in/);
  });

  test('who has come by another name is led to ours, also where there is no request', async () => {
    const away = await startApp({ ORIGIN: 'https://users.example.org', TRUST_PROXY: '127.0.0.1' });
    expect(onlyLink(await get(away, '/users', { host: 'evil.example' }))).toBe('https://users.example.org/');
    const app = await startApp();
    const address = await listen(app);
    expect(onlyLink(await get(app, '/users', { host: 'evil.example' }))).toBe(`${address}/`);
    expect(onlyLink(await sendRaw(address, 'BREW /users HTTP/1.1\r\n\r\n'))).toBe('/');
  });

  test.each(Object.entries(REFUSALS))('also that about %s', async (_what, refusal) => {
    expect(onlyLink(await refusal(await start()))).toMatch(/^\/(users(\/new)?)?$/);
  });

  test('what looks like another host is none in it', async () => {
    const { app, headers } = await failingApp();
    await transact(app.db, (trx) => trx.schema.alterTable('sessions').renameTo('gone').execute());
    const page = await get(app, '//evil.example/users', headers);
    expect(page.statusCode).toBe(500);
    expect(onlyLink(page)).toMatch(/^\/(users)?$/);
  });
});

test('a page about what failed names the request as the log does', async () => {
  const url = await readyUrl();
  const child = run([], { PORT: '0', DATABASE_URL: url });
  const { address, said } = await listenTo(child);
  const db = await temporaryDatabase(url);
  await transact(db, (trx) => trx.schema.alterTable('user_counts').renameTo('lost').execute());
  const pages = [await fetch(`${address}/users`), await fetch(`${address}/users?page=2`)];
  const ids = await Promise.all(
    pages.map(async (page) => /as request ([0-9a-f-]{13})\./.exec(pageOf(await page.text()).text)?.[1]),
  );
  expect(new Set(ids).size).toBe(2);
  for (const id of ids) await expect.poll(said).toContain(`"reqId":"${id}"`);
  expect(said()).toContain('"route":"/users"');
});

test('a page about what could not be read names it as the log does, and at info every page about an error does', async () => {
  const child = run([], { PORT: '0', DATABASE_URL: await readyUrl(), LOG_LEVEL: 'info' });
  const { address, said } = await listenTo(child);
  const end = 'Host: localhost\r\nConnection: close\r\n\r\n';
  for (const line of [
    'GET /users/%zz',
    'POST /users/%zz',
    'BREW /users',
    'GET /nowhere',
    'GET /users/7',
    'PUT /users',
    'GET /users?page=9',
  ]) {
    const page = pageOf(await sendRaw(address, `${line} HTTP/1.1\r\n${end}`)).text;
    const id = /as request ([0-9a-f-]{13})\./.exec(page)?.[1];
    expect(id, line).toBeDefined();
    // The second of a kind within a second is named by a line that comes later.
    const named = new RegExp(`"reqId":"${id}"|"leftOutReqIds":\\[[^\\]]*"${id}"`);
    await expect.poll(said, { message: line }).toMatch(named);
  }
  expect(said()).toMatch(/"method":"GET".*"msg":"request not understood"/);
});

test('a page about an error that is not in the log names no request, by which nobody would find anything', async () => {
  const child = run([], { PORT: '0', DATABASE_URL: await readyUrl() });
  const { address } = await listenTo(child);
  const page = pageOf(await (await fetch(`${address}/nowhere`)).text());
  expect(page.heading).toBe('Page not found');
  expect(page.text).not.toContain('request');
});

describe('a method that an address does not have', () => {
  test.each([
    ['PUT', '/users', 'GET, HEAD, POST'],
    ['DELETE', '/users/1', 'GET, HEAD, POST'],
    ['POST', '/users/new', 'GET, HEAD'],
    ['POST', '/users/1/edit', 'GET, HEAD'],
    ['PATCH', '/add_user', 'GET, HEAD, POST'],
    ['OPTIONS', '/users', 'GET, HEAD, POST'],
    ['PROPFIND', '/users', 'GET, HEAD, POST'],
    ['POST', '/healthz', 'GET, HEAD, OPTIONS'],
    ['TRACE', '/', 'GET, HEAD'],
  ])('%s %s is 405 and names %s', async (method, url, allow) => {
    const app = await start();
    const page = await app.inject({ method: method as 'GET', url, headers: { host: 'localhost' } });
    expect(page.statusCode).toBe(405);
    expect(page.headers.allow).toBe(allow);
    expect(pageOf(page).text).toContain(`This address does not answer ${method}; it answers ${allow}.`);
  });

  test('is told to everyone, wherever the request comes from and whatever it brings', async () => {
    const app = await startApp();
    const { cookie } = await signedIn(app, await addPerson(app.db, 'ann', 'admin'));
    const json = { 'content-type': 'application/json', payload: '{"a":1}' };
    const origin = 'https://evil.example';
    const ways: { payload?: string; [header: string]: string | undefined }[] = [
      {},
      { cookie },
      { cookie, origin },
      json,
      { cookie, ...json },
      { cookie, origin, ...json },
    ];
    const answered = Map.groupBy([...app.rules.keys()], (route) => route.slice(route.indexOf(' ') + 1));
    for (const [url, routes] of answered) {
      // Where there is a form alone, whoever asks for a page is led to the one that shows it.
      const shown = routes.some((route) => route.startsWith('GET ')) ? [] : ['GET', 'HEAD'];
      const methods = METHODS.filter(
        (name) => name !== 'CONNECT' && !shown.includes(name) && !routes.includes(`${name} ${url}`),
      );
      expect(methods.length).toBeGreaterThan(25);
      for (const [index, method] of methods.entries()) {
        const { payload, ...headers } = ways[index % ways.length] ?? {};
        const page = await app.inject({
          method: method as 'GET',
          url: url.replace(':id', '1'),
          headers: { host: 'localhost', ...headers },
          ...(payload && { payload }),
        });
        expect(page.statusCode, `${method} ${url} ${Object.keys(headers)}`).toBe(405);
      }
    }
  });

  test('shows whoever is signed in the way on', async () => {
    const app = await startApp();
    const headers = await signedIn(app, await addPerson(app.db, 'ann', 'admin'));
    const page = await post(app, '/account', {}, headers);
    expect(page.statusCode).toBe(405);
    expect(onlyLink(page)).toBe('/account');
  });

  test.each([
    ['/account/password', '/account'],
    ['/account/code/delete', '/account'],
    ['/account/recovery-codes', '/account'],
    ['/account/sessions/delete', '/account'],
    ['/account/sessions/9/delete', '/account'],
    ['/users/2/invitation/mail?from=page%3D2', '/users/2?from=page%3D2'],
    ['/users/2/invitation/delete', '/users/2'],
    ['/users/2/code/delete', '/users/2'],
    ['/users/2/sessions/delete', '/users/2'],
    ['/users/2/sessions/9/delete', '/users/2'],
  ])('but is one for reading, as by Enter after a refusal, leads from %s to the form', async (url, form) => {
    const app = await startApp();
    const headers = await signedIn(app, await addPerson(app.db, 'ann', 'admin'));
    await addUser(app.db, { username: 'bob' });
    for (const asking of [headers, {}]) {
      const answer = await get(app, url, asking);
      expect([answer.statusCode, answer.headers.location]).toEqual([303, form]);
    }
    expect((await get(app, form, headers)).statusCode).toBe(200);
    const other = await app.inject({ method: 'PUT', url, headers: { host: 'localhost' } });
    expect([other.statusCode, other.headers.allow]).toEqual([405, 'POST']);
  });

  test('but is one for reading leads to no page of a user whom there is not', async () => {
    const app = await startApp();
    const headers = await signedIn(app, await addPerson(app.db, 'ann', 'admin'));
    for (const id of ['9', '%2F%2Fevil.example', '..%2F..%2F', '0']) {
      const { location } = (await get(app, `/users/${id}/invitation/delete`, headers)).headers;
      expect(location).toBe(`/users/${id}`);
      expect((await get(app, String(location), headers)).statusCode).toBe(404);
    }
  });

  test('every address that takes a form has a page for whoever comes by Enter', async () => {
    const app = await start();
    const routes = [...app.rules.keys()];
    const posts = routes.filter((route) => route.startsWith('POST ')).map((route) => route.slice(5));
    for (const address of posts) {
      const answer = await get(app, address.replace(':id', '1').replace(':token', 'x'));
      expect(answer.statusCode, address).not.toBe(405);
    }
  });

  test('a body that it brings is not read', async () => {
    const app = await start();
    const headers = { host: 'localhost', 'content-type': 'application/json' };
    const page = await app.inject({ method: 'PUT', url: '/users', headers, payload: '{"a":1}' });
    expect(page.statusCode).toBe(405);
  });
});

describe('what is hardly HTTP', () => {
  test.each([
    ['an unknown method', 'BREW /users HTTP/1.1\r\nHost: localhost\r\n\r\n', 400],
    [
      'an expectation',
      'GET /users HTTP/1.1\r\nHost: localhost\r\nExpect: tea\r\nConnection: close\r\n\r\n',
      200,
    ],
    ['a tunnel', 'CONNECT a:1 HTTP/1.1\r\nHost: localhost\r\n\r\n', 400],
    ['noise', '\x16\x03\x01\x02\x00\r\n\r\n', 400],
    ['headers too large', `GET /users HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`, 431],
    ['no host', 'GET /users HTTP/1.1\r\nConnection: close\r\n\r\n', 421],
    ['an empty host', 'GET /users HTTP/1.1\r\nHost:\r\nConnection: close\r\n\r\n', 421],
    [
      'two lengths',
      'POST /users HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab',
      400,
    ],
    [
      'an address of another host',
      'GET http://evil.example/users HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n',
      421,
    ],
    [
      'an address of another host that says it is ours',
      'GET http://evil.example/users HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n',
      421,
    ],
    [
      'an address of someone at our host',
      'GET http://localhost@evil.example/users HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n',
      421,
    ],
    [
      'a whole address of ours, whatever its host header',
      'GET HTTP://localhost/users?page=1 HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n',
      200,
    ],
    [
      'a whole address of a page',
      'GET http://localhost/users?page=1 HTTP/1.1\r\nConnection: close\r\n\r\n',
      200,
    ],
    [
      'two hosts',
      'GET /users HTTP/1.1\r\nHost: localhost\r\nhOST: evil.example\r\nConnection: close\r\n\r\n',
      400,
    ],
    [
      'one host, twice',
      'GET /users HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\nConnection: close\r\n\r\n',
      400,
    ],
    ['a fragment', 'GET /users#x HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n', 200],
  ])('%s is answered with the plain page and its headers', async (_what, bytes, status) => {
    const answer = await sendRaw(await listen(await startApp()), bytes);
    expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    for (const [name, value] of Object.entries(HEADERS)) expect(answer).toContain(`${name}: ${value}`);
    expect(answer).toContain('<!doctype html>');
  });

  test.each([{}, { ORIGIN: 'https://users.example.org', TRUST_PROXY: '127.0.0.1' }])(
    'its pages have every header that another page about an error has, with %o',
    async (settings) => {
      const address = await listen(await startApp(settings));
      const ask = async (line: string) => {
        const bytes = `${line}\r\nHost: localhost\r\nConnection: close\r\n\r\n`;
        const headers = headersOf(await sendRaw(address, bytes));
        // It is there where a page is long enough to be compressed.
        headers.delete('vary');
        return headers;
      };
      const usual = await ask('GET /nowhere HTTP/1.1');
      expect(usual.has('strict-transport-security')).toBe('ORIGIN' in settings);
      expect(usual.get('cache-control')).toBe('private, no-cache');
      for (const line of [
        'BREW /users HTTP/1.1',
        'CONNECT a:1 HTTP/1.1',
        `GET /users HTTP/1.1\r\nX: ${'x'.repeat(20_000)}`,
        'GET /users/%zz HTTP/1.1',
        'GET http://evil.example/users HTTP/1.1',
        'GET /users HTTP/1.1\r\nHost: localhost',
      ]) {
        const headers = await ask(line);
        expect([...headers.keys()].sort(), line).toEqual([...usual.keys()].sort());
        for (const [name, value] of usual)
          if (!['date', 'content-length', 'x-request-id'].includes(name))
            expect(headers.get(name), line).toBe(value);
      }
    },
  );

  test('after an answer on the same connection, noise is answered too', async () => {
    const address = await listen(await startApp());
    const socket = connect(Number(new URL(address).port), '127.0.0.1');
    let answer = '';
    socket.setEncoding('utf8').on('data', (data) => {
      // The first answer is complete: the next request may come.
      if (String(data).endsWith('</html>\n') && answer === '') socket.write('NOISE\r\n\r\n');
      answer += data;
    });
    socket.write('GET /users HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await once(socket, 'close');
    expect(answer.match(/HTTP\/1\.1 (\d+)/g)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 400']);
  });

  test('a form that brings nothing, without a length even, is answered as an empty one', async () => {
    const form =
      'POST /users HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\nConnection: close\r\n\r\n';
    expect(await sendRaw(await listen(await startApp()), form)).toMatch(/^HTTP\/1\.1 422 /);
  });

  test('noise behind a form is not taken for the answer to the form', async () => {
    const app = await startApp();
    const body = 'username=alice&email=alice@example.org';
    const form = `POST /users HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
    const answer = await sendRaw(await listen(app), `${form}NOISE\r\n\r\n`);
    expect(answer).toMatch(/^HTTP\/1\.1 303 /);
    expect(answer).not.toContain('Nothing was changed');
    expect(await app.db.selectFrom('users').select('username').execute()).toEqual([{ username: 'alice' }]);
  });

  test.each([
    ['a bad chunk', 'Transfer-Encoding: chunked\r\n\r\nzz\r\n'],
    ['two lengths', 'Content-Length: 1\r\nContent-Length: 2\r\n\r\na'],
  ])('%s in a form behind a form leaves both their own answers', async (_what, rest) => {
    const app = await startApp();
    const forms = ['alice', 'bob'].map((username) => {
      const body = `username=${username}&email=${username}@example.org`;
      return `POST /users HTTP/1.1\r\nHost: localhost\r\n${FORM}Content-Length: ${body.length}\r\n\r\n${body}`;
    });
    const broken = `POST /users HTTP/1.1\r\nHost: localhost\r\n${FORM}${rest}`;
    const answer = await sendRaw(await listen(app), `${forms.join('')}${broken}`);
    expect(answer.match(/HTTP\/1\.1 (\d+)/g)).toEqual(['HTTP/1.1 303', 'HTTP/1.1 303', 'HTTP/1.1 400']);
    expect(answer.slice(0, answer.indexOf('HTTP/1.1 400'))).not.toContain('Nothing was changed');
    const users = await app.db.selectFrom('users').select('username').orderBy('id').execute();
    expect(users).toEqual([{ username: 'alice' }, { username: 'bob' }]);
  });

  test.each([
    ['reading', 'GET /users/%zz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n'],
    ['reading', 'GET /users HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n'],
    ['writing', 'POST /users/%zz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n'],
    ['writing', `POST /users HTTP/1.1\r\nHost: localhost\r\n${FORM}Transfer-Encoding: chunked\r\n\r\nzz\r\n`],
    ['nobody knows what', 'NOISE\r\n\r\n'],
    ['nobody knows what', `GET /users HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`],
  ])(
    'who was %s is told of that alone, and has a way on and the name of the request: %j',
    async (doing, bytes) => {
      const app = await startApp({ LOG_LEVEL: 'warn' });
      const page = pageOf(await sendRaw(await listen(app), bytes)).text;
      expect(page.includes('Nothing was changed.')).toBe(doing === 'writing');
      expect(page).toContain('Go to Roster');
      expect(page).toMatch(/finds this in its log, as request [0-9a-f-]{13}\./);
    },
  );
});
