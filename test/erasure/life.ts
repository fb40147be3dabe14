/** Somebody to whom all is done that can be done to somebody, by forms, and who does something; and that nothing is shown of them afterwards. */
import type { FastifyInstance } from 'fastify';
import { expect } from 'vitest';
import type { Db } from '../../src/db/schema.ts';
import { transact } from '../../src/db/transact.ts';
import { getUser } from '../../src/users/queries.ts';
import { apply, bring } from '../imports/by-pages.ts';
import { pageOf } from '../page.ts';
import { addPerson, type Headers, PASSWORD, signedIn, signIn } from '../people.ts';
import { addUser, get, post } from '../support.ts';
import { found, NAME } from './byte-search.ts';

/** What they are called, at first and last; the hosts of their emails in turn. */
type Words = Readonly<Record<'first' | 'host' | 'last' | 'lastHost' | 'name', string>>;

/** Nobody else is called so. @param mark makes them somebody else's */
export function wordsWith(mark: string, name = NAME): Words {
  return {
    first: `zq${mark}xjf`,
    host: `qx${mark}jfzz`,
    last: `vq${mark}xzjk`,
    lastHost: `xj${mark}kqqz`,
    name,
  };
}

const [ANN_ID, ED_ID, FIRST_OTHER, CHANGED, VISITED] = [1, 2, 3, 4, 5];
const CHOSEN = 'a bicycle in the library';

/** In a new database. @param others five at least */
export async function addOthers(db: Db, others: number): Promise<void> {
  await addPerson(db, 'ann', 'admin');
  await addPerson(db, 'ed', 'editor');
  for (let index = 0; index < others; index++) await addUser(db, { username: `other${index}` });
  await addPerson(db, 'vic', 'viewer');
}

/** Whatever can be done to somebody, who is deleted then. @returns their number */
export async function live(app: FastifyInstance, words: Words, others: number): Promise<number> {
  const ann = await signedIn(app, await getUser(app.db, ANN_ID));
  const send = async (address: string, fields: Record<string, string> = {}) => {
    const answer = await post(app, address, fields, ann);
    expect([answer.statusCode, address]).toEqual([303, address]);
    return answer;
  };
  const { first, host, last, lastHost, name } = words;
  const fields = { username: first, email: `${first}@${host}.example`, full_name: 'Somebody' };
  const created = await send('/users', { ...fields, key: 'k'.repeat(22) });
  const id = Number(/\d+/.exec(`${created.headers.location}`)?.[0]);
  await send(`/users/${id}`, { full_name: name });
  for (let index = 0; index < others; index += 3)
    await send(`/users/${FIRST_OTHER + index}`, { full_name: `Changed ${index}` });
  await send(`/users/${id}`, { email: `${first}@${lastHost}.example`, role: 'viewer' });
  await send(`/users/${id}`, { username: last, key: 'l'.repeat(22) });
  await undoTwice(app, ann);
  await importAndUndo(app, ann, words);
  await send(`/users/${id}`, { role: 'editor' });
  await act(app, ann, { id, last });
  const waiting = `username,email,full_name\n${last}.two,${first}@${host}.example,${name}\n`;
  expect(await bring(app, ann, waiting, `${last}.csv`)).toBe('/imports/2');
  await send(`/users/${id}/invitation`);
  await post(app, '/sign-in', { username: last, password: 'wrong' });
  await leaveForm(app, words);
  expect((await get(app, `/users?q=${encodeURIComponent(name)}`, ann)).body).toContain(last);
  await send(`/users/${id}/delete`);
  await send(`/users/${id}/restore`);
  await send(`/users/${id}/delete`);
  return id;
}

/** What was done last is undone, and that in turn. */
async function undoTwice(app: FastifyInstance, ann: Headers): Promise<void> {
  for (const key of ['n'.repeat(22), 'o'.repeat(22)]) {
    const sets = app.db.selectFrom('change_sets').select('id').orderBy('id', 'desc');
    const { id } = await sets.executeTakeFirstOrThrow();
    const undone = await post(app, `/history/${id}/undo`, { key }, ann);
    expect(undone.statusCode).toBe(303);
  }
}

/** One makes an administrator of them, and has a refused row; all of it is undone. */
async function importAndUndo(app: FastifyInstance, ann: Headers, words: Words): Promise<void> {
  const { first, last, lastHost, name } = words;
  const row = `${last},${last}@${lastHost}.example,${name} the Second,admin`;
  const file = `username,email,full_name,role\n${row}\nbad name!,${first},${name},member\n`;
  const address = await bring(app, ann, file, `${last}.csv`);
  await apply(app, ann, address);
  const { action } = pageOf(await get(app, address, ann)).form('Undo');
  const undone = await post(app, action, {}, ann);
  expect(undone.statusCode).toBe(303);
}

/** They are let in, sign in, and change somebody. */
async function act(app: FastifyInstance, ann: Headers, { id, last }: { id: number; last: string }) {
  const made = await post(app, `/users/${id}/invitation`, {}, ann);
  const { secret } = pageOf(await get(app, `${made.headers.location}`, ann));
  const chosen = { new_password: CHOSEN, new_password_again: CHOSEN };
  expect((await post(app, new URL(secret).pathname, chosen)).statusCode).toBe(303);
  const own = await signIn(app, last, CHOSEN);
  const changed = await post(app, `/users/${CHANGED}`, { full_name: 'By them' }, own);
  expect(changed.statusCode).toBe(303);
  expect(pageOf(await get(app, `/history?user=${CHANGED}`, ann)).text).toContain(`${last} Changed`);
}

/** By ed, sent once his session had ended, and waiting in the next one: by the list that was searched and a full name alone. */
async function leaveForm(app: FastifyInstance, { last, name }: Words): Promise<void> {
  const { db } = app;
  const ed = await signedIn(app, await getUser(db, ED_ID));
  const ended = { seen_at: 1, created_at: 1 };
  await transact(db, (trx) => trx.updateTable('sessions').set(ended).where('user_id', '=', ED_ID).execute());
  const refused = await post(
    app,
    `/users/${VISITED}?from=q%3D${last}`,
    { full_name: name, version: '1' },
    ed,
  );
  expect(refused.statusCode).toBe(401);
  const { action } = pageOf(refused).form('Sign in');
  const fields = { username: 'ed', password: PASSWORD, draft: pageOf(refused).field('draft') };
  expect((await post(app, action, fields, ed)).statusCode).toBe(303);
  const waiting = await db.selectFrom('sessions').select('draft').where('draft', 'is not', null).execute();
  expect(found(JSON.stringify(waiting), [last, name])).toEqual([last, name]);
}

/** What is searched for stands in its field, in links, and in what is said of it. */
const AS_TYPED =
  /(?:value|href|action)="[^"]*"|<title>.*<\/title>|“[^”]*”|(?:called |User |Done by |username |Look for <a [^>]*>)<bdi[^>]*>[^<]*<\/bdi>/g;

/** Once they are erased: by every page, every search and every file of users, whoever asks. @param most pages of the administrator */
export async function expectNowhere(app: FastifyInstance, id: number, words: Words, most: number) {
  const all = Object.values(words);
  const few = Math.min(most, 40);
  for (const [username, pages] of [
    ['ann', most],
    ['ed', few],
    ['vic', few],
  ] as const) {
    const headers = await signedIn(app, await getNamed(app.db, username));
    const shown = await crawl(app, headers, pagesAbout(id), pages);
    expect(shown.size).toBeGreaterThan(Math.min(pages, 20) - 1);
    for (const address of all.flatMap(username === 'ann' ? searchesFor : listsFor))
      shown.set(address, (await get(app, address, headers)).body.replaceAll(AS_TYPED, ''));
    for (const [address, body] of shown) expect(found(body, all), `${address}, of ${username}`).toEqual([]);
    for (const address of [`/history?user=${CHANGED}`, `/history?by=${id}`])
      expect(pageOf(await get(app, address, headers)).text, address).toContain(`user ${id} Changed`);
  }
}

async function getNamed(db: Db, username: string) {
  const named = db.selectFrom('users').selectAll().where('username', '=', username);
  return named.executeTakeFirstOrThrow();
}

function pagesAbout(id: number): string[] {
  const all = [
    '/users',
    '/history',
    '/import',
    '/imports/1',
    '/account',
    '/roles',
    '/export',
    '/users?status=deleted',
    '/admin/status',
    '/imports/1/refused',
    '/imports/2',
    '/account/profile',
    `/users/${VISITED}/edit`,
    '/users/new',
  ];
  const files = ['csv', 'jsonl', 'vcard'].map((format) => `/export/file?all=on&format=${format}`);
  const data = [id, ANN_ID, ED_ID, CHANGED].map((one) => `/users/${one}/data`);
  const people = [`/users/${id}`, `/users/${CHANGED}`, `/history?user=${id}`, `/history?by=${id}`];
  return [...people, ...files, ...data, ...all];
}

function listsFor(word: string): string[] {
  return [`/users?q=${encodeURIComponent(word)}`];
}

function searchesFor(word: string): string[] {
  const q = encodeURIComponent(word);
  const lists = ['', '&status=deleted', '&sort=name'].map((more) => `/users?q=${q}${more}`);
  return [
    ...lists,
    `/history?user=${q}`,
    `/history?by=${q}`,
    `/export?all=on&from=${encodeURIComponent(`q=${q}`)}`,
  ];
}

/** All that links lead to, of whoever is signed in: as many as there are when they go nowhere else. */
async function crawl(
  app: FastifyInstance,
  headers: Headers,
  from: readonly string[],
  most: number,
): Promise<Map<string, string>> {
  const [waiting, pages] = [[...from], new Map<string, string>()];
  for (let address = waiting.shift(); address !== undefined && pages.size < most; address = waiting.shift()) {
    if (pages.has(address)) continue;
    const answer = await get(app, address, headers);
    pages.set(address, answer.body);
    if (!`${answer.headers['content-type']}`.startsWith('text/html')) continue;
    const links = pageOf(answer).links.map(({ href }) => href.replace(/#.*/, ''));
    // Of the pages of others each is like the next.
    waiting.push(...links.filter((href) => /^\/(?!users\/\d{2,}|assets)/.test(href)));
  }
  return pages;
}
