/** What people get wrong first, with the proxies themselves: Roster says which line is missing. */
import { expect } from 'vitest';
import { pageOf } from '../page.ts';
import { addPerson } from '../people.ts';
import { readyUrl, temporaryDatabase } from '../support.ts';
import { askPlainly, Browser } from './browser.ts';
import { withEach, withSome } from './everyone.ts';
import type { Program } from './programs.ts';
import { BEHIND, startBehind, startProxy } from './start.ts';

const NAMELESS = { ORIGIN: '', TRUST_PROXY: '' };

async function start(program: Program, changes: readonly (readonly [string, string])[], settings = {}) {
  const url = await readyUrl();
  await addPerson(await temporaryDatabase(url), 'ann', 'admin');
  const roster = await startBehind(url, { ...BEHIND, ...settings });
  const change = (snippet: string) => changes.reduce((text, [from, to]) => text.replace(from, to), snippet);
  const proxy = await startProxy(program, roster.address, change);
  return { roster, proxy, ann: new Browser(proxy) };
}

const FOR_LINES: Readonly<Record<string, [string, string]>> = {
  nginx: ['proxy_set_header X-Forwarded-For $remote_addr;', ''],
  HAProxy: ['option forwardfor', ''],
};

withSome(['nginx', 'HAProxy'], 'that does not say who asks is told how', async (program) => {
  const { ann, roster } = await start(program, [FOR_LINES[program.name] ?? ['', '']]);
  await ann.get('/sign-in');
  await ann.get('/sign-in');
  const said = roster.said();
  expect(said.match(/without X-Forwarded-For/g)).toHaveLength(1);
  expect(said).toContain('for nginx: “proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;”');
  expect(said).toContain('for HAProxy: “option forwardfor”');
});

withSome(['nginx'], 'by its plainest example is told its own line', async (program) => {
  const bare = [
    'proxy_http_version 1.1;',
    'proxy_set_header X-Forwarded-For $remote_addr;',
    'proxy_set_header X-Request-Id $request_id;',
    'proxy_set_header Host $host;',
  ];
  const { ann, roster } = await start(
    program,
    bare.map((line) => [line, ''] as const),
  );
  expect((await ann.signIn()).status).toBe(303);
  expect((await ann.get('/users')).status).toBe(200);
  expect(roster.said()).toMatch(/X-Forwarded-For: .* Add to it, for nginx: “[^”]+”\./);
});

withSome(['nginx', 'Apache'], 'that does not pass on the host is told how', async (program) => {
  // By a name, as in containers; by an address it does not matter.
  const { ann } = await start(program, [
    ['proxy_set_header Host $host;', 'proxy_set_header Host roster;'],
    ['ProxyPass /', 'RequestHeader set Host roster\nProxyPreserveHost On\nProxyPass /'],
  ]);
  const page = await ann.get('/users');
  expect(page.status).toBe(421);
  expect(pageOf(page.body.toString()).text).toMatch(
    program.name === 'Apache'
      ? /Add to it, for Apache: “ProxyPreserveHost On”\./
      : /for nginx: “proxy_set_header Host \$host;”/,
  );
});

withEach('before a Roster that does not know of it leads to the setting', async (program) => {
  const { ann, roster } = await start(program, [], NAMELESS);
  const page = await ann.get('/sign-in');
  const setting = /“ORIGIN=https:\/\/users\.example\.org TRUST_PROXY=127\.0\.0\.1”/;
  // Apache asks for Roster by its own address.
  if (program.name === 'Apache') expect(page.status).toBe(200);
  else expect(pageOf(page.body.toString()).text).toMatch(setting);
  expect(roster.said()).toMatch(setting);
});

const PLAIN: Readonly<Record<string, readonly (readonly [string, string])[]>> = {
  nginx: [
    [
      'return 301 https://$host$request_uri;',
      'location / { proxy_pass http://127.0.0.1:3000; proxy_set_header Host $host; proxy_set_header X-Forwarded-For $remote_addr; proxy_set_header X-Forwarded-Proto $scheme; }',
    ],
  ],
  Caddy: [
    ['users.example.org {', 'users.example.org {'],
    ['10s\n\t}\n}', '10s\n\t}\n}\nhttp://users.example.org {\n\treverse_proxy 127.0.0.1:3000\n}'],
  ],
  HAProxy: [
    [
      'http-request redirect scheme https code 301 unless { ssl_fc }',
      'http-request set-header X-Forwarded-Proto http unless { ssl_fc }',
    ],
  ],
  Apache: [
    [
      'Redirect permanent / https://users.example.org/',
      'RequestHeader set X-Forwarded-Proto http\n  ProxyPass / http://127.0.0.1:3000/',
    ],
  ],
};

withEach('that passes http on is told how to send people to https', async (program) => {
  const { proxy, roster } = await start(program, PLAIN[program.name] ?? []);
  const answer = await askPlainly(proxy, '/sign-in', { 'accept-language': 'en' });
  expect(answer.status).toBe(421);
  const { text } = pageOf(answer.body.toString());
  expect(text).toContain(
    'This came by http, which others can read on its way: open https://users.example.org/ instead.',
  );
  expect(roster.said().match(/This came by http/g)).toHaveLength(1);
});

withSome(
  ['nginx', 'Apache'],
  'that takes the path off and leaves a slash too many leads everywhere all the same',
  async (program) => {
    const { ann } = await start(
      program,
      [
        ['location / {', 'location /roster {'],
        ['proxy_pass http://127.0.0.1:3000;', 'proxy_pass http://127.0.0.1:3000/;'],
        ['ProxyPass / http', 'ProxyPass /roster http'],
      ],
      { ORIGIN: 'https://users.example.org/roster' },
    );
    expect((await ann.get('/roster/sign-in')).status).toBe(200);
  },
);
