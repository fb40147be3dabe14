/** What an erased user leaves in the files of a database: nothing, whatever was done to them and with them. */
import { readdirSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import type { FastifyInstance } from 'fastify';
import { sql } from 'kysely';
import { describe, expect, inject, onTestFinished, test, vi } from 'vitest';
import { commandLine } from '../../src/auth/actor.ts';
import { filePathOf } from '../../src/database-url.ts';
import { MIGRATIONS, openDatabase } from '../../src/db/database.ts';
import type { Db } from '../../src/db/schema.ts';
import { transact } from '../../src/db/transact.ts';
import { eraseUser } from '../../src/erasure/commands.ts';
import { ledgerOf, readLedger } from '../../src/erasure/ledger.ts';
import { findPending } from '../../src/erasure/queries.ts';
import { deleteUser } from '../../src/users/commands.ts';
import { runCommand } from '../command.ts';
import { restoreVersion } from '../db/versions/restore.ts';
import { dump } from '../engines.ts';
import { apply, bring } from '../imports/by-pages.ts';
import { pageOf } from '../page.ts';
import { addPerson, type Headers, PASSWORD, signedIn } from '../people.ts';
import { addUser, get, post, readyUrl, startApp, temporaryFolder } from '../support.ts';
import { bytesOf, bytesOfIndex, filesOfPostgres, found, NAME, TRIGRAMS } from './traces.ts';

const OTHERS = 300;

const WORDS = ['zqxjf', 'qxjfzz', 'vqxzjk', 'xjkqqz', NAME];

const onSqlite = inject('engine') === 'sqlite';

async function start() {
  const url = await readyUrl();
  const db = await openDatabase(url, { connections: 5 });
  onTestFinished(() => db.destroy());
  const app = await startApp({}, db);
  const ann = await signedIn(app, await addPerson(db, 'ann', 'admin'));
  const ed = await signedIn(app, await addPerson(db, 'ed', 'editor'));
  for (let index = 0; index < OTHERS; index++) await addUser(db, { username: `other${index}` });
  return { app, db, url, ann, ed };
}

async function lastSet({ db }: FastifyInstance): Promise<number> {
  const sets = db.selectFrom('change_sets').select('id').orderBy('id', 'desc');
  return (await sets.executeTakeFirstOrThrow()).id;
}

/** What was done last is undone, and that in turn. */
async function undoTwice(app: FastifyInstance, ann: Headers): Promise<void> {
  for (const key of ['n'.repeat(22), 'o'.repeat(22)]) {
    const undone = await post(app, `/history/${await lastSet(app)}/undo`, { key }, ann);
    expect(undone.statusCode).toBe(303);
  }
}

/** One makes an administrator of them, and has a refused row; all of it is undone. */
async function importAndUndo(app: FastifyInstance, ann: Headers): Promise<void> {
  const row = `vqxzjk,vqxzjk@xjkqqz.example,${NAME} the Second,admin`;
  const file = `username,email,full_name,role\n${row}\nbad name!,zqxjf,${NAME},member\n`;
  const address = await bring(app, ann, file, 'vqxzjk.csv');
  await apply(app, ann, address);
  const { action } = pageOf(await get(app, address, ann)).form('Undo');
  const undone = await post(app, action, {}, ann);
  expect(undone.statusCode).toBe(303);
}

/** Sent once the session had ended, and waiting in the next one: by the list that was searched and a full name alone. */
async function leaveForm(app: FastifyInstance, ed: Headers): Promise<void> {
  const ended = { seen_at: 1, created_at: 1 };
  await transact(app.db, (trx) => trx.updateTable('sessions').set(ended).where('user_id', '=', 2).execute());
  const refused = await post(app, '/users/5?from=q%3Dvqxzjk', { full_name: NAME, version: '1' }, ed);
  expect(refused.statusCode).toBe(401);
  const { action } = pageOf(refused).form('Sign in');
  const fields = { username: 'ed', password: PASSWORD, draft: pageOf(refused).field('draft') };
  expect((await post(app, action, fields, ed)).statusCode).toBe(303);
  const waiting = app.db.selectFrom('sessions').select('draft').where('draft', 'is not', null);
  expect(found(JSON.stringify(await waiting.execute()), WORDS)).toEqual(['vqxzjk', NAME]);
}

/** All that links lead to, of whoever is signed in: as many as there are when they go nowhere else. */
async function crawl(
  app: FastifyInstance,
  headers: Headers,
  from: readonly string[],
): Promise<Map<string, string>> {
  const [waiting, pages] = [[...from], new Map<string, string>()];
  for (let address = waiting.shift(); address !== undefined && pages.size < 250; address = waiting.shift()) {
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

/** Whatever can be done to somebody, by forms. @returns their number */
async function live(app: FastifyInstance, ann: Headers, ed: Headers): Promise<number> {
  const send = (address: string, fields: Record<string, string> = {}) => post(app, address, fields, ann);
  const fields = {
    username: 'zqxjf',
    email: 'zqxjf@qxjfzz.example',
    full_name: 'Somebody',
    key: 'k'.repeat(22),
  };
  const id = Number(/\d+/.exec(`${(await send('/users', fields)).headers.location}`)?.[0]);
  await send(`/users/${id}`, { full_name: NAME });
  for (let index = 0; index < OTHERS; index += 3)
    await send(`/users/${3 + index}`, { full_name: `Changed ${index}` });
  await send(`/users/${id}`, { email: 'zqxjf@xjkqqz.example', role: 'viewer' });
  const renamed = await send(`/users/${id}`, { username: 'vqxzjk', key: 'l'.repeat(22) });
  expect(renamed.statusCode).toBe(303);
  await undoTwice(app, ann);
  await importAndUndo(app, ann);
  // They do something themselves, fail to sign in, and somebody else has a form about them that waits.
  await send(`/users/${id}/invitation`);
  await post(app, '/sign-in', { username: 'vqxzjk', password: 'wrong' });
  await leaveForm(app, ed);
  expect((await get(app, `/users?q=${encodeURIComponent(NAME)}`, ann)).body).toContain('vqxzjk');
  await send(`/users/${id}/delete`);
  await send(`/users/${id}/restore`);
  await send(`/users/${id}/delete`);
  return id;
}

/** On PostgreSQL, where nobody else has these words: each test is over before the next. */
async function expectGoneByPurge(db: Db, url: string): Promise<void> {
  expect(found(await filesOfPostgres(db), WORDS)).not.toEqual([]);
  expect(await runCommand(['purge'], { DATABASE_URL: url })).toMatchObject({ code: 0 });
  expect(await findPending(db)).toEqual([]);
  expect(found(await filesOfPostgres(db), WORDS)).toEqual([]);
}

describe('somebody who is erased', () => {
  test('is in no table, no search, no page and no byte any more', async () => {
    const { app, db, url, ann, ed } = await start();
    const id = await live(app, ann, ed);
    expect(found(JSON.stringify(await dump(db)), WORDS)).toEqual(
      expect.arrayContaining(['zqxjf', 'vqxzjk', NAME]),
    );
    if (onSqlite) expect(found(bytesOfIndex(url), TRIGRAMS)).toEqual(TRIGRAMS);
    const erased = await post(app, `/users/${id}/erase`, { username: 'vqxzjk', key: 'm'.repeat(22) }, ann);
    expect(erased.statusCode).toBe(303);
    await app.removeTraces();
    await app.runJobs();
    expect(found(JSON.stringify(await dump(db)), [...WORDS, ...TRIGRAMS])).toEqual([]);
    expect(readdirSync(app.config.importFolder)).toEqual(['identity']);
    if (onSqlite) expect(found(bytesOf(url), [...WORDS, ...TRIGRAMS])).toEqual([]);
    else await expectGoneByPurge(db, url);
    const begin = ['/users', '/history', '/import', '/imports/1', '/account', '/roles', '/export'];
    const own = [
      `/users/${id}`,
      `/history?user=${id}`,
      `${erased.headers.location}`,
      '/users?status=deleted',
    ];
    const pages = await crawl(app, ann, [...begin, ...own]);
    expect(pages.size).toBeGreaterThan(50);
    for (const [address, body] of pages) expect(found(body, WORDS), address).toEqual([]);
    for (const address of [`/users?q=${encodeURIComponent(NAME)}`, '/users?q=vqxzjk']) {
      const { body } = await get(app, address, ann);
      // What is searched for stands in its field.
      const shown = body.replaceAll(/value="[^"]*"|<title>.*<\/title>|“[^”]*”/g, '');
      expect(found(pageOf(shown).text, WORDS), address).toEqual([]);
    }
  });

  test.runIf(onSqlite)('is in the log for as long as something reads what was there before', async () => {
    const { app, url, ann, ed } = await start();
    const id = await live(app, ann, ed);
    const reader = new Sqlite(filePathOf(url) ?? '', { readonly: true });
    reader.exec('begin; select count(*) from users');
    const { headers } = await post(app, `/users/${id}/erase`, { username: 'vqxzjk' }, ann);
    await app.removeTraces();
    const held = await get(app, `${headers.location}`, ann);
    expect(pageOf(held).text).toContain('it is gone from the files once that ends');
    expect(found(bytesOf(url), TRIGRAMS)).toEqual(TRIGRAMS);
    reader.close();
    await app.removeTraces();
    expect(pageOf(await get(app, `${headers.location}`, ann)).text).toContain('Gone from every byte');
    expect(found(bytesOf(url), [...WORDS, ...TRIGRAMS])).toEqual([]);
  });

  test('is gone from every byte while others go on reading and writing', async () => {
    const { app, db, url, ann, ed } = await start();
    const id = await live(app, ann, ed);
    let isOver = false;
    const others = Array.from({ length: 4 }, async (_, who) => {
      for (let count = 0; !isOver; count++) {
        await addUser(db, { username: `busy${who}x${count}`, full_name: `Busy ${count}` });
        await get(app, '/users?q=busy');
      }
    });
    await post(app, `/users/${id}/erase`, { username: 'vqxzjk' }, ann);
    await app.removeTraces();
    isOver = true;
    await Promise.all(others);
    if (!onSqlite) {
      expect(await findPending(db)).toMatchObject([{ user_id: id }]);
      return expectGoneByPurge(db, url);
    }
    expect(await findPending(db)).toEqual([]);
    expect(found(bytesOf(url), [...WORDS, ...TRIGRAMS])).toEqual([]);
    const search = async (text: string) => (await get(app, `/users?q=${text}`, ann)).body;
    expect(await search('busy0x0')).toContain('busy0x0');
  });

  test.runIf(onSqlite)(
    'what was deleted before Roster overwrote it is gone once the file was written anew, which is tried once',
    async () => {
      const url = await restoreVersion(13);
      const old = new Sqlite(filePathOf(url) ?? '');
      old.pragma('secure_delete = off');
      old.exec(`create table old (text); insert into old values ('${NAME.repeat(50)}'); drop table old`);
      old.close();
      expect(found(bytesOf(url), TRIGRAMS).length).toBeGreaterThan(0);
      const log = vi.spyOn(console, 'log').mockImplementation(() => {});
      const db = await openDatabase(url);
      expect(log.mock.calls.flat()).toEqual([
        expect.stringMatching(/As it was, it is kept in .* it holds also whoever is erased later\.$/),
        expect.stringMatching(/^The database file is written anew, once/),
      ]);
      // Of what was kept to go back by it says so, and to remove it.
      expect(found(bytesOf(url), TRIGRAMS).length).toBeGreaterThan(0);
      rmSync(`${filePathOf(url)}.before-version-${MIGRATIONS.length}`);
      expect(found(bytesOf(url), TRIGRAMS)).toEqual([]);
      // As where that has failed.
      const mark = { name: 'has to be written anew', value: '1' };
      await transact(db, (trx) => trx.insertInto('secrets').values(mark).execute());
      await db.destroy();
      await (await openDatabase(url)).destroy();
      expect(log).toHaveBeenCalledTimes(2);
      log.mockRestore();
    },
  );

  test.runIf(onSqlite)(
    'is gone from the search index after purge, also where nothing was overwritten before',
    async () => {
      const url = await readyUrl();
      const db = await openDatabase(url);
      const { id } = await addUser(db, { username: 'somebody', full_name: NAME });
      for (let index = 0; index < OTHERS; index++) await addUser(db, { username: `other${index}` });
      await transact(db, (trx) => deleteUser(trx, commandLine, id, Date.now()));
      await transact(db, (trx) => eraseUser(trx, commandLine, id, Date.now()));
      expect(found(bytesOfIndex(url), TRIGRAMS)).toEqual(TRIGRAMS);
      await db.destroy();
      await runCommand(['purge'], { DATABASE_URL: url });
      expect(found(bytesOf(url), TRIGRAMS)).toEqual([]);
    },
  );

  test('is noted outside of the database before purge says so inside of it, or purge is refused', async () => {
    const url = await readyUrl();
    const db = await openDatabase(url, { connections: 2 });
    onTestFinished(() => db.destroy());
    const { id } = await addUser(db, { username: 'somebody' });
    await transact(db, (trx) => deleteUser(trx, commandLine, id, Date.now()));
    await transact(db, (trx) => eraseUser(trx, commandLine, id, Date.now()));
    const settings = { DATABASE_URL: url, SECRET_KEY_FILE: join(temporaryFolder(), 'secret.key') };
    const ledger = ledgerOf(url, settings.SECRET_KEY_FILE);
    symlinkSync(join(temporaryFolder(), 'no folder', 'erased.jsonl'), ledger);
    expect(await runCommand(['purge'], settings)).toMatchObject({
      code: 1,
      error: expect.stringContaining('in which Roster notes who is erased, cannot be written'),
    });
    expect(await findPending(db)).toMatchObject([{ user_id: id }]);
    rmSync(ledger);
    expect(await runCommand(['purge'], settings)).toMatchObject({ code: 0 });
    expect(readLedger(ledger)).toMatchObject([{ users: [{ user_id: id }] }]);
    expect(await findPending(db)).toEqual([]);
  });

  test('is gone from the files after purge, on any database', async () => {
    const { app, db, url, ann } = await start();
    // Nobody else's: on PostgreSQL other tests have the same files. The last of all is among the samples.
    const words = ['zzpurgedone', 'zzpurgedtwo'];
    const { id } = await addUser(db, { username: 'zzpurgedone', full_name: 'Zzpurgedtwo' });
    // As PostgreSQL does by itself now and then.
    if (!onSqlite) await sql`analyze users`.execute(db);
    await post(app, `/users/${id}`, { email: 'zzpurgedtwo@example.org' }, ann);
    await post(app, `/users/${id}/delete`, {}, ann);
    const { headers } = await post(app, `/users/${id}/erase`, { username: 'zzpurgedone' }, ann);
    const show = async () => pageOf(await get(app, `${headers.location}`, ann)).text;
    if (!onSqlite) {
      await app.removeTraces();
      expect(await show()).toContain('npm run roster -- purge');
      expect(found(await filesOfPostgres(db), words)).toEqual(words);
    }
    expect(await runCommand(['purge'], { DATABASE_URL: url })).toMatchObject({
      code: 0,
      out: expect.stringContaining('Nothing that was deleted before is in its files any more.'),
    });
    expect(await show()).toContain(onSqlite ? 'Gone from every byte' : 'PostgreSQL’s write-ahead log keeps');
    expect(found(onSqlite ? bytesOf(url) : await filesOfPostgres(db), words)).toEqual([]);
  });
});
