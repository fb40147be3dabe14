/** Roster below a path of a proxy, which leaves it in what it passes on, or takes it off. */
import { expect } from 'vitest';
import { pageOf } from '../page.ts';
import { addPerson } from '../people.ts';
import { readyUrl, temporaryDatabase } from '../support.ts';
import { Browser } from './browser.ts';
import { withEach } from './everyone.ts';
import type { Program } from './programs.ts';
import { BEHIND, HOST, startBehind, startProxy } from './start.ts';

/** What is written otherwise in each snippet. */
const CHANGES: Readonly<Record<string, Record<'left' | 'taken off', readonly [string, string][]>>> = {
  nginx: {
    left: [['location / {', 'location /roster/ {']],
    'taken off': [
      ['location / {', 'location /roster/ {'],
      ['proxy_pass http://127.0.0.1:3000;', 'proxy_pass http://127.0.0.1:3000/;'],
    ],
  },
  Caddy: {
    left: [['reverse_proxy 127', 'reverse_proxy /roster/* 127']],
    'taken off': [
      ['\treverse_proxy 127.0.0.1:3000 {', '\thandle_path /roster/* {\n\treverse_proxy 127.0.0.1:3000 {'],
      ['10s\n\t}', '10s\n\t}\n\t}'],
    ],
  },
  HAProxy: {
    left: [['default_backend roster', 'use_backend roster if { path_beg /roster/ }']],
    'taken off': [
      ['default_backend roster', 'use_backend roster if { path_beg /roster/ }'],
      ['option forwardfor', 'option forwardfor\n  http-request replace-path /roster/(.*) /\\1'],
    ],
  },
  Apache: {
    left: [['ProxyPass / http://127.0.0.1:3000/', 'ProxyPass /roster/ http://127.0.0.1:3000/roster/']],
    'taken off': [['ProxyPass / http://127.0.0.1:3000/', 'ProxyPass /roster/ http://127.0.0.1:3000/']],
  },
};

async function start(program: Program, how: 'left' | 'taken off'): Promise<Browser> {
  const url = await readyUrl();
  await addPerson(await temporaryDatabase(url), 'ann', 'admin');
  const roster = await startBehind(url, { ...BEHIND, ORIGIN: `https://${HOST}/roster` });
  const change = (snippet: string) =>
    (CHANGES[program.name]?.[how] ?? []).reduce((text, [from, to]) => text.replace(from, to), snippet);
  return new Browser(await startProxy(program, roster.address, change));
}

for (const how of ['left', 'taken off'] as const)
  withEach(`leads everywhere below a path that is ${how}`, async (program) => {
    const ann = await start(program, how);
    const first = await ann.get('/roster/');
    expect(first.headers.location).toMatch(/^\/roster\/sign-in/);
    const signedIn = await ann.signIn('/roster');
    expect(signedIn.status).toBe(303);
    for (const cookie of signedIn.headers['set-cookie'] ?? [])
      expect(cookie).toMatch(/^__Secure-.*; Path=\/roster\/; HttpOnly; Secure/);
    expect(signedIn.headers.location).toMatch(/^\/roster\//);
    const list = (await ann.get('/roster/users')).body.toString();
    const page = pageOf(list);
    expect(page.heading).toMatch(/^Users/);
    for (const { href } of page.links) expect(href).toMatch(/^(#|\/roster\/)/);
    const style = /href="(\/roster\/assets\/[^"]*app\.css)"/.exec(list)?.[1] ?? '';
    expect((await ann.get(style)).headers['content-type']).toMatch(/^text\/css/);
    const form = pageOf((await ann.get(page.link('New user'))).body.toString()).form('Create user');
    const created = await ann.post(form.action, { username: 'zoe', email: 'zoe@example.org' });
    expect(created.headers.location).toMatch(/^\/roster\/users\//);
    expect(pageOf((await ann.get(`${created.headers.location}`)).body.toString()).text).toContain(
      'User zoe created!',
    );
  });
