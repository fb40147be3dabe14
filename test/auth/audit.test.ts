/** What is written down of who signs in, and what never is. */
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import fastify, { type FastifyRequest } from 'fastify';
import { expect, test } from 'vitest';
import { addAudit } from '../../src/auth/audit.ts';
import { limitLines } from '../../src/http/log-limit.ts';
import { pageOf } from '../page.ts';
import { PASSWORD } from '../people.ts';
import { run } from '../roster.ts';
import { readyUrl } from '../support.ts';

type Line = {
  event?: string;
  user?: number;
  actor?: number;
  reqId?: string;
  address?: string;
  time?: number;
  msg?: string;
  route?: string;
  job?: number;
};

/** A browser that keeps its cookies, at a Roster in a process of its own. */
function browserAt(address: string) {
  const cookies = new Map<string, string>();
  return async (path: string, fields?: Record<string, string>) => {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const answer = await fetch(address + path, {
      method: fields ? 'POST' : 'GET',
      redirect: 'manual',
      headers: { cookie, origin: address, 'user-agent': 'Firefox' },
      ...(fields && { body: new URLSearchParams(fields) }),
    });
    for (const line of answer.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      cookies.set(name, value);
    }
    const location = answer.headers.get('location') ?? '';
    return { status: answer.status, body: await answer.text(), location, cookies };
  };
}

/** An app that notes things, and the lines of its log. */
function startLog() {
  const lines: (Line & { leftOut?: number; leftOutReqIds?: string[] })[] = [];
  const app = fastify({ logger: { stream: { write: (line: string) => void lines.push(JSON.parse(line)) } } });
  const limit = limitLines();
  addAudit(app, 'info', limit, () => {});
  return { app, limit, lines };
}

test('that a job has begun is noted with its number, so that the log leads from a request to what its job notes', () => {
  const { app, lines } = startLog();
  app.audit({ id: 'request-1' } as FastifyRequest, 'job begun', undefined, { job: 7 });
  expect(lines).toMatchObject([{ event: 'job begun', reqId: 'request-1', job: 7 }]);
});

test('what anyone can make happen without an end is noted once a second, with how many there were, and also the last', async () => {
  const { app, limit, lines } = startLog();
  for (let id = 1; id <= 5; id++)
    app.auditOften({ id: `request-${id}` } as FastifyRequest, 'sign-in failed: too late', { id });
  const noted = () =>
    lines.map(({ user, reqId, leftOut, leftOutReqIds }) => [user, reqId, leftOut, leftOutReqIds]);
  expect(noted()).toEqual([[1, 'request-1', undefined, undefined]]);
  limit.end();
  expect(noted()).toEqual([
    [1, 'request-1', undefined, undefined],
    [5, 'request-5', 3, ['request-2', 'request-3', 'request-4']],
  ]);
});

test('sign-ins, failures and changes of access are logged with who, from where and when; no secret ever is', async () => {
  const child = run([], { PORT: '0', DATABASE_URL: await readyUrl(), LOG_LEVEL: 'info' });
  const error = text(child.stderr);
  let out = '';
  child.stdout.on('data', (chunk) => {
    out += chunk;
  });
  while (!/setup\/\S+\n/.test(out)) await once(child.stdout, 'data');
  const [, address = ''] = /Roster is at (\S+)/.exec(out) ?? [];
  const [, setup = ''] = /(\/setup\/\S+)/.exec(out) ?? [];
  const announced = out.length;
  const ann = browserAt(address);
  const password = { new_password: PASSWORD, new_password_again: PASSWORD };
  await ann(setup);
  await ann(setup, { username: 'ann', email: 'ann@example.org', ...password });
  await ann('/sign-in', { username: 'ann', password: 'a wrong secret' });
  await ann('/sign-in', { username: 'secret typed as a name', password: 'x' });
  const { status, cookies } = await ann('/sign-in', { username: 'ann', password: PASSWORD });
  expect(status).toBe(303);
  await ann('/users', { username: 'bob', email: 'bob@example.org', role: 'viewer' });
  const made = await ann('/users/2/invitation', {});
  const link = new URL(pageOf(await ann(made.location)).secret).pathname;
  const bob = browserAt(address);
  await bob(link);
  await bob(link, password);
  await bob(`/users?x=${link}`);
  await bob('/sign-in', { username: 'bob', password: PASSWORD });
  await ann('/users/2', { role: 'editor' });
  const eve = browserAt(address);
  for (let failures = 0; failures < 5; failures++) await eve('/sign-in', { username: 'bob', password: 'x' });
  await ann('/users/2', { is_active: '0' });
  await ann('/users/2/delete', {});
  await ann('/roles', { editor: '1' });
  const changed = 'a bicycle in the library';
  await ann('/account/password', {
    current_password: PASSWORD,
    new_password: changed,
    new_password_again: changed,
  });
  await ann('/sign-out', {});
  child.kill('SIGTERM');
  await once(child, 'exit');

  const lines = out
    .slice(announced)
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Line);
  const events = lines.filter(({ event }) => event !== undefined);
  expect(events.map(({ event, user, actor }) => [event, user, actor])).toEqual([
    ['role given: admin', 1, undefined],
    ['first administrator made', 1, undefined],
    ['signed in', 1, undefined],
    ['sign-in failed', 1, undefined],
    ['sign-in failed', undefined, undefined],
    ['signed in', 1, 1],
    ['role given: viewer', 2, 1],
    ['access link made', 2, 1],
    ['password set by link', 2, undefined],
    ['signed in', 2, undefined],
    ['role changed from viewer to editor', 2, 1],
    ...Array.from({ length: 4 }, () => ['sign-in failed', 2, undefined]),
    ['sign-in refused: too many attempts', 2, undefined],
    ['deactivated', 2, 1],
    ['deleted', 2, 1],
    ['second factor required of: editor', undefined, 1],
    ['password changed', 1, 1],
    ['signed out', 1, 1],
  ]);
  const requests = lines.filter(({ msg }) => msg === 'request');
  for (const { address: from, time, reqId } of events) {
    expect(from).toBe('127.0.0.1');
    expect(requests.map((line) => line.reqId)).toContain(reqId);
    expect(time).toBeGreaterThan(Date.UTC(2026, 0));
  }
  const secrets = [
    PASSWORD,
    'a wrong secret',
    'secret typed',
    changed,
    setup.slice(7),
    link.slice(13),
    // Whoever it is about stands there by their number.
    '"ann"',
    '"bob"',
    'example.org',
    ...cookies.values(),
  ];
  for (const secret of secrets.filter((value) => value.length > 2))
    expect(out.slice(announced) + (await error), secret).not.toContain(secret);
  expect(requests.map(({ route }) => route)).toContain('/invitations/:token');
});
