import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sql } from 'kysely';
import { describe, expect, inject, onTestFinished, test } from 'vitest';
import { commandLine } from '../../src/auth/actor.ts';
import { findAccessAfter, findCredentials, noteSignIn, setCode } from '../../src/auth/credentials.ts';
import { openSecret, sealSecret } from '../../src/auth/second-factor-secrets.ts';
import { loadKey } from '../../src/auth/secret-key.ts';
import { copyEverything } from '../../src/backup/database-copy.ts';
import { seedUsers } from '../../src/cli/seed.ts';
import { openDatabase, openToRead } from '../../src/db/database.ts';
import type { Db } from '../../src/db/schema.ts';
import { transact } from '../../src/db/transact.ts';
import { ledgerOf, readLedger } from '../../src/erasure/ledger.ts';
import { eraseAgain } from '../../src/erasure/ledger-replay.ts';
import { readIdentity } from '../../src/erasure/queries.ts';
import { findDeletedAfter } from '../../src/history/deleted-queries.ts';
import { KINDS } from '../../src/history/kinds.ts';
import { findChangeSetsAfter, findChangesAfter } from '../../src/history/queries.ts';
import { findRolesWithCode, requireCode } from '../../src/roles/queries.ts';
import { changeUser, deleteUser, restoreUser } from '../../src/users/commands.ts';
import { countByStatus } from '../../src/users/counts.ts';
import { parseList } from '../../src/users/list/address.ts';
import { resolveFilter } from '../../src/users/list/filter-result.ts';
import { backUp, erase, fill, keyPathOf, restore, usernamesIn, within } from '../backup/backed-up.ts';
import { runCommand } from '../command.ts';
import { tablesOf } from '../engines.ts';
import { addPerson, CODE_SECRET } from '../people.ts';
import { run } from '../roster.ts';
import {
  addUser,
  addUsers,
  expectLastSignIns,
  interrupted,
  readyUrl,
  SECRET_KEY,
  temporaryDatabase,
  temporaryFolder,
  temporaryUrl,
} from '../support.ts';

const KEYS = { from: SECRET_KEY, to: Buffer.alloc(32, 'another key') };

async function usersOf(db: Db) {
  return db.selectFrom('users').selectAll().orderBy('id').execute();
}

async function accessOf(db: Db, key: Buffer) {
  const { credentials, recoveryCodes } = await findAccessAfter(db, 0, 100);
  const secrets = credentials.map(
    ({ user_id, code_secret }) => code_secret && openSecret(key, user_id, code_secret),
  );
  expect(secrets).toEqual([CODE_SECRET, null]);
  const rest = credentials.map((row) => ({ ...row, code_secret: undefined }));
  return [rest, recoveryCodes, await findRolesWithCode(db)];
}

/** A database that has been used: users changed, deactivated and deleted, the last one among them. */
async function usedDatabase(url: string): Promise<Db> {
  const db = await temporaryDatabase(url);
  await seedUsers(db, 2_500);
  await addUsers(db, ['last']);
  await transact(db, async (trx) => {
    await changeUser(
      trx,
      commandLine,
      7,
      { full_name: "Ünï 👩‍👩‍👧 ' \\ $1", is_active: false },
      1_900_000_000_000,
    );
    await changeUser(trx, commandLine, 8, { full_name: null }, 0);
    for (const id of [1, 100, 2_501]) await deleteUser(trx, commandLine, id, 2);
    await requireCode(trx, 'editor', true);
  });
  const ann = await addPerson(db, 'ann', 'admin', {
    hasCode: true,
    recoveryHashes: ['a', 'B', 'c', '_', '-'],
  });
  await transact(db, (trx) => noteSignIn(trx, ann.id, 3));
  await addPerson(db, 'ed', 'editor');
  return db;
}

async function historyOf(db: Db) {
  return {
    sets: await findChangeSetsAfter(db, 0, 10_000),
    changes: await findChangesAfter(db, { user_id: 0, version: 0 }, 10_000),
    deleted: await findDeletedAfter(db, 0, 10_000),
  };
}

async function reading(url: string): Promise<Db> {
  const db = await openToRead(url);
  onTestFinished(() => db.destroy());
  return db;
}

describe.each([
  ['from SQLite', 'sqlite', undefined],
  ['to SQLite', undefined, 'sqlite'],
] as const)('copied %s', (_way, from, to) => {
  test('everything arrives as it was, and no number is given out again', async () => {
    const fromUrl = await readyUrl(from);
    const source = await usedDatabase(fromUrl);
    const target = await temporaryDatabase(await readyUrl(to));
    expect(await copyEverything(await reading(fromUrl), target, KEYS)).toBe(2_500);
    expect(await usersOf(target)).toEqual(await usersOf(source));
    expect(await accessOf(target, KEYS.to)).toEqual(await accessOf(source, KEYS.from));
    expect(await countByStatus(target)).toEqual(await countByStatus(source));
    await expectLastSignIns(target);
    const [kept, arrived] = [await historyOf(source), await historyOf(target)];
    // One more, of the copying itself.
    expect(arrived.sets.splice(-1)).toMatchObject([{ kind: KINDS.copied, users: 2_500 }]);
    expect(arrived).toEqual(kept);
    expect(kept.deleted.map(({ id }) => id)).toEqual([1, 100, 2_501]);
    const { user } = await transact(target, (trx) => restoreUser(trx, commandLine, 100, 3));
    expect(user).toMatchObject({ id: 100, version: 3 });
    expect(await addUser(target, { username: 'next' })).toMatchObject({ id: 2_504 });
    await expect(addUser(target, { username: 'Next', email: 'x@example.org' })).rejects.toThrow();
  });

  test('a target with users is refused and left as it was', async () => {
    const fromUrl = await readyUrl(from);
    await addUsers(await temporaryDatabase(fromUrl), ['alice']);
    const target = await temporaryDatabase(await readyUrl(to));
    await addUsers(target, ['bob']);
    const copying = copyEverything(await reading(fromUrl), target, KEYS);
    await expect(copying).rejects.toThrow('There are users in the target already');
    expect(await usersOf(target)).toMatchObject([{ username: 'bob' }]);
  });

  test('what is changed in the source meanwhile is not half there', async () => {
    const fromUrl = await readyUrl(from);
    const source = await temporaryDatabase(fromUrl);
    // Three times as many as are read at once.
    await seedUsers(source, 3_000);
    const target = await temporaryDatabase(await readyUrl(to));
    const changed = interrupted(
      await reading(fromUrl),
      ({ id }) => id === 1_500,
      () => transact(source, (trx) => deleteUser(trx, commandLine, 3_000, 2)),
    );
    await copyEverything(changed, target, KEYS);
    expect(await countByStatus(source)).not.toEqual(await countByStatus(target));
    expect((await usersOf(target)).length).toBe(3_000);
  });
});

test('every table is known to be copied, or why not', async () => {
  // Made anew as users arrive: the counts, the last sign-ins, the revision, the version, what searches go through, SQLite's own list of the last ids.
  // Left behind: sessions, invitations, tickets, guesses, drafts and kept answers, which are about one Roster, imports, whose files lie beside another database, and who is not in these, backups and checks of another database, heartbeats, and the fingerprint of its key. Empty: what fills free pages.
  const known =
    /^(absent_users|change_sets|changes|credentials|deleted_users|erasures|guesses|heartbeats|imports|invitations|jobs|kept_answers|last_sign_ins|made_up_people|maintenance_runs|recovery_codes|revisions|role_rules|roster_version|secrets|sessions|sqlite_sequence|tickets|used_drafts|user_counts|users|users_search_\d+_[a-z]+|zeros)$/;
  for (const table of await tablesOf(await temporaryDatabase())) expect(table).toMatch(known);
});

test('whoever was copied is found by a search', async () => {
  const fromUrl = await readyUrl('sqlite');
  await addUsers(await temporaryDatabase(fromUrl), ['alice', 'bob']);
  const target = await temporaryDatabase();
  await copyEverything(await reading(fromUrl), target, KEYS);
  const { total, ids } = await resolveFilter(target, parseList({ q: 'lic' }).list);
  expect([total.count, ids]).toEqual([1, [1]]);
});

test('what does not arrive as it was is noticed, and nothing is copied', async () => {
  const fromUrl = await readyUrl('sqlite');
  await addUsers(await temporaryDatabase(fromUrl), ['alice', 'bob']);
  const target = await temporaryDatabase();
  const garble = {
    sqlite: sql`create trigger garble after insert on users begin update users set full_name = 'x' where id = 2; end`,
    postgres: sql`create rule garble as on insert to users do also update users set full_name = 'x' where id = 2`,
  };
  await transact(target, (trx) => garble[inject('engine')].execute(trx));
  await expect(copyEverything(await reading(fromUrl), target, KEYS)).rejects.toThrow(
    'What arrived is not what was sent',
  );
  expect(await usersOf(target)).toEqual([]);
  expect(await countByStatus(target)).toEqual({ active: 0, inactive: 0 });
});

describe('npm run roster -- copy', () => {
  async function runCopy(...args: string[]) {
    const { out, error, code } = await runCommand(['copy', ...args], { PATH: '/usr/bin' });
    return { code, said: out + error };
  }

  // To PostgreSQL in `test/reliability/commands.test.ts`, at many moments.
  test.runIf(inject('engine') === 'sqlite')(
    'killed on the way leaves the target empty, and can be run again; the source is untouched',
    async () => {
      const path = join(temporaryFolder(), 'source.db');
      const source = await openDatabase(`sqlite:${path}`);
      await seedUsers(source, 60_000);
      await source.destroy();
      const before = readFileSync(path);
      const to = await temporaryUrl();

      const copying = run(['copy', '--from', `sqlite:${path}`, '--to', to], {});
      let progress = '';
      for await (const chunk of copying.stdout) {
        progress += chunk;
        if (progress.includes('50,000')) copying.kill('SIGKILL');
      }
      expect(progress).toMatch(/\n50,000 of 60,000 users copied, [\d.]+ s\n$/);
      const target = await temporaryDatabase(to);
      expect(await usersOf(target)).toEqual([]);

      const { code, said } = await runCopy('--from', `sqlite:${path}`, '--to', to);
      expect(said).toMatch(/All 60,000 users have arrived as they were\.\nAfterwards move .*\n$/);
      expect(said).toContain(`Afterwards move ${path} away, `);
      expect(code).toBe(0);
      expect((await countByStatus(target)).active).toBeGreaterThan(50_000);
      expect(readFileSync(path).equals(before)).toBe(true);
    },
  );

  test('seals second factors with the key of the target, from wherever either is', async () => {
    const [folder, from, to] = [temporaryFolder(), await readyUrl(), await temporaryUrl()];
    const [fromKey, toKey] = [join(folder, 'from.key'), join(folder, 'to.key')];
    const source = await temporaryDatabase(from);
    const ann = await addPerson(source, 'ann', 'admin');
    const { key } = await loadKey(source, fromKey);
    await transact(source, (trx) =>
      setCode(trx, ann.id, { sealed: sealSecret(key, ann.id, CODE_SECRET), step: 1, recoveryHashes: [] }),
    );
    const lost = await runCopy('--from', from, '--to', to, '--from-key', join(folder, 'no.key'));
    expect(lost).toMatchObject({ code: 1, said: expect.stringMatching(/no\.key is not there/) });
    const args = ['--from', from, '--to', to, '--from-key', fromKey, '--to-key', toKey];
    const { code, said } = await runCopy(...args);
    expect(code).toBe(0);
    expect(said).toMatch(/^To: \S+(, which is new)?\nIts key: \S+to\.key$/m);
    const target = await temporaryDatabase(to);
    const { code_secret } = (await findCredentials(target, ann.id)) ?? {};
    const opened = await loadKey(target, toKey);
    expect(opened.key).not.toEqual(key);
    expect(openSecret(opened.key, ann.id, code_secret ?? '')).toBe(CODE_SECRET);
  });

  test('brings along who was erased, by the name of the source, too', async () => {
    const [folder, from, to] = [temporaryFolder(), await readyUrl(), await temporaryUrl()];
    const [fromKey, toKey] = [join(folder, 'from.key'), join(folder, 'to.key')];
    const source = await temporaryDatabase(from);
    await addUsers(source, ['one', 'two']);
    await erase(source, 1);
    const { code } = await runCopy('--from', from, '--to', to, '--from-key', fromKey, '--to-key', toKey);
    expect(code).toBe(0);
    const target = await temporaryDatabase(to);
    await eraseAgain(target, ledgerOf(to, toKey));
    const erased = readLedger(ledgerOf(to, toKey)).flatMap(({ database, users }) =>
      users.map(({ user_id }) => [database, user_id]),
    );
    expect(erased).toEqual([
      [await readIdentity(source), 1],
      [await readIdentity(target), 1],
    ]);
    const again = await runCopy('--from', from, '--to', to, '--from-key', fromKey, '--to-key', toKey);
    expect(again.code).toBe(1);
  });

  // On a server nothing is restored over what is there.
  test.runIf(inject('engine') === 'sqlite')(
    'whoever is erased after a move is erased from a backup of before it, too',
    async () => {
      const [from, to] = [await readyUrl(), await temporaryUrl()];
      await fill(from);
      const file = await backUp(from, '--with-key');
      const keys = ['--from-key', keyPathOf(from), '--to-key', keyPathOf(to)];
      expect((await runCommand(['copy', '--from', from, '--to', to, ...keys], {})).code).toBe(0);
      await within(to, async (db) => {
        await erase(db, 3);
        await addUsers(db, ['later']);
        await eraseAgain(db, ledgerOf(to, ''));
      });
      expect((await restore(to, file, '--yes')).code).toBe(0);
      await within(to, async (db) => {
        expect(await usernamesIn(db)).toEqual(['ann', 'ed', 'bob', 'cem']);
        expect(await addUser(db, { username: 'next' })).toMatchObject({ id: 7 });
      });
    },
  );

  test('says in one sentence what it cannot do', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'list.txt'), 'milk, bread');
    const to = `sqlite:${join(folder, 'target.db')}`;
    const refusals: [string[], RegExp][] = [
      [[], /^Say from where to where: npm run roster -- copy --from .* --to .*\n$/],
      [['--from', to], /^Say from where to where/],
      [['--from', to, '--to', to, '--to-env', 'NEW_URL'], /^Say from where to where/],
      [
        ['--from', to, '--to-env', 'NEW_URL'],
        /^There is no environment variable of the name that --to-env gives\.\n$/,
      ],
      [['--from', to, '--to-env', 'PATH'], /^PATH must be sqlite: .*\n$/],
      [['--form', to], /^There is no option --form here\..*\n$/],
      [['--from', to, '--to', to], /^--from and --to are the same database\.\n$/],
      [['--from', `sqlite:${join(folder, 'no.db')}`, '--to', to], /^There is no file .*no\.db\.\n$/],
      [
        ['--from', `sqlite:${join(folder, 'list.txt')}`, '--to', to],
        /list\.txt is not a SQLite database.*\n$/,
      ],
      [['--from', to, '--to', 'mysql://me:secret@host/x'], /^--to must be sqlite: (?!.*secret).*\n$/],
    ];
    for (const [args, sentence] of refusals) {
      expect(await runCopy(...args)).toEqual({ code: 1, said: expect.stringMatching(sentence) });
    }
  });
});
