/** A Roster that is started with a copy of before: whoever was erased since is erased again, and it says so. */
import { once } from 'node:events';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, inject, onTestFinished, test } from 'vitest';
import { commandLine } from '../../src/auth/actor.ts';
import { filePathOf } from '../../src/database-url.ts';
import { openDatabase } from '../../src/db/database.ts';
import { transact } from '../../src/db/transact.ts';
import { ledgerOf, readLedger } from '../../src/erasure/ledger.ts';
import { findPending } from '../../src/erasure/queries.ts';
import { deleteUser } from '../../src/users/commands.ts';
import { findUser } from '../../src/users/queries.ts';
import { pageOf } from '../page.ts';
import { addPerson, signedIn } from '../people.ts';
import { startRoster } from '../roster.ts';
import { addUser, get, post, readyUrl, startApp, temporaryFolder } from '../support.ts';
import { bytesOf, bytesOfIndex, found, NAME, TRIGRAMS } from './byte-search.ts';

/** What erasing overwrites, the key, and the file of who was erased. */
const FILES = ['roster.db', 'roster.db-wal', 'roster.db-shm', 'secret.key', 'roster.db.erased.jsonl'];

test.runIf(inject('engine') === 'sqlite')(
  'a copy that is put back is erased from again at the start',
  async () => {
    const url = await readyUrl();
    const path = filePathOf(url) ?? '';
    const before = await openDatabase(url);
    const { id } = await addUser(before, { username: 'ada', full_name: NAME });
    const ann = await addPerson(before, 'ann', 'admin');
    expect(found(bytesOfIndex(url), TRIGRAMS)).toEqual(TRIGRAMS);
    await before.destroy();
    const copy = readFileSync(path);

    const db = await openDatabase(url);
    const app = await startApp({}, db);
    app.ledger = ledgerOf(url, '');
    const headers = await signedIn(app, ann);
    await transact(db, (trx) => deleteUser(trx, commandLine, id, Date.now()));
    await post(app, `/users/${id}/erase`, { username: 'ada' }, headers);
    await app.scrub();
    const shown = async () => pageOf(await get(app, `/users/${id}`, headers)).text;
    expect(await shown()).toContain('Gone from every byte');
    await db.destroy();

    writeFileSync(path, copy);
    const roster = await startRoster({ DATABASE_URL: url });
    const again = await openDatabase(url);
    onTestFinished(() => again.destroy());
    await expect.poll(() => findPending(again)).toEqual([]);
    roster.child.kill('SIGTERM');
    await once(roster.child, 'exit');
    expect(await roster.stderr).toContain('1 user who was erased since is erased from it again');
    expect(await findUser(again, id)).toBeUndefined();
    expect(found(bytesOf(url), TRIGRAMS)).toEqual([]);
    // Another file beside the database might keep somebody: erasing has to know of it.
    expect(readdirSync(dirname(path)).filter((name) => !FILES.includes(name))).toEqual([]);
  },
);

test('a Roster notes the last number that was given when it starts, and when it is stopped', async () => {
  const url = await readyUrl();
  const db = await openDatabase(url, { connections: 2 });
  onTestFinished(() => db.destroy());
  await addUser(db, { username: 'ada' });
  const settings = { DATABASE_URL: url, SECRET_KEY_FILE: join(temporaryFolder(), 'secret.key') };
  // There may be a line more, where another number than the users' was given meanwhile.
  const noted = () => readLedger(ledgerOf(url, settings.SECRET_KEY_FILE)).at(-1);
  const { child } = await startRoster(settings);
  expect(noted()).toMatchObject({ lastId: 1, others: { change_sets: 1 } });
  await addUser(db, { username: 'bob' });
  child.kill('SIGTERM');
  await once(child, 'exit');
  expect(noted()).toMatchObject({ lastId: 2, others: { change_sets: 2 } });
});

test('with PostgreSQL each database has a file of its own beside the key', () => {
  const key = '/srv/secret.key';
  expect(ledgerOf('postgres://me:word@db.example.org/roster', key)).toBe(
    '/srv/secret.key.db.example.org-5432-roster.erased.jsonl',
  );
  expect(ledgerOf('postgres://me@[::1]:5433/a%2Fb', key)).toBe('/srv/secret.key._1_-5433-a_2Fb.erased.jsonl');
  expect(ledgerOf('sqlite:/srv/roster.db', key)).toBe('/srv/roster.db.erased.jsonl');
});
