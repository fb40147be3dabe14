/** One long scenario on each database, in step: the pages are the same, but for ids and times. */
import fc from 'fast-check';
import type { FastifyInstance, LightMyRequestResponse } from 'fastify';
import { parse } from 'node-html-parser';
import { expect, test } from 'vitest';
import { open } from '../../../src/auth/tokens.ts';
import { SORT_KEYS } from '../../../src/users/list/order.ts';
import { addUser, get, post, readyUrl, SECRET_KEY, startApp, temporaryDatabase } from '../../support.ts';

/** Names that collations, cases and normal forms put in different orders, or take for one another. */
const NAMES =
  'Zebra apfel Äpfel A\u0308pfel apfel2 a.b a-b a_b ab Ab aB straße STRASSE strasse İstanbul istanbul ıstanbul Istanbul ﬁn fin ΣΑΣ σας Ωmega ωmega ② 2 10 9 é e\u0301 z ñandú nandu 山田 やまだ 김철수 דוד محمد Жук жук a\u0300b ÿ ŷ 𝒶lice Alice'.split(
    ' ',
  );
const FULL_NAMES = [
  "O'Neil \\ 100% _ $1",
  '"; drop table users; --',
  '👩‍👩‍👧 family',
  '  \u00a0 spaces  ',
  '\uFFFD',
  '<b>&amp;',
];
const ADDRESSES = [
  '/users/by-username/%00',
  '/users/by-username/a%00b',
  '/users/by-username/%ED%A0%80',
  '/users/by-username/STRASSE',
  '/users/by-username/A%CC%88PFEL',
  '/users/by-username/%F0%9D%92%B6lice',
  "/users/by-username/'%20or%20''='",
  '/users/0',
  '/users/9007199254740991',
  '/users/9007199254740993',
  '/users/9999999999999999',
  '/users/99999999999999999999',
  '/users?page=0',
  '/users?page=9007199254740993',
  '/users?page=-1&status=active',
  '/users?created_after=0001-01-01',
  '/users?created_before=0001-01-01',
  '/users?created_after=9999-12-31',
  '/users?created_before=9999-12-31&sort=-username',
  '/users?created_after=2020-02-29&created_before=2020-02-29',
  '/users?created_after=2020-03-01&created_before=2020-02-29',
  '/users?status=%00&sort=%00&created_after=%00',
  '/readyz',
];

type Pair = { apps: readonly FastifyInstance[]; ids: number[][] };

/** An address of a user says `#3` for the third one made. */
type Request = { path: string; fields?: Record<string, string> };

async function ask(app: FastifyInstance, ids: readonly number[], { path, fields }: Request) {
  const address = path.replace(/#(\d+)/, (_, rank) => String(ids[Number(rank)] ?? 9_000_000));
  const answer = fields === undefined ? await get(app, address) : await post(app, address, fields);
  return answer;
}

/** What an answer says, with ranks in place of ids, and without times, numbers of change sets, keys of forms, ids of requests and the colours that go by ids. */
function comparable({ statusCode, headers, body }: LightMyRequestResponse, ids: readonly number[]) {
  const rankOf = (id: string) => (ids.includes(Number(id)) ? `#${ids.indexOf(Number(id))}` : id);
  const page = parse(body);
  for (const time of page.querySelectorAll('time, td.created')) time.replaceWith('a time');
  for (const avatar of page.querySelectorAll('.avatar')) avatar.removeAttribute('class');
  for (const key of page.querySelectorAll('input[name="key"]')) key.removeAttribute('value');
  for (const request of page.querySelectorAll('code')) request.textContent = 'a request';
  for (const number of page.querySelectorAll('td.number, .details div:last-child dd'))
    number.textContent = rankOf(number.text);
  return (
    `${statusCode} ${headers.location ?? ''} ${headers['set-cookie'] ?? ''}\n${page}`
      .replaceAll(/(?<=roster_flash_\w{8}=)[\w-]+/g, (sealed) =>
        JSON.stringify(open(SECRET_KEY, 'flash', sealed)),
      )
      .replaceAll(/(created\.\d+\.)\d+/g, '$1time')
      // PostgreSQL has used some up that were refused.
      .replaceAll(/(\/history\/|"undo":)\d+/g, '$1set')
      .replaceAll(
        /(\/users\/|tick\.|[?]user=|(?:after|before)(?:=|%3D)-?[a-z]+\.|[Uu]ser )(\d+)\b/g,
        (_, before, id) => before + rankOf(id),
      )
  );
}

async function expectSame({ apps, ids }: Pair, request: Request): Promise<number> {
  const answers = [];
  for (const [index, app] of apps.entries()) {
    const known = ids[index] as number[];
    const answer = await ask(app, known, request);
    if (request.path === '/users' && answer.statusCode === 303) {
      known.push(Number(/\/users\/(\d+)/.exec(String(answer.headers.location))?.[1]));
    }
    answers.push({ status: answer.statusCode, said: comparable(answer, known) });
  }
  const [sqlite, postgres] = answers;
  expect(postgres?.said, JSON.stringify(request)).toBe(sqlite?.said);
  return sqlite?.status ?? 0;
}

async function startPair(): Promise<Pair> {
  const apps = [];
  const ids: number[][] = [[], []];
  for (const [index, engine] of (['sqlite', 'postgres'] as const).entries()) {
    const app = await startApp({}, await temporaryDatabase(await readyUrl(engine)));
    for (const day of [
      '2020-02-28T23:59:59.999Z',
      '2020-02-29T00:00:00.000Z',
      '2020-02-29T23:59:59.999Z',
      '2020-03-01T00:00:00.000Z',
    ]) {
      const user = await addUser(
        app.db,
        { username: `day${ids[index]?.length}`, is_active: false },
        Date.parse(day),
      );
      ids[index]?.push(user.id);
    }
    apps.push(app);
  }
  return { apps, ids };
}

async function expectSameLists(pair: Pair): Promise<void> {
  for (const sort of SORT_KEYS.flatMap((key) => [key, `-${key}`])) {
    for (const status of ['', '&status=active', '&status=inactive']) {
      for (const page of [1, 2, 3, 7])
        await expectSame(pair, { path: `/users?per_page=25&sort=${sort}${status}&page=${page}` });
    }
  }
}

test('SQLite and PostgreSQL make the same pages', async () => {
  const pair = await startPair();
  const statuses = new Map<number, number>();
  const step = async (request: Request) => {
    const status = await expectSame(pair, request);
    statuses.set(status, (statuses.get(status) ?? 0) + 1);
  };

  for (const [index, name] of NAMES.entries()) {
    const fields = {
      username: name,
      email: `${index % 7}.${name}@Example.ORG`,
      full_name: FULL_NAMES[index % 6] ?? '',
    };
    await step({ path: '/users', fields });
    await step({ path: `/users/by-username/${encodeURIComponent(name)}` });
  }
  const typed = fc.record({
    username: fc.oneof(
      fc.string({ unit: 'grapheme', maxLength: 12 }),
      fc.stringMatching(/^[a-zA-Zéßıİ]{1,4}$/),
    ),
    email: fc.oneof(fc.emailAddress(), fc.string({ unit: 'binary', maxLength: 12 })),
    full_name: fc.string({ unit: 'binary', maxLength: 20 }),
    is_active: fc.constantFrom('0', '1'),
  });
  for (const fields of fc.sample(typed, { numRuns: 150, seed: 7 })) await step({ path: '/users', fields });
  await expectSameLists(pair);
  for (const path of ADDRESSES) await step({ path });

  for (let rank = 0; rank < 30; rank++) {
    await step({ path: `/users/#${rank}` });
    await step({ path: `/users/#${rank}/edit` });
    await step({
      path: `/users/#${rank}`,
      fields: { full_name: `Number ${rank}`, is_active: String(rank % 2), version: '1' },
    });
    await step({
      path: `/users/#${rank}`,
      fields: { username: NAMES[rank] ?? '', email: 'x', version: '1' },
    });
    await step({
      path: `/users/#${rank}`,
      fields: { username: `${NAMES[rank + 1]}`, version: '999999999999999' },
    });
    await step({ path: `/users/#${rank}`, fields: { full_name: 'Another', version: '1' } });
    if (rank % 4 === 0) await step({ path: `/users/#${rank}/delete`, fields: {} });
    await step({ path: `/users/#${rank}?from=status%3Dinactive%26page%3D4` });
  }
  await step({ path: '/users/#200', fields: { full_name: 'Nobody' } });
  await expectSameLists(pair);
  expect([...statuses.keys()].sort()).toEqual([200, 302, 303, 400, 404, 409, 422]);
  expect(statuses.get(303)).toBeGreaterThan(60);
});
