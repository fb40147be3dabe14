import { once } from 'node:events';
import { METHODS } from 'node:http';
import { connect } from 'node:net';
import { describe, expect, test } from 'vitest';
import { transact } from '../src/db/transact.ts';
import { HEADERS } from '../src/security.ts';
import { addPerson, signedIn } from './people.ts';
import { addUser, get, listen, post, startApp, textOf } from './support.ts';

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
    const app = await startApp();
    const page = await post(app, '/users', body);
    expect(page.statusCode).toBe(status);
    expect(page.headers['content-type']).toBe('text/html; charset=utf-8');
    expect(textOf(page.body)).toContain(sentence);
  });

  test.each(['application/json', 'text/plain', 'multipart/form-data; boundary=x', 'nonsense'])(
    'about a body of type %s',
    async (type) => {
      const app = await startApp();
      const page = await post(app, '/users', '{"username":"alice","email":"alice@example.org"}', {
        'content-type': type,
      });
      expect(page.statusCode).toBe(415);
      expect(textOf(page.body)).toContain('Only a form');
      expect(await app.db.selectFrom('users').select('id').execute()).toEqual([]);
    },
  );

  test.each(['/users/%zz', '/%', '/users/by-username/%E0%A4%A', `/users/by-username/${'a'.repeat(1000)}`])(
    'about an address like %s',
    async (address) => {
      const app = await startApp();
      const page = await get(app, address);
      expect(page.statusCode).toBeGreaterThanOrEqual(400);
      expect(page.statusCode).toBeLessThan(500);
      expect(page.headers).toMatchObject(HEADERS);
      expect(page.body).toContain('<!doctype html>');
    },
  );

  test('about an address that does not exist', async () => {
    const app = await startApp();
    for (const address of ['/nowhere', '/users/1/nowhere', '//users', '/assets/0/app.css', '/..%2f/users']) {
      const page = await get(app, address);
      expect(page.statusCode).toBe(404);
      expect(textOf(page.body)).toContain('There is no page at this address.');
    }
  });

  test('about a failure of ours', async () => {
    const app = await startApp();
    await addUser(app.db, { username: 'alice' });
    await transact(app.db, (trx) => trx.schema.alterTable('users').renameTo('lost').execute());
    const page = await get(app, '/users/1');
    expect(page.statusCode).toBe(500);
    expect(textOf(page.body)).toContain('The mistake is ours');
    expect(page.body).not.toMatch(/sqlite|no such table|\bat \//i);
  });
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
    const app = await startApp();
    const page = await app.inject({ method: method as 'GET', url, headers: { host: 'localhost' } });
    expect(page.statusCode).toBe(405);
    expect(page.headers.allow).toBe(allow);
    expect(textOf(page.body)).toContain(`This address does not answer ${method}; it answers ${allow}.`);
  });

  test('is told to everyone, wherever the request comes from and whatever it brings', async () => {
    const app = await startApp();
    const { cookie } = await signedIn(app, await addPerson(app.db, 'ann', 'admin'));
    const answered = Map.groupBy([...app.rules.keys()], (route) => route.slice(route.indexOf(' ') + 1));
    for (const [url, routes] of answered) {
      const methods = METHODS.filter((name) => name !== 'CONNECT' && !routes.includes(`${name} ${url}`));
      expect(methods.length).toBeGreaterThan(25);
      for (const method of methods)
        for (const more of [{}, { cookie }, { cookie, origin: 'https://evil.example' }])
          for (const body of [{}, { payload: '{"a":1}' }]) {
            const headers = {
              host: 'localhost',
              ...more,
              ...('payload' in body && { 'content-type': 'application/json' }),
            };
            const page = await app.inject({
              method: method as 'GET',
              url: url.replace(':id', '1'),
              headers,
              ...body,
            });
            expect(page.statusCode, `${method} ${url} ${Object.keys(more)}`).toBe(405);
          }
    }
  });

  test('shows whoever is signed in the way on', async () => {
    const app = await startApp();
    const headers = await signedIn(app, await addPerson(app.db, 'ann', 'admin'));
    const page = await get(app, '/sign-out', headers);
    expect(page.statusCode).toBe(405);
    expect(page.body).toContain('href="/account"');
  });

  test('a body that it brings is not read', async () => {
    const app = await startApp();
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
          if (!['date', 'content-length'].includes(name)) expect(headers.get(name), line).toBe(value);
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

  test('noise behind a form is not taken for the answer to the form', async () => {
    const app = await startApp();
    const body = 'username=alice&email=alice@example.org';
    const form = `POST /users HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
    const answer = await sendRaw(await listen(app), `${form}NOISE\r\n\r\n`);
    expect(answer).toMatch(/^HTTP\/1\.1 303 /);
    expect(answer).not.toContain('Nothing was changed');
    expect(await app.db.selectFrom('users').select('username').execute()).toEqual([{ username: 'alice' }]);
  });
});
