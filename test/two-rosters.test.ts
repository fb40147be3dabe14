/** Two Rosters on one database, which answer in turns: nobody notices that they are two. */
import { expect, onTestFinished, test } from 'vitest';
import { setPassword } from '../src/auth/credentials.ts';
import { hashPassword } from '../src/auth/password-hashing.ts';
import { FREE_FAILURES } from '../src/auth/throttle.ts';
import { newKey } from '../src/auth/tokens.ts';
import { transact } from '../src/db/transact.ts';
import { PATIENCE } from './operations/workers/running.ts';
import { pageOf } from './page.ts';
import { addPerson, PASSWORD } from './people.ts';
import { startRoster } from './roster.ts';
import { Browser } from './soak/browser.ts';
import { doChores } from './soak/chores.ts';
import { Person, PASSWORD as SOAK_PASSWORD } from './soak/person.ts';
import { addUser, readyUrl, temporaryDatabase } from './support.ts';

const LONG_AGO = 1;

async function startTwo() {
  const url = await readyUrl();
  const db = await temporaryDatabase(url);
  const ann = await addPerson(db, 'ann', 'admin');
  const ed = await addPerson(db, 'ed', 'editor');
  const settings = { DATABASE_URL: url, TRUST_PROXY: '127.0.0.1', LOG_LEVEL: 'silent' };
  const rosters = await Promise.all([startRoster(settings), startRoster(settings)]);
  const addresses = rosters.map(({ address }) => address);
  return { db, ann, ed, addresses };
}

/** Whoever turns to both, one after the other. */
async function signedIn(addresses: readonly string[], username: string): Promise<Browser> {
  const browser = new Browser(addresses, '192.0.2.1');
  onTestFinished(() => browser.close());
  const answer = await browser.post('/sign-in', { username, password: PASSWORD });
  expect(answer.status).toBe(303);
  // Both know them.
  for (const _ of addresses) expect((await browser.get('/users')).status).toBe(200);
  return browser;
}

test(
  'whoever is signed in by one is by the other, which says what the first has done, and does it once',
  PATIENCE,
  async () => {
    const { addresses } = await startTwo();
    const ann = await signedIn(addresses, 'ann');
    const bob = { username: 'bob', email: 'bob@example.org', key: newKey() };
    const made = await ann.post('/users', bob);
    expect(pageOf(await ann.get(made.location)).notices).toEqual(['User bob created!']);
    // The second click goes to the first of them, and the next to the second.
    for (const _ of addresses) {
      expect(await ann.post('/users', bob)).toMatchObject({ status: 303, location: made.location });
      await ann.get('/users');
      await ann.get('/users');
    }
    expect(pageOf(await ann.get('/users')).text).toContain('Showing 1–3 of 3');
    expect((await ann.post('/sign-out')).status).toBe(303);
    for (const _ of addresses) expect((await ann.get('/users')).status).toBe(303);
  },
);

test(
  'two who edit somebody by different ones see both versions, and what was done is undone by either',
  PATIENCE,
  async () => {
    const { db, addresses } = await startTwo();
    const max = await addUser(db, { username: 'max', full_name: 'Max' });
    const [ann, ed] = [await signedIn(addresses, 'ann'), await signedIn(addresses, 'ed')];
    const path = `/users/${max.id}`;
    const { version = '' } = fieldsOf(await ann.get(`${path}/edit`), ['version']);
    expect((await ed.post(path, { full_name: 'Maxine', version })).status).toBe(303);
    const conflict = await ann.post(path, { full_name: 'Maximilian', version });
    expect(conflict.status).toBe(409);
    expect(pageOf(conflict).text).toMatch(/Maxine.*Maximilian/);
    expect((await ann.post(path, { full_name: 'Maximilian', version: '2' })).status).toBe(303);
    const { id } = await db
      .selectFrom('change_sets')
      .select('id')
      .orderBy('id', 'desc')
      .executeTakeFirstOrThrow();
    const undone = await ann.post(`/history/${id}/undo`);
    expect(undone.status).toBe(303);
    expect(pageOf(await ann.get(`${path}/edit`)).field('full_name')).toBe('Maxine');
  },
);

test('a form whose session has ended is kept by one, and there again by the other', PATIENCE, async () => {
  const { db, addresses } = await startTwo();
  const ed = await signedIn(addresses, 'ed');
  await transact(db, (trx) => trx.updateTable('sessions').set({ seen_at: LONG_AGO }).execute());
  const refused = await ed.post('/users', { username: 'zoe', email: 'zoe@example.org' });
  expect(refused.status).toBe(401);
  const typed = { username: 'ed', password: PASSWORD };
  const signed = await ed.post('/sign-in', { ...fieldsOf(refused, ['next', 'draft']), ...typed });
  expect(signed).toMatchObject({ status: 303, location: '/users/new' });
  for (const _ of addresses) expect(pageOf(await ed.get('/users/new')).field('username')).toBe('zoe');
});

test('wrong passwords count, whoever was asked', PATIENCE, async () => {
  const { addresses } = await startTwo();
  const stranger = new Browser(addresses, '192.0.2.9');
  onTestFinished(() => stranger.close());
  const statuses: number[] = [];
  for (let attempt = 0; attempt <= FREE_FAILURES + 1; attempt++)
    statuses.push((await stranger.post('/sign-in', { username: 'ann', password: 'wrong' })).status);
  const free = Array<number>(FREE_FAILURES).fill(422);
  expect(statuses).toEqual([...free, 429, 429]);
});

test(
  'a file is imported, exported, changed in bulk and put back, with each step at another one',
  PATIENCE,
  async () => {
    const { db, ann, addresses } = await startTwo();
    const hash = await hashPassword(SOAK_PASSWORD);
    await transact(db, (trx) => setPassword(trx, ann.id, hash, Date.now()));
    const person = new Person(ann, addresses);
    onTestFinished(() => person.close());
    await person.signIn();
    await doChores(person, 1, 150);
  },
);

function fieldsOf(answer: { body: string }, names: readonly string[]): Record<string, string> {
  const page = pageOf(answer);
  const there = names.filter((name) => page.fields.includes(name));
  return Object.fromEntries(there.map((name) => [name, page.field(name)]));
}
