/** A Roster is killed while it overwrites what was erased: the next one does it to the end, and nobody is told before. */
import { once } from 'node:events';
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { sql } from 'kysely';
import { expect, inject, test } from 'vitest';
import { commandLine } from '../../src/auth/actor.ts';
import { filePathOf } from '../../src/database-url.ts';
import { openDatabase } from '../../src/db/database.ts';
import type { Db } from '../../src/db/schema.ts';
import { transact } from '../../src/db/transact.ts';
import { eraseUser } from '../../src/erasure/commands.ts';
import { ledgerOf, readLedger } from '../../src/erasure/ledger.ts';
import { findErasure, findPending } from '../../src/erasure/queries.ts';
import { findDeleted } from '../../src/history/queries.ts';
import { changeUser, deleteUser } from '../../src/users/commands.ts';
import { runCommand } from '../command.ts';
import { bytesOf, filesOfPostgres, found, NAME, TRIGRAMS } from '../erasure/traces.ts';
import { addPerson, PASSWORD } from '../people.ts';
import { ask } from '../postgres/ask.ts';
import { preloading, run, startRoster } from '../roster.ts';
import { addUser, readyUrl, temporaryFolder } from '../support.ts';

const KILLS = inject('isLong') ? 10 : 3;

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
  expect((await db.selectFrom('users').select('id').execute()).length).toBe(401);
  await db.destroy();
});

/**
 * Kills its own process before the how manieth thing that it does from the moment on when somebody is taken from those who were
 * deleted: a statement, a line of a file, a byte that is overwritten, a sync. Says last what it did.
 */
const killingFromErasing = (moment: number) =>
  preloading(`
    import fs from 'node:fs';
    import { createRequire, syncBuiltinESMExports } from 'node:module';
    import { isMainThread } from 'node:worker_threads';
    const packages = createRequire(${JSON.stringify(join(import.meta.dirname, '..', '..', 'package.json'))});
    const Sqlite = packages('better-sqlite3');
    const { Client } = packages('pg');
    const done = [];
    let isErasing = false;
    const pass = (what) => {
      isErasing ||= what.startsWith('delete from "deleted_users"');
      if (isErasing && done.push(what) === ${moment}) process.kill(process.pid, 'SIGKILL');
    };
    for (const name of ['appendFileSync', 'fsyncSync', 'writeSync']) {
      const original = fs[name];
      fs[name] = (...given) => {
        pass(name);
        return original(...given);
      };
    }
    const { prepare } = Sqlite.prototype;
    Sqlite.prototype.prepare = function (text) {
      const statement = prepare.call(this, text);
      for (const name of ['run', 'all', 'get']) {
        const run = statement[name];
        statement[name] = function (...values) {
          pass(text);
          return run.apply(this, values);
        };
      }
      return statement;
    };
    const { query } = Client.prototype;
    Client.prototype.query = function (...asked) {
      pass(String(asked[0]?.text ?? asked[0]));
      return query.apply(this, asked);
    };
    syncBuiltinESMExports();
    // The thread of jobs ends as well.
    if (isMainThread) process.on('exit', () => fs.writeFileSync(2, JSON.stringify(done)));`);

/** Among others, and already deleted. */
async function fill(url: string, others = 400, full_name = NAME): Promise<number> {
  const db = await openDatabase(url);
  for (let index = 0; index < others; index++) await addUser(db, { username: `other${index}` });
  const { id } = await addUser(db, { username: 'ada', full_name });
  await addPerson(db, 'ann', 'admin');
  for (let index = 1; index < others; index += 2)
    await transact(db, (trx) =>
      changeUser(trx, commandLine, index, { full_name: `Changed ${index}` }, Date.now()),
    );
  await transact(db, (trx) => deleteUser(trx, commandLine, id, Date.now()));
  await db.destroy();
  return id;
}

const send = (address: string, path: string, cookie: string, fields: Record<string, string>) =>
  fetch(address + path, {
    method: 'POST',
    headers: { cookie, origin: address },
    body: new URLSearchParams(fields),
    redirect: 'manual',
  });

/** As an administrator does who signs in. @returns sends it */
async function readyToErase(address: string, id: number) {
  const { headers } = await send(address, '/sign-in', '', { username: 'ann', password: PASSWORD });
  const cookie = headers.getSetCookie().map((one) => one.replace(/;.*/, ''));
  return () => send(address, `/users/${id}/erase`, cookie.join('; '), { username: 'ada' });
}

/** Some in the transaction, its commit among them, then the line outside of it, what is overwritten by SQL and in the file itself. */
function momentsAmong(done: readonly string[]): number[] {
  const [commit, line] = [done.indexOf('commit'), done.indexOf('appendFileSync')];
  const raw = done.indexOf('writeSync');
  expect([commit > 0, line > commit, raw > line]).toEqual([true, true, true]);
  const merge = done.findIndex((what) => what.includes("'merge'"));
  expect(merge).toBeGreaterThan(line);
  // As they are counted: from 1 on.
  const short = [commit, line, raw].map((index) => index + 1);
  const middle = [2, Math.ceil(commit / 3), Math.ceil((2 * commit) / 3), commit + 2];
  const rest = [line + 2, merge + 1, raw + 2];
  return inject('isLong') ? [...short, ...middle, ...rest] : short;
}

test('somebody who is erased by a page is erased whole or not at all, and noted before anything is overwritten, wherever Roster is killed', {
  timeout: 300_000,
}, async () => {
  const base = join(temporaryFolder(), 'roster.db');
  const id = await fill(`sqlite:${base}`);
  const begin = async (moment: number) => {
    const path = join(temporaryFolder(), 'roster.db');
    copyFileSync(base, path);
    const url = `sqlite:${path}`;
    const roster = await startRoster({
      DATABASE_URL: url,
      LOG_LEVEL: 'silent',
      ...killingFromErasing(moment),
    });
    const db = await openDatabase(url);
    return { url, db, roster, ledger: () => readLedger(ledgerOf(url, '')).flatMap(({ users }) => users) };
  };
  const all = await begin(0);
  const eraseOnce = await readyToErase(all.roster.address, id);
  expect((await eraseOnce()).status).toBe(303);
  await expect.poll(() => findPending(all.db), { interval: 50 }).toEqual([]);
  await all.db.destroy();
  all.roster.child.kill('SIGTERM');
  const done = JSON.parse(await all.roster.stderr) as string[];
  for (const moment of momentsAmong(done)) {
    const { url, db, roster, ledger } = await begin(moment);
    const ended = once(roster.child, 'exit');
    const erase = await readyToErase(roster.address, id);
    await erase().catch(() => {});
    const [, signal] = await ended;
    const what = `killed before ${done[moment - 1]}, ${moment} of ${done.length}`;
    expect(signal, what).toBe('SIGKILL');
    const isErased = (await findErasure(db, id)) !== undefined;
    expect((await findDeleted(db, id)) === undefined, what).toBe(isErased);
    if (!isErased) expect(ledger(), what).toEqual([]);
    if (moment > done.indexOf('fsyncSync') + 1) expect(ledger(), what).toMatchObject([{ user_id: id }]);
    expect(await findPending(db), what).toHaveLength(isErased ? 1 : 0);
    const { child, address } = await startRoster({ DATABASE_URL: url, LOG_LEVEL: 'silent' });
    if (!isErased) {
      const eraseAgain = await readyToErase(address, id);
      expect((await eraseAgain()).status, what).toBe(303);
    }
    await expect.poll(() => findPending(db), { interval: 50 }).toEqual([]);
    child.kill('SIGTERM');
    await once(child, 'exit');
    expect(found(bytesOf(url), TRIGRAMS), what).toEqual([]);
    expect(ledger(), what).toMatchObject([{ user_id: id }]);
    const { rows } = await sql`pragma integrity_check`.execute(db);
    expect(rows, what).toEqual([{ integrity_check: 'ok' }]);
    await db.destroy();
  }
});

test('on PostgreSQL, too, whoever is erased by a page is so whole or not at all, and is noted, wherever Roster is killed', {
  timeout: 300_000,
}, async () => {
  const begin = async (moment: number) => {
    const url = await readyUrl('postgres');
    // On a server the files are also those of other tests.
    const id = await fill(url, 4, 'Ada');
    const key = join(temporaryFolder(), 'secret.key');
    const settings = { DATABASE_URL: url, SECRET_KEY_FILE: key, LOG_LEVEL: 'silent' };
    const roster = await startRoster({ ...settings, ...killingFromErasing(moment) });
    const ledger = () => readLedger(ledgerOf(url, key)).flatMap(({ users }) => users);
    return { url, id, settings, roster, ledger, erase: await readyToErase(roster.address, id) };
  };
  const all = await begin(0);
  expect((await all.erase()).status).toBe(303);
  await expect.poll(all.ledger, { interval: 50 }).toMatchObject([{ user_id: all.id }]);
  all.roster.child.kill('SIGTERM');
  const done = JSON.parse(await all.roster.stderr) as string[];
  const [commit, line] = [done.indexOf('commit'), done.indexOf('appendFileSync')];
  expect([commit > 0, line > commit, done.length > line + 2]).toEqual([true, true, true]);
  // As they are counted: from 1 on.
  const evenly = Array.from({ length: 8 }, (_, index) => 1 + Math.round((index * (line + 1)) / 7));
  const moments = [line + 1, ...(inject('isLong') ? [commit + 1, ...evenly] : [])];
  for (const moment of moments) {
    const { url, id, settings, roster, ledger, erase } = await begin(moment);
    const ended = once(roster.child, 'exit');
    await erase().catch(() => {});
    const [, signal] = await ended;
    const what = `killed before ${done[moment - 1]}, ${moment} of ${done.length}`;
    expect(signal, what).toBe('SIGKILL');
    // What was sent last the server may still be doing.
    await ask(url, 'begin', 'lock table deleted_users in share mode', 'commit');
    const db = await openDatabase(url, { connections: 2 });
    const isErased = (await findErasure(db, id)) !== undefined;
    expect((await findDeleted(db, id)) === undefined, what).toBe(isErased);
    if (!isErased) expect(ledger(), what).toEqual([]);
    const { child, address } = await startRoster(settings);
    if (!isErased) expect((await (await readyToErase(address, id))()).status, what).toBe(303);
    await expect.poll(ledger, { interval: 50 }).toMatchObject([{ user_id: id }]);
    child.kill('SIGTERM');
    await once(child, 'exit');
    expect((await runCommand(['purge'], settings)).code, what).toBe(0);
    expect(await findPending(db), what).toEqual([]);
    await db.destroy();
  }
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
