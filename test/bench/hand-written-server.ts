/** The baseline written by hand: Roster's pages from node:http, prepared statements and Roster's own templates. */

import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import type { Session } from '../../src/auth/sessions.ts';
import { seal } from '../../src/auth/tokens.ts';
import { HEADERS } from '../../src/http/security.ts';
import { Page } from '../../src/lib/pagination.ts';
import { named, plain } from '../../src/lib/text.ts';
import { lastDay } from '../../src/users/as-of.ts';
import { parseList } from '../../src/users/list/address.ts';
import { openUsers } from './hand-written-users.ts';
import { render } from './hand-written-views.ts';

const PAGE_HEADERS = {
  ...HEADERS,
  'cache-control': 'private, no-cache',
  'content-type': 'text/html; charset=utf-8',
  vary: 'accept-encoding',
};
const CREATED_HEADERS = {
  ...HEADERS,
  'cache-control': 'no-store',
  'content-type': 'text/plain; charset=utf-8',
};
/** The list without a query. */
const { list: LIST } = parseList({});
const COOKIE = /(?:^|; )roster_session_\w+=([^;]+)/;
const PAGE_ADDRESS = '/users?page=';

const [path = ''] = process.argv.slice(2);
const users = openUsers(path);
/** Flash messages are sealed, as Roster's are. */
const KEY = randomBytes(32);
/** Its cookies have one, too, as long as Roster's. */
const MARK = '00000000';

function answer(request: IncomingMessage, response: ServerResponse): void {
  const { method, url = '', headers } = request;
  const token = COOKIE.exec(headers.cookie ?? '')?.[1];
  const session = token === undefined ? undefined : users.sessionOf(token);
  if (session === undefined) response.writeHead(401).end();
  else if (method === 'POST') void create(request, response);
  else if (url === '/users') showList(response, session, 1);
  else if (url.startsWith(PAGE_ADDRESS)) showList(response, session, Number(url.slice(PAGE_ADDRESS.length)));
  else showUser(response, session, Number(url.slice('/users/'.length)));
}

function showList(response: ServerResponse, session: Session, page: number): void {
  const list = { ...LIST, page };
  // Made-up users have no gaps between their ids.
  const items = users.after((page - 1) * list.perPage, list.perPage);
  const total = users.counts.active + users.counts.inactive;
  const shown = new Page(items, page, list.perPage, total);
  sendPage(
    response,
    render('users/list', session, {
      list,
      page: shown,
      counts: users.counts,
      everyone: total,
      terms: [],
      notices: [],
      ticked: [],
    }),
  );
}

function showUser(response: ServerResponse, session: Session, id: number): void {
  sendPage(
    response,
    render('users/show', session, {
      user: users.get(id),
      from: LIST,
      access: undefined,
      canSend: false,
      timeline: { entries: [], earlier: undefined, beginning: users.beginningOf(id) },
      isEarlier: false,
      lastDay: lastDay(Date.now()),
      wrongDay: undefined,
    }),
  );
}

async function create(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const fields = new URLSearchParams(await text(request));
  const username = fields.get('username') ?? '';
  const id = users.insert({
    username,
    email: fields.get('email') ?? '',
    full_name: fields.get('full_name') || null,
    is_active: fields.get('is_active') === '1',
    role: 'member',
  });
  const sentence = `User ${named(username)} created!`;
  const body = `${plain(sentence)}\n`;
  response.writeHead(303, {
    ...CREATED_HEADERS,
    location: `/users/${id}`,
    'set-cookie': `roster_flash_${MARK}=${seal(KEY, 'flash', { sentence, undo: id })}; Max-Age=120; Path=/; HttpOnly; SameSite=Lax`,
    'content-length': Buffer.byteLength(body),
  });
  response.end(body);
}

function sendPage(response: ServerResponse, html: string): void {
  response.writeHead(200, { ...PAGE_HEADERS, 'content-length': Buffer.byteLength(html) }).end(html);
}

const server = createServer(answer);
server.listen(0, '127.0.0.1', () => {
  console.log(`The hand-written server is at http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});
process.once('SIGTERM', () => {
  users.close();
  process.exit();
});
