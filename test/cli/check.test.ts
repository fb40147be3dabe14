/** The command that looks for what is wrong: what it says, with which code it ends, and what is noted of it. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { writeKey } from '../../src/auth/key-file.ts';
import { fingerprintOf } from '../../src/auth/key-rotation.ts';
import { loadKey } from '../../src/auth/secret-key.ts';
import type { Check } from '../../src/check/finding.ts';
import { CHECKS } from '../../src/check/run.ts';
import { seedUsers } from '../../src/cli/seed.ts';
import { transact } from '../../src/db/transact.ts';
import { addToCounts } from '../../src/db/user-counts.ts';
import { appendToLedger, ledgerOf } from '../../src/erasure/ledger.ts';
import { readIdentity } from '../../src/erasure/queries.ts';
import { StartError } from '../../src/errors.ts';
import { findFinding, findLastRun } from '../../src/maintenance/queries.ts';
import { within } from '../backup/backed-up.ts';
import { runCommand } from '../command.ts';
import { readyUrl, temporaryDatabase, temporaryFolder, temporaryUrl } from '../support.ts';

async function start() {
  const url = await readyUrl();
  const db = await temporaryDatabase(url);
  await seedUsers(db, 300);
  const settings = { DATABASE_URL: url, SECRET_KEY_FILE: join(temporaryFolder(), 'secret.key') };
  return { db, settings };
}

test('a clean database: that nothing is wrong, what was looked at, and a note of it', async () => {
  const { db, settings } = await start();
  const { out, error, code } = await runCommand(['check'], settings);
  expect({ error, code }).toEqual({ error: '', code: 0 });
  expect(out).toMatch(
    /\nNothing is wrong\.\nLooked at, with 300 users, in \d+ s: the files of the database; .*; searches\.\n/,
  );
  expect(out).toMatch(
    /\nThe files were looked at by .*\.\nSearches were looked at by (comparing|asking) .*\.\n$/,
  );
  expect(out).not.toContain('Left out');
  expect(await findLastRun(db, 'check')).toMatchObject({
    outcome: 'good',
    users: 300,
    problem: null,
    is_quick: false,
  });
});

test('a quick one says what it has left out', async () => {
  const { db, settings } = await start();
  const { out, code } = await runCommand(['check', '--quick'], settings);
  expect(code).toBe(0);
  expect(await findLastRun(db, 'check')).toMatchObject({ outcome: 'good', is_quick: true });
  expect(out).toContain('Left out for being quick: change sets; users and their history; searches.\n');
});

test('what is wrong, what to do, exit code 1, and a note of it', async () => {
  const { db, settings } = await start();
  await transact(db, (trx) => addToCounts(trx, [{ is_active: true, role: 'editor', count: 2 }]));
  const { out, code } = await runCommand(['check'], settings);
  const what = 'There are 0 active editors, and the total says 2.';
  expect(out).toContain(`\n${what}\n  Have it made anew: npm run roster -- rebuild-search.\n`);
  expect(out).toContain('\n1 found.\n');
  expect(code).toBe(1);
  expect(await findLastRun(db, 'check')).toMatchObject({
    outcome: 'bad',
    problem: `1 found, the first: ${what}`,
  });
});

test.each([
  ['is not there', undefined],
  ['holds another key', Buffer.alloc(32, 'another')],
])('a key without which Roster does not start is found where its file %s', async (why, other) => {
  const { db, settings } = await start();
  const path = settings.SECRET_KEY_FILE;
  const { master } = await loadKey(db, path);
  rmSync(path);
  if (other) writeKey(path, other);
  const { out, code } = await runCommand(['check', '--quick'], settings);
  expect(out).toContain(
    `the key ${fingerprintOf(master)}, and ${path} ${why}.\n  Roster does not start like this. Put the file`,
  );
  expect(out).toContain('\n1 found.\n');
  expect(code).toBe(1);
});

test('a file of the key that holds none is found, and all else is looked at', async () => {
  const { db, settings } = await start();
  await loadKey(db, settings.SECRET_KEY_FILE);
  writeFileSync(settings.SECRET_KEY_FILE, 'no key');
  const { out, code } = await runCommand(['check', '--quick'], settings);
  expect(out).toMatch(
    /secret\.key holds no key of Roster's;.*\n {2}Roster does not start before .*\n\n1 found\.\n/,
  );
  expect(code).toBe(1);
});

test('who was erased before the database was put back is found by the file that says so', async () => {
  const { db, settings } = await start();
  const database = await readIdentity(db);
  const { created_at } = await db
    .selectFrom('users')
    .select('created_at')
    .where('id', '=', 7)
    .executeTakeFirstOrThrow();
  appendToLedger(ledgerOf(settings.DATABASE_URL, settings.SECRET_KEY_FILE), {
    database,
    lastId: 900,
    users: [{ user_id: 7, created_at, erased_at: 1, erased_by: null }],
  });
  const { out } = await runCommand(['check'], settings);
  expect(out).toContain(
    'The next user would get the number 301, and 900 was given already.\n  Start Roster with it',
  );
  expect(out).toContain('User 7 was erased, and is in this database again, which was put back since.\n');
});

test.each([
  ['cannot be read', 'no entry', 'cannot be read: '],
  [
    'is of another database',
    JSON.stringify({
      database: 'another',
      lastId: 7,
      users: [{ user_id: 7, created_at: 1, erased_at: 1, erased_by: null }],
    }),
    'says who was erased from another database',
  ],
])(
  'a list of who was erased that %s is told, with what to do, and all else is looked at',
  async (_, line, what) => {
    const { db, settings } = await start();
    await transact(db, (trx) => addToCounts(trx, [{ is_active: true, role: 'editor', count: 2 }]));
    writeFileSync(ledgerOf(settings.DATABASE_URL, settings.SECRET_KEY_FILE), `${line}\n`);
    const { out, code } = await runCommand(['check', '--quick'], settings);
    expect(out).toContain(what);
    expect(out).toContain('\n  Roster does not start with it: put that file back as it was, or ');
    expect(out).toContain('There are 0 active editors, and the total says 2.');
    expect(out).toContain('\n2 found.\n');
    expect(code).toBe(1);
  },
);

test('a backup is looked at by its name, and is not changed by that', async () => {
  const { settings } = await start();
  const file = join(temporaryFolder(), 'kept.db');
  expect((await runCommand(['backup', file], settings)).code).toBe(0);
  expect((await runCommand(['check', file], {})).code).toBe(0);
  await within(`sqlite:${file}`, (db) =>
    transact(db, (trx) => addToCounts(trx, [{ is_active: true, role: 'editor', count: 2 }])),
  );
  const before = readFileSync(file);
  const { out, code } = await runCommand(['check', file], {});
  expect(out).toContain(`Backup: ${file}\n`);
  expect(out).toContain('There are 0 active editors, and the total says 2.');
  expect(out).toContain('\n1 found.\n');
  expect(code).toBe(1);
  expect(readFileSync(file).equals(before)).toBe(true);
  const none = await runCommand(['check', `${file}.gone`], {});
  expect(none).toMatchObject({ code: 2, error: expect.stringContaining(`${file}.gone`) });
});

test('one that could not look has found nothing: why is noted, and what was found before holds', async () => {
  const { db, settings } = await start();
  await transact(db, (trx) => addToCounts(trx, [{ is_active: true, role: 'editor', count: 2 }]));
  await runCommand(['check'], settings);
  const look = vi.spyOn(CHECKS[0] as Check, 'find').mockImplementation(() => {
    throw new StartError('The database cannot be read: it is gone.');
  });
  const { code } = await runCommand(['check'], settings);
  look.mockRestore();
  expect(code).toBe(2);
  expect(await findLastRun(db, 'check')).toMatchObject({
    outcome: null,
    ended_at: expect.any(Number),
    problem: expect.stringMatching(/^It could not be done: .*cannot be read: .*[^.]\.$/),
  });
  expect(await findFinding(db)).toMatchObject({ problem: expect.stringContaining('the total says 2') });
});

test('what cannot be looked at: a sentence, and exit code 2', async () => {
  const nothing = await runCommand(['check'], { DATABASE_URL: await temporaryUrl() });
  expect(nothing.code).toBe(2);
  expect(nothing.error).not.toBe('');
  const { settings } = await start();
  const { error, code } = await runCommand(['check', 'all', 'of it'], settings);
  expect({ error, code }).toEqual({
    error: 'Say no more than: npm run roster -- check, or check --quick; or which backup: check FILE\n',
    code: 2,
  });
});
