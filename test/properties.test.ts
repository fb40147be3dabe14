import fc from 'fast-check';
import type { FastifyInstance } from 'fastify';
import { expect, test } from 'vitest';
import type { User } from '../src/db/schema.ts';
import { shownEmail } from '../src/lib/email.ts';
import { countByStatus } from '../src/users/counts.ts';
import { findUser } from '../src/users/queries.ts';
import { pageOf } from './page.ts';
import { runs } from './runs.ts';
import { get, post, startApp } from './support.ts';

// Text as nobody types it: any characters, markup, templates, bidi, NUL, and some that pass.
const text = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 30 }),
  fc.string({ unit: 'binary', maxLength: 30 }),
  fc.constantFrom(
    '<script>alert(1)</script>',
    '"><b x="',
    "' onx='",
    '<%= it %>',
    '&amp;lt;',
    '\0',
    '\u202Ex',
    '$&',
  ),
  fc.constantFrom('alice', 'ALICE', 'b.o-b', 'Zoë', 'ﬁ', 'a'.repeat(64), 'a'.repeat(300)),
);
const username = fc.oneof(text, fc.stringMatching(/^[a-zéß0-9][a-z0-9._+-]{0,12}$/));
const email = fc.oneof(
  text,
  fc.emailAddress(),
  fc.stringMatching(/^[a-z&'`{|}~]{1,8}@[a-zäßж。]{1,8}\.example$/),
);
const fields = fc.record(
  { username, email, full_name: text, is_active: fc.oneof(fc.constantFrom('0', '1', 'on', 'off', ''), text) },
  { requiredKeys: [] },
);
const likely = fc.record({ username, email, full_name: text }, { requiredKeys: ['username', 'email'] });

/** What holds for every stored user, whatever was sent. */
function expectSound(user: User): void {
  expect(user.username).toMatch(/^[\p{L}\p{Nd}][\p{L}\p{M}\p{Nd}._+-]*$/u);
  expect([...user.username.normalize('NFKC')].length).toBeLessThanOrEqual(64);
  expect(user.email).toMatch(/^[^\s@]+@[a-zA-Z\d.-]+$/);
  for (const value of [user.username, user.email, user.full_name ?? '-']) {
    expect(value).toBe(value.normalize('NFC').trim());
    expect(value).not.toMatch(/[\p{Cc}\p{Cs}\u202A-\u202E\u2066-\u2069]/u);
  }
}

/** Every value on a page reads as it was stored, but for spaces that browsers show as one, and no tag came with it. */
function expectShown(html: string, user: User): void {
  const { text } = pageOf(html);
  for (const value of [user.username, shownEmail(user.email), user.full_name ?? ''])
    expect(text).toContain(value.replaceAll(/ +/g, ' '));
  const tags = new Set([...html.matchAll(/<\/?([a-zA-Z!][^\s/>]*)/g)].map(([, name]) => name));
  for (const tag of tags) expect(TAGS).toContain(tag);
}

const TAGS =
  '!doctype html head meta title link body a header div img nav main p h1 h2 h3 span bdi form input button section dl dt dd time table thead tbody tr th td label select option wbr fieldset legend ul ol li em strong mark search details summary'.split(
    ' ',
  );

async function expectWhole(app: FastifyInstance): Promise<void> {
  const users = await app.db.selectFrom('users').selectAll().execute();
  const active = users.filter((user) => user.is_active).length;
  expect(await countByStatus(app.db)).toEqual({ active, inactive: users.length - active });
  for (const key of ['username_key', 'email_key'] as const) {
    expect(new Set(users.map((user) => user[key])).size).toBe(users.length);
  }
}

test('whatever is sent, a form is taken or explained, and what is stored is sound and shown escaped', async () => {
  const app = await startApp();
  const outcomes = new Map<number, number>();
  const often = runs(3000);
  await fc.assert(
    fc.asyncProperty(fc.oneof(fields, likely), async (typed) => {
      const answer = await post(app, '/users', typed as Record<string, string>);
      outcomes.set(answer.statusCode, (outcomes.get(answer.statusCode) ?? 0) + 1);
      expect([303, 422]).toContain(answer.statusCode);
      if (answer.statusCode === 422) return;
      const id = Number(String(answer.headers.location).split('/')[2]);
      const user = (await findUser(app.db, id)) as User;
      expectSound(user);
      for (const page of [`/users/${id}`, `/users/${id}/delete`, '/users?sort=-id']) {
        expectShown((await get(app, page)).body, user);
      }
      const form = pageOf(await get(app, `/users/${id}/edit`));
      const shown = { ...user, email: shownEmail(user.email) };
      for (const name of ['username', 'email', 'full_name'] as const)
        expect(form.field(name)).toBe(shown[name] ?? '');
    }),
    often,
  );
  expect(outcomes.get(303)).toBeGreaterThan(often.numRuns / 30);
  await expectWhole(app);
});

test('whatever is sent in whatever order, creating, updating and deleting keep the database whole', async () => {
  const app = await startApp();
  const id = fc.oneof(fc.integer({ min: 1, max: 20 }).map(String), fc.constantFrom('0', 'x'));
  const version = fc.option(fc.integer({ min: 1, max: 4 }).map(String), { nil: undefined });
  const step = fc.oneof(
    fc.record({ url: fc.constant('/users'), typed: likely }),
    fc.tuple(id, fields, version).map(([user, typed, at]) => ({
      url: `/users/${user}`,
      typed: at === undefined ? typed : { ...typed, version: at },
    })),
    id.map((user) => ({ url: `/users/${user}/delete`, typed: {} })),
  );
  await fc.assert(
    fc.asyncProperty(step, async ({ url, typed }) => {
      const answer = await post(app, url, typed as Record<string, string>);
      // 400 for a version that is still to come.
      expect([303, 400, 404, 409, 422]).toContain(answer.statusCode);
    }),
    runs(3000),
  );
  for (const user of await app.db.selectFrom('users').selectAll().execute()) expectSound(user);
  await expectWhole(app);
});

test('whatever bytes are sent as a form, the answer is a page, and never about a failure of ours', async () => {
  const app = await startApp();
  const noise = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc
      .array(fc.constantFrom('%', '&', '=', '+', 'username', '%41', '%ED%A0%80', '%00', '\uD800', ';'))
      .map((parts) => parts.join('')),
  );
  await fc.assert(
    fc.asyncProperty(noise, async (body) => {
      const answer = await post(app, '/users', body);
      expect([400, 422]).toContain(answer.statusCode);
      expect(answer.body).toContain('<!doctype html>');
    }),
    runs(2000),
  );
  expect(await app.db.selectFrom('users').select('id').execute()).toEqual([]);
});

test('whatever the address is, the answer is a page, and never about a failure of ours', async () => {
  const app = await startApp();
  const part = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 20 }).map((value) => encodeURIComponent(value.toWellFormed())),
    fc.constantFrom('users', 'by-username', 'edit', 'new', '1', '..', '%', '%zz', '%ff', '%00', '%2e%2e', ''),
  );
  const query = fc.constantFrom(
    'page',
    'per_page',
    'status',
    'sort',
    'created_after',
    'created_before',
    'from',
    'x',
  );
  const address = fc
    .tuple(fc.array(part, { maxLength: 4 }), fc.array(fc.tuple(query, part), { maxLength: 4 }))
    .map(([path, pairs]) => `/${path.join('/')}?${pairs.map((pair) => pair.join('=')).join('&')}`);
  await fc.assert(
    fc.asyncProperty(address, async (url) => {
      const answer = await get(app, url);
      expect(answer.statusCode).toBeLessThan(500);
      if (answer.statusCode >= 400) expect(answer.body).toContain('<!doctype html>');
    }),
    runs(3000),
  );
});
