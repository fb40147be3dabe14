/** What an erased user leaves in the files of a database: nothing, whatever was done to them and with them. */
import { readdirSync, rmSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { sql } from 'kysely';
import { describe, expect, inject, onTestFinished, test, vi } from 'vitest';
import { filePathOf } from '../../src/database-url.ts';
import { openDatabase } from '../../src/db/database.ts';
import { MIGRATIONS } from '../../src/db/migration-list.ts';
import type { Db } from '../../src/db/schema.ts';
import { transact } from '../../src/db/transact.ts';
import { ledgerOf, readLedger } from '../../src/erasure/ledger.ts';
import { findPending } from '../../src/erasure/queries.ts';
import { getUser } from '../../src/users/queries.ts';
import { erase } from '../backup/backed-up.ts';
import { runCommand } from '../command.ts';
import { restoreVersion } from '../db/versions/restore.ts';
import { dump } from '../engines.ts';
import { pageOf } from '../page.ts';
import { signedIn } from '../people.ts';
import { addUser, get, post, readyUrl, startApp, temporaryFolder } from '../support.ts';
import { bytesIn, bytesOf, bytesOfIndex, filesOfPostgres, found, NAME, TRIGRAMS } from './byte-search.ts';
import { addOthers, expectNowhere, live, wordsWith } from './life.ts';

const OTHERS = 300;

const SOMEBODY = wordsWith('');
const { last: username } = SOMEBODY;
const WORDS = Object.values(SOMEBODY);

const onSqlite = inject('engine') === 'sqlite';

async function start() {
  const url = await readyUrl();
  const db = await openDatabase(url, { connections: 5 });
  onTestFinished(() => db.destroy());
  const app = await startApp({}, db);
  await addOthers(db, OTHERS);
  return { app, db, url, ann: await signedIn(app, await getUser(db, 1)) };
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
    const { app, db, url, ann } = await start();
    const id = await live(app, SOMEBODY, OTHERS);
    expect(found(JSON.stringify(await dump(db)), WORDS)).toEqual(WORDS);
    expect(found(bytesIn(app.config.importFolder), WORDS)).not.toEqual([]);
    if (onSqlite) expect(found(bytesOfIndex(url), TRIGRAMS)).toEqual(TRIGRAMS);
    const erased = await post(app, `/users/${id}/erase`, { username, key: 'm'.repeat(22) }, ann);
    expect(erased.statusCode).toBe(303);
    await app.scrub();
    await app.runJobs();
    expect(found(JSON.stringify(await dump(db)), [...WORDS, ...TRIGRAMS])).toEqual([]);
    expect(readdirSync(app.config.importFolder)).toEqual(['identity']);
    if (onSqlite) expect(found(bytesOf(url), [...WORDS, ...TRIGRAMS])).toEqual([]);
    else await expectGoneByPurge(db, url);
    // The file that says who was erased, and those that came in for imports.
    for (const folder of [dirname(app.ledger), app.config.importFolder])
      expect(found(bytesIn(folder), [...WORDS, ...TRIGRAMS]), folder).toEqual([]);
    expect(readLedger(app.ledger).flatMap(({ users }) => users)).toMatchObject([{ user_id: id }]);
    await expectNowhere(app, id, SOMEBODY, 150);
  });

  test.runIf(onSqlite)('is in the log for as long as something reads what was there before', async () => {
    const { app, url, ann } = await start();
    const id = await live(app, SOMEBODY, OTHERS);
    const reader = new Sqlite(filePathOf(url) ?? '', { readonly: true });
    reader.exec('begin; select count(*) from users');
    const { headers } = await post(app, `/users/${id}/erase`, { username }, ann);
    await app.scrub();
    const held = await get(app, `${headers.location}`, ann);
    expect(pageOf(held).text).toContain('it is gone from the files once that ends');
    expect(found(bytesOf(url), TRIGRAMS)).toEqual(TRIGRAMS);
    reader.close();
    await app.scrub();
    expect(pageOf(await get(app, `${headers.location}`, ann)).text).toContain('Gone from every byte');
    expect(found(bytesOf(url), [...WORDS, ...TRIGRAMS])).toEqual([]);
  });

  test('is gone from every byte while others go on reading and writing', async () => {
    const { app, db, url, ann } = await start();
    const id = await live(app, SOMEBODY, OTHERS);
    let isOver = false;
    const others = Array.from({ length: 4 }, async (_, who) => {
      for (let count = 0; !isOver; count++) {
        await addUser(db, { username: `busy${who}x${count}`, full_name: `Busy ${count}` });
        await get(app, '/users?q=busy');
      }
    });
    await post(app, `/users/${id}/erase`, { username }, ann);
    await app.scrub();
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
        expect.stringMatching(
          /^The database file is written anew, once, as a part of this update, .* 8 s for a million users\.$/,
        ),
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
      await erase(db, id);
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
    await erase(db, id);
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
      await app.scrub();
      const before = await show();
      expect(before).toContain('npm run roster -- purge does that.');
      expect(before).toContain('PostgreSQL’s write-ahead log keeps what was written before until the server');
      expect(before).toContain('archives of it keep it for as long as they are kept');
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
