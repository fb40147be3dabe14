/** A Roster is killed while it overwrites what was erased: the next one does it to the end, and nobody is told before. */
import { once } from 'node:events';
import { copyFileSync, cpSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { sql } from 'kysely';
import { expect, inject, test } from 'vitest';
import { commandLine } from '../../src/auth/actor.ts';
import { readConfig } from '../../src/config.ts';
import { filePathOf } from '../../src/database-url.ts';
import { openDatabase } from '../../src/db/database.ts';
import { engineOf } from '../../src/db/engine.ts';
import type { Db } from '../../src/db/schema.ts';
import { transact } from '../../src/db/transact.ts';
import { eraseUser } from '../../src/erasure/commands.ts';
import { ledgerOf, readLedger } from '../../src/erasure/ledger.ts';
import { findErasure, findPending } from '../../src/erasure/queries.ts';
import { findDeleted } from '../../src/history/deleted-queries.ts';
import { changeUser, deleteUser } from '../../src/users/commands.ts';
import { runCommand } from '../command.ts';
import { bytesIn, bytesOf, filesOfPostgres, found, NAME, TRIGRAMS } from '../erasure/byte-search.ts';
import { addOthers, expectNowhere, live, wordsWith } from '../erasure/life.ts';
import { PASSWORD } from '../people.ts';
import { ask } from '../postgres/ask.ts';
import { preloading, run, startRoster } from '../roster.ts';
import { addUser, readyUrl, startApp, temporaryFolder } from '../support.ts';

const KILLS = inject('isLong') ? 10 : 3;
/** So many that there is something to merge. */
const OTHERS = 300;

/** Kills its own process before it runs one of the statements by which what was erased is overwritten. */
const killingAt = (moment: number) =>
  preloading(`
    import { createRequire } from 'node:module';
    const Sqlite = createRequire(${JSON.stringify(join(import.meta.dirname, '..', '..', 'package.json'))})('better-sqlite3');
    const { prepare } = Sqlite.prototype;
    let moment = 0;
    Sqlite.prototype.prepare = function (text) {
      const statement = prepare.call(this, text);
      if (!/'merge'|zeros|TRUNCATE|gone_at" = /.test(text)) return statement;
      for (const name of ['run', 'all']) {
        const run = statement[name];
        statement[name] = function (...values) {
          if (moment++ === ${moment}) process.kill(process.pid, 'SIGKILL');
          return run.apply(this, values);
        };
      }
      return statement;
    };`);

test('whoever is erased is gone from every byte, however often Roster is killed on the way', {
  timeout: 300_000,
}, async () => {
  const url = await readyUrl('sqlite');
  const id = await fill(url);
  const db = await openDatabase(url);
  await transact(db, (trx) => eraseUser(trx, commandLine, id, Date.now()));
  let kills = 0;
  for (let moment = 0; kills < KILLS && moment < 60; moment += inject('isLong') ? 1 : 3) {
    const child = run([], { DATABASE_URL: url, PORT: '0', LOG_LEVEL: 'silent', ...killingAt(moment) });
    child.stdout.resume();
    child.stderr.resume();
    const ended = once(child, 'exit').then(() => 'killed');
    const isGone = async () => ((await findPending(db)).length === 0 ? 'gone' : undefined);
    const outcome = await Promise.race([ended, expect.poll(isGone, { interval: 20 }).toBe('gone')]);
    if (outcome !== 'killed') child.kill('SIGKILL');
    await ended;
    if (outcome === 'killed') kills++;
    if ((await findPending(db)).length === 0) break;
  }
  expect(kills).toBe(KILLS);
  const { child } = await startRoster({ DATABASE_URL: url, LOG_LEVEL: 'silent' });
  await expect.poll(() => findPending(db), { interval: 50 }).toEqual([]);
  child.kill('SIGTERM');
  await once(child, 'exit');
  expect(found(bytesOf(url), TRIGRAMS)).toEqual([]);
  expect(readLedger(ledgerOf(url, `${filePathOf(url)}.key`))).toMatchObject([{ users: [{ user_id: id }] }]);
  const { rows } = await sql`pragma integrity_check`.execute(db);
  expect(rows).toEqual([{ integrity_check: 'ok' }]);
  expect(
    await db
      .selectFrom('zeros' as never)
      .selectAll()
      .execute(),
  ).toEqual([]);
  expect((await db.selectFrom('users').select('id').execute()).length).toBe(400);
  await db.destroy();
});

/** Until it is saved, until it is noted, and from then on. `nth`: how often that was done by then, from the beginning of the phase. */
type Moment = { phase: 'erasing' | 'noting' | 'overwriting'; what: string; nth: number };

/**
 * Kills its own process before something that it does from the moment on when somebody is taken from those who were deleted: a
 * statement, a line of a file, a byte that is overwritten, a sync. What others do meanwhile counts for no more than that it may be
 * a little earlier. Says last what it did.
 */
const killingFromErasing = (moment?: Moment) =>
  preloading(`
    import fs from 'node:fs';
    import { createRequire, syncBuiltinESMExports } from 'node:module';
    import { isMainThread } from 'node:worker_threads';
    const packages = createRequire(${JSON.stringify(join(import.meta.dirname, '..', '..', 'package.json'))});
    const Sqlite = packages('better-sqlite3');
    const { Client } = packages('pg');
    const wanted = ${JSON.stringify(JSON.stringify(moment ?? null))};
    const done = [];
    let counts = new Map();
    let phase = 'erasing';
    let eraser;
    const pass = (what, who = eraser) => {
      if (what.startsWith('delete from "deleted_users"')) eraser ??= who;
      // Of those who have connections of their own.
      if (eraser === undefined || (phase === 'erasing' && who !== eraser)) return;
      const nth = (counts.get(what) ?? 0) + 1;
      counts.set(what, nth);
      const moment = { phase, what, nth };
      done.push(moment);
      if (JSON.stringify(moment) === wanted) process.kill(process.pid, 'SIGKILL');
      const next = phase === 'erasing' && what === 'commit' ? 'noting' : what === 'line' ? 'overwriting' : phase;
      if (next !== phase) counts = new Map();
      phase = next;
    };
    const { appendFileSync, fsyncSync, writeSync } = fs;
    fs.appendFileSync = (...given) => {
      // Not of numbers alone.
      if (String(given[1]).includes('"users":[{')) pass('line');
      return appendFileSync(...given);
    };
    for (const [name, original] of Object.entries({ fsyncSync, writeSync }))
      fs[name] = (...given) => {
        if (phase === 'overwriting') pass(name);
        return original(...given);
      };
    const { prepare } = Sqlite.prototype;
    Sqlite.prototype.prepare = function (text) {
      const statement = prepare.call(this, text);
      for (const name of ['run', 'all', 'get']) {
        const run = statement[name];
        statement[name] = function (...values) {
          pass(text, Sqlite);
          return run.apply(this, values);
        };
      }
      return statement;
    };
    const { query } = Client.prototype;
    Client.prototype.query = function (...asked) {
      pass(String(asked[0]?.text ?? asked[0]), this);
      return query.apply(this, asked);
    };
    syncBuiltinESMExports();
    // The thread of jobs ends as well.
    if (isMainThread) process.on('exit', () => fs.writeFileSync(2, JSON.stringify(done)));`);

/** Among others, and already deleted. */
async function fill(url: string): Promise<number> {
  const db = await openDatabase(url);
  for (let index = 0; index < 400; index++) await addUser(db, { username: `other${index}` });
  const { id } = await addUser(db, { username: 'ada', full_name: NAME });
  for (let index = 1; index < 400; index += 2)
    await transact(db, (trx) =>
      changeUser(trx, commandLine, index, { full_name: `Changed ${index}` }, Date.now()),
    );
  await transact(db, (trx) => deleteUser(trx, commandLine, id, Date.now()));
  await db.destroy();
  return id;
}

/** Among others, and deleted after a whole life, with the files that they were imported from. */
async function fillWithLife(url: string, words: Words, others: number) {
  const db = await openDatabase(url, { connections: 5 });
  const app = await startApp({}, db);
  await addOthers(db, others);
  const id = await live(app, words, others);
  const { importFolder } = app.config;
  expect(found(bytesIn(importFolder), Object.values(words))).not.toEqual([]);
  await app.close();
  await db.destroy();
  return { id, importFolder };
}

/** @returns where a Roster with these settings has it */
function placed(from: string, settings: Record<string, string>): string {
  const { importFolder } = readConfig(settings);
  cpSync(from, importFolder, { recursive: true });
  return importFolder;
}

type Words = ReturnType<typeof wordsWith>;

const send = (address: string, path: string, cookie: string, fields: Record<string, string>) =>
  fetch(address + path, {
    method: 'POST',
    headers: { cookie, origin: address },
    body: new URLSearchParams(fields),
    redirect: 'manual',
  });

/** Of others between two requests, in milliseconds. */
const PAUSE = 10;
let busy = 0;

/** An administrator, with others who create users and search beside them, until nobody answers. `acknowledged`: whom they created. */
async function startPeople(address: string) {
  const { headers } = await send(address, '/sign-in', '', { username: 'ann', password: PASSWORD });
  const cookies = headers.getSetCookie().map((one) => one.replace(/;.*/, ''));
  const cookie = cookies.join('; ');
  const acknowledged: string[] = [];
  let isOver = false;
  const write = async () => {
    const username = `busy${busy++}`;
    const fields = { username, email: `${username}@example.org` };
    if ((await send(address, '/users', cookie, fields)).status === 303) acknowledged.push(username);
  };
  const read = async () => {
    for (const path of ['/users?q=busy', '/history'])
      await (await fetch(address + path, { headers: { cookie } })).text();
  };
  const works = [write, read, write, read].map(async (work) => {
    while (!isOver) {
      await work().catch(() => {
        isOver = true;
      });
      await setTimeout(PAUSE);
    }
  });
  await expect.poll(() => acknowledged.length, { interval: 5 }).toBeGreaterThan(4);
  return {
    acknowledged,
    erase: (id: number, { last }: Words) => send(address, `/users/${id}/erase`, cookie, { username: last }),
    async end(): Promise<void> {
      isOver = true;
      await Promise.all(works);
    },
  };
}

/** One that is killed there, and one that is started after it; both while others work. */
type Killed = {
  settings: Record<string, string>;
  id: number;
  words: Words;
  importFolder: string;
  /** Undefined for one that is not killed. */
  moment: Moment | undefined;
};

/** As much as it can be had to say of what it does. */
const TELLING = { LOG_LEVEL: 'trace', METRICS_TOKEN: 'a-token-for-the-tests-alone' };

/** @returns what it did until it was told to end */
async function eraseOnce({ settings, id, words }: Killed): Promise<Moment[]> {
  const { address, child, stderr } = await startRoster({ ...settings, ...killingFromErasing() });
  const people = await startPeople(address);
  await people.end();
  expect((await people.erase(id, words)).status).toBe(303);
  const db = await openDatabase(settings.DATABASE_URL ?? '', { connections: 2 });
  if (engineOf(db).isLogKept) await expect.poll(() => ledgerIn(settings)).toMatchObject([{ user_id: id }]);
  else await expect.poll(() => findPending(db), { interval: 50 }).toEqual([]);
  await db.destroy();
  child.kill('SIGTERM');
  return JSON.parse(await stderr);
}

function ledgerIn({ DATABASE_URL = '', SECRET_KEY_FILE = '' }: Record<string, string>) {
  return readLedger(ledgerOf(DATABASE_URL, SECRET_KEY_FILE)).flatMap(({ users }) => users);
}

async function expectWholeOrNotAtAll(killed: Killed, isLookedAt: boolean): Promise<void> {
  const { settings, id, words, importFolder, moment } = killed;
  const what = `killed before ${JSON.stringify(moment)}`;
  const all = Object.values(words);
  const url = settings.DATABASE_URL ?? '';
  const first = await startRoster({ ...settings, ...killingFromErasing(moment) });
  const ended = once(first.child, 'exit');
  const before = await startPeople(first.address);
  await before.erase(id, words).catch(() => {});
  expect((await ended)[1], what).toBe('SIGKILL');
  await before.end();
  // What was sent last the server may still be doing.
  if (url.startsWith('postgres:'))
    await ask(url, 'begin', 'lock table deleted_users in share mode', 'commit');
  const db = await openDatabase(url, { connections: 5 });
  const isErased = (await findErasure(db, id)) !== undefined;
  expect((await findDeleted(db, id)) === undefined, what).toBe(isErased);
  expect(isErased, what).toBe(moment?.phase !== 'erasing');
  expect(await findPending(db), what).toHaveLength(isErased ? 1 : 0);
  const noted = moment?.phase === 'overwriting' ? [{ user_id: id }] : [];
  expect(ledgerIn(settings), what).toMatchObject(noted);
  const { child, address, stderr } = await startRoster({ ...settings, ...TELLING });
  let log = '';
  child.stdout?.on('data', (chunk) => {
    log += chunk;
  });
  const after = await startPeople(address);
  if (!isErased) expect((await after.erase(id, words)).status, what).toBe(303);
  await expect.poll(() => ledgerIn(settings)).toMatchObject([{ user_id: id }]);
  if (!engineOf(db).isLogKept) await expect.poll(() => findPending(db), { interval: 50 }).toEqual([]);
  await after.end();
  await expect.poll(() => readdirSync(importFolder)).toEqual(['identity']);
  const metrics = await fetch(`${address}/metrics`, {
    headers: { authorization: `Bearer ${TELLING.METRICS_TOKEN}` },
  });
  expect(found(await metrics.text(), all), what).toEqual([]);
  expect(metrics.status).toBe(200);
  child.kill('SIGTERM');
  await once(child, 'exit');
  expect(log, what).toContain('"request"');
  expect(found(log + (await stderr), all), what).toEqual([]);
  if (engineOf(db).isLogKept) {
    expect(found(await filesOfPostgres(db), all), what).not.toEqual([]);
    expect((await runCommand(['purge'], settings)).code, what).toBe(0);
    expect(await findPending(db), what).toEqual([]);
    expect(found(await filesOfPostgres(db), all), what).toEqual([]);
  } else {
    expect(found(bytesOf(url), [...all, ...TRIGRAMS]), what).toEqual([]);
    const { rows } = await sql`pragma integrity_check`.execute(db);
    expect(rows, what).toEqual([{ integrity_check: 'ok' }]);
  }
  expect(found(bytesIn(importFolder), all), what).toEqual([]);
  const there = await db.selectFrom('users').select('username').execute();
  const usernames = new Set(there.map(({ username }) => username));
  const acknowledged = [...before.acknowledged, ...after.acknowledged];
  expect(
    acknowledged.filter((username) => !usernames.has(username)),
    what,
  ).toEqual([]);
  if (isLookedAt) {
    const app = await startApp({}, db);
    await expectNowhere(app, id, words, inject('isLong') ? 70 : 30);
    await app.close();
  }
  await db.destroy();
}

/** Some in the transaction, its commit among them, then the line outside of it, what is overwritten by SQL and in the file itself. */
function momentsAmong(done: readonly Moment[]): Moment[] {
  const indexOf = (isIt: (moment: Moment) => boolean) => done.findIndex(isIt);
  const [commit, line] = [
    indexOf(({ phase }) => phase === 'noting') - 1,
    indexOf(({ what }) => what === 'line'),
  ];
  const raw = indexOf(({ what }) => what === 'writeSync');
  expect([commit > 0, line > commit, raw > line]).toEqual([true, true, true]);
  const merge = indexOf(({ phase, what }) => phase === 'overwriting' && what.includes("'merge'"));
  expect(merge).toBeGreaterThan(line);
  const short = [commit, line, raw];
  const middle = [1, Math.floor(commit / 3), Math.floor((2 * commit) / 3), commit + 1];
  const rest = [line + 1, merge, raw + 1];
  return chosenOf(done, inject('isLong') ? [...short, ...middle, ...rest] : short);
}

/** Those of a server, which overwrites nothing by itself. */
function momentsOnServer(done: readonly Moment[]): Moment[] {
  const [commit, line] = [
    done.findIndex(({ phase }) => phase === 'noting') - 1,
    done.findIndex(({ what }) => what === 'line'),
  ];
  expect([commit > 0, line > commit, done.length > line + 2]).toEqual([true, true, true]);
  const others = Array.from({ length: line + 2 }, (_, index) => index).filter(
    (index) => index !== commit && index !== line,
  );
  const evenly = Array.from(
    { length: 8 },
    (_, index) => others[Math.round((index * (others.length - 1)) / 7)] ?? 0,
  );
  return chosenOf(done, [line, ...(inject('isLong') ? [commit, ...evenly] : [])]);
}

function chosenOf(done: readonly Moment[], indexes: readonly number[]): Moment[] {
  // No two are the same.
  expect(new Set(indexes).size).toBe(indexes.length);
  return indexes.flatMap((index) => done[index] ?? []);
}

test('somebody who is erased by a page, while others work, is erased whole or not at all, noted before anything is overwritten, and nowhere in the end, wherever Roster is killed', {
  timeout: 600_000,
}, async () => {
  const base = join(temporaryFolder(), 'roster.db');
  const words = wordsWith('');
  const { id, importFolder } = await fillWithLife(`sqlite:${base}`, words, OTHERS);
  const begin = (moment?: Moment): Killed => {
    const folder = temporaryFolder();
    copyFileSync(base, join(folder, 'roster.db'));
    const settings = { DATABASE_URL: `sqlite:${join(folder, 'roster.db')}`, LOG_LEVEL: 'silent' };
    return { settings, id, words, importFolder: placed(importFolder, settings), moment };
  };
  const moments = momentsAmong(await eraseOnce(begin()));
  expect(moments).toHaveLength(inject('isLong') ? 10 : 3);
  for (const [index, moment] of moments.entries())
    await expectWholeOrNotAtAll(begin(moment), inject('isLong') || index === 0);
});

test('on PostgreSQL, too, whoever is erased by a page, while others work, is so whole or not at all, is noted, and is nowhere after purge, wherever Roster is killed', {
  timeout: 600_000,
}, async () => {
  // What the files are looked through for is nobody else's, of those who were killed before.
  const begin = async (mark: string, moment?: Moment): Promise<Killed> => {
    const DATABASE_URL = await readyUrl('postgres');
    const words = wordsWith(mark, `Kz${mark}wqx Wk${mark}qzv`);
    const { id, importFolder } = await fillWithLife(DATABASE_URL, words, 5);
    const SECRET_KEY_FILE = join(temporaryFolder(), 'secret.key');
    const settings = { DATABASE_URL, SECRET_KEY_FILE, LOG_LEVEL: 'silent' };
    return { settings, id, words, importFolder: placed(importFolder, settings), moment };
  };
  const moments = momentsOnServer(await eraseOnce(await begin('w')));
  expect(moments).toHaveLength(inject('isLong') ? 10 : 1);
  for (const [index, moment] of moments.entries())
    await expectWholeOrNotAtAll(await begin(`w${String.fromCharCode(97 + index)}`, moment), inject('isLong'));
});

/** The same before a statement by which the tables are written anew, and by which it is noted that they are. */
const killingPurgeAt = (moment: number) =>
  preloading(`
    import { createRequire } from 'node:module';
    const { Client } = createRequire(${JSON.stringify(join(import.meta.dirname, '..', '..', 'package.json'))})('pg');
    const { query } = Client.prototype;
    let moment = 0;
    Client.prototype.query = function (...asked) {
      const text = asked[0]?.text ?? asked[0];
      if (/vacuum|analyze|gone_at" = /i.test(text) && moment++ === ${moment}) process.kill(process.pid, 'SIGKILL');
      return query.apply(this, asked);
    };`);

test('on PostgreSQL purge is killed on the way, also last of all, and is done again to its end', {
  timeout: 300_000,
}, async () => {
  const url = await readyUrl('postgres');
  const db = await openDatabase(url, { connections: 2 });
  const words = ['zzkilledone', 'zzkilledtwo'];
  const { id } = await addUser(db, { username: 'zzkilledone', full_name: 'Zzkilledtwo' });
  await transact(db, (trx) => deleteUser(trx, commandLine, id, Date.now()));
  await transact(db, (trx) => eraseUser(trx, commandLine, id, Date.now()));
  const settings = { DATABASE_URL: url, SECRET_KEY_FILE: join(temporaryFolder(), 'secret.key') };
  const ledger = ledgerOf(url, settings.SECRET_KEY_FILE);
  const purge = async (killing: Record<string, string>) => {
    const child = run(['purge'], { ...settings, ...killing });
    child.stdout.resume();
    child.stderr.resume();
    return (await once(child, 'exit'))[1];
  };
  let kills = 0;
  const last = (await countPurging(db)) - 1;
  for (let kill = 0; kill < KILLS; kill++) {
    const moment = Math.round((kill * last) / (KILLS - 1));
    if ((await purge(killingPurgeAt(moment))) === 'SIGKILL') kills++;
    // Nobody says that they are gone before it is noted, and all of it is done.
    expect(await findPending(db)).toMatchObject([{ user_id: id }]);
    expect(readLedger(ledger)).toMatchObject([{ users: [{ user_id: id }] }]);
  }
  expect(kills).toBe(KILLS);
  expect(await purge({})).toBe(null);
  expect(await findPending(db)).toEqual([]);
  expect(found(await filesOfPostgres(db), words)).toEqual([]);
  await db.destroy();
});

/** Each table twice, the samples, and the note. */
async function countPurging(db: Db): Promise<number> {
  const { rows } = await sql`select from pg_tables where schemaname = current_schema()`.execute(db);
  return 2 * rows.length + 2;
}
