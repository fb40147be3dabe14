/** `npm run roster -- restore`, whatever it is restored to: what comes back, and what does not. */
import { once } from 'node:events';
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { describe, expect, inject, test, vi } from 'vitest';
import { commandLine } from '../../src/auth/actor.ts';
import { hasAdministrator } from '../../src/auth/administrators.ts';
import { findCredentials } from '../../src/auth/credentials.ts';
import { makeKeyFile, readKeyFile, writeKey } from '../../src/auth/key-file.ts';
import { isPassword } from '../../src/auth/password-hashing.ts';
import { GIVEN_UP, openSecret } from '../../src/auth/second-factor-secrets.ts';
import { loadKey, readFingerprint } from '../../src/auth/secret-key.ts';
import { insertSession } from '../../src/auth/sessions.ts';
import { readDatabaseUrl } from '../../src/config.ts';
import { filePathOf } from '../../src/database-url.ts';
import { engineOf } from '../../src/db/engine.ts';
import type { Db } from '../../src/db/schema.ts';
import { transact } from '../../src/db/transact.ts';
import { appendToLedger, ledgerOf, readLedger } from '../../src/erasure/ledger.ts';
import { findPending, readIdentity } from '../../src/erasure/queries.ts';
import { KINDS } from '../../src/history/kinds.ts';
import { beginSet } from '../../src/history/record.ts';
import { makeFolder } from '../../src/imports/folder.ts';
import { findImport, insertImport } from '../../src/imports/queries.ts';
import { paramsOf } from '../../src/imports/take-back.ts';
import { insertInvitation } from '../../src/invitations/queries.ts';
import { insertJob } from '../../src/jobs/queries.ts';
import { time } from '../../src/lib/formats.ts';
import { beginRun, findLastRun, findRuns } from '../../src/maintenance/queries.ts';
import { changeUser, createUser, deleteUser } from '../../src/users/commands.ts';
import { findUser } from '../../src/users/queries.ts';
import {
  backUp,
  backUpInto,
  erase,
  faultsIn,
  fill,
  keyPathOf,
  restore,
  usernamesIn,
  within,
} from '../backup/backed-up.ts';
import { runCommand } from '../command.ts';
import { restoreVersion } from '../db/versions/restore.ts';
import { bytesOf, filesOfPostgres, found, NAME, TRIGRAMS } from '../erasure/byte-search.ts';
import { pageOf } from '../page.ts';
import { CODE_SECRET, PASSWORD } from '../people.ts';
import { isLacking } from '../requirements.ts';
import { startRoster } from '../roster.ts';
import {
  addUser,
  addUsers,
  expectLastSignIns,
  get,
  readyUrl,
  startApp,
  temporaryDatabase,
  temporaryFolder,
  temporaryUrl,
} from '../support.ts';
import { HAS_SCRIPT, runAtTerminal } from '../terminal.ts';

const isServer = inject('engine') === 'postgres';
const THEN = ['ann', 'ed', 'ada', 'bob', 'cem'];

/** A database of the engine under test, and its backup. */
async function backedUp(
  prepare: (db: Db, url: string) => Promise<unknown> = async () => {},
  ...args: string[]
) {
  const url = await readyUrl();
  await fill(url);
  await within(url, (db) => prepare(db, url));
  return { url, file: await backUp(url, ...args) };
}

/** Where there is nothing yet, with the same key, as on the same machine. */
async function elsewhere(url: string): Promise<string> {
  const target = await temporaryUrl();
  mkdirSync(dirname(keyPathOf(target)), { recursive: true });
  copyFileSync(keyPathOf(url), keyPathOf(target));
  return target;
}

async function count(
  db: Db,
  table: 'sessions' | 'invitations' | 'credentials' | 'recovery_codes',
): Promise<number> {
  return (await db.selectFrom(table).select('user_id').execute()).length;
}

async function secretOf(url: string): Promise<string | undefined> {
  return within(url, async (db) => {
    const stored = (await findCredentials(db, 2))?.code_secret ?? '';
    return stored === GIVEN_UP ? stored : openSecret((await loadKey(db, keyPathOf(url))).key, 2, stored);
  });
}

test('everything is as it was, nobody is signed in, and the history says so', async () => {
  const { url, file } = await backedUp(async (db) => {
    const where = { address: '192.0.2.7', browser: 'Firefox' };
    await transact(db, async (trx) => {
      await insertSession(trx, { token: 'token', user_id: 1, ...where }, Date.now());
      await insertInvitation(trx, 3, 'link', Date.now());
    });
  });
  rmSync(join(dirname(file), 'erased.jsonl'));
  const target = await elsewhere(url);
  const { out, code } = await restore(target, file, '--yes');
  expect(out).toContain('Restored: 5 users.');
  expect(out).toContain('No list of the erased (erased.jsonl) was found:');
  expect(out).toContain(
    'Everyone signs in again, with the password of then; access links of then do not work any more.',
  );
  expect(code).toBe(0);
  await within(target, async (db) => {
    expect(await usernamesIn(db)).toEqual(THEN);
    expect([await count(db, 'sessions'), await count(db, 'invitations')]).toEqual([0, 0]);
    expect(await isPassword(PASSWORD, (await findCredentials(db, 1))?.password_hash)).toBe(true);
    await expectLastSignIns(db);
    const last = await db
      .selectFrom('change_sets')
      .selectAll()
      .orderBy('id', 'desc')
      .limit(1)
      .executeTakeFirst();
    expect(last).toMatchObject({
      kind: KINDS['put back'],
      detail: expect.stringMatching(/^of \d+ \w+ 20\d\d, /),
    });
  });
  expect(await secretOf(target)).toBe(CODE_SECRET);
  expect(await faultsIn(target)).toEqual([]);
  const app = await startApp({}, await temporaryDatabase(target));
  const { text } = pageOf(await get(app, '/sign-in'));
  expect(text).toContain('Sign in');
});

test('without access there are the same users, and nobody who can sign in', async () => {
  const { url, file } = await backedUp();
  const target = await elsewhere(url);
  const { out, code } = await restore(target, file, '--yes', '--without-access');
  expect(out).toContain(
    'Nobody can sign in. Make an administrator before you start Roster: npm run roster -- admin ',
  );
  expect(code).toBe(0);
  await within(target, async (db) => {
    expect(await usernamesIn(db)).toEqual(THEN);
    expect([await count(db, 'credentials'), await count(db, 'recovery_codes')]).toEqual([0, 0]);
    expect(await hasAdministrator(db)).toBe(false);
    await expectLastSignIns(db);
  });
  const made = await runCommand(['admin', 'ann'], { DATABASE_URL: target }, `${PASSWORD}\n`);
  expect(made.code).toBe(0);
  expect(await faultsIn(target)).toEqual([]);
});

test('backups and checks of before are forgotten, so that Roster makes the next one at once', async () => {
  const { url, file } = await backedUp((db) => transact(db, (trx) => beginRun(trx, 'backup', Date.now())));
  const target = await elsewhere(url);
  expect((await restore(target, file, '--yes')).code).toBe(0);
  expect(await within(target, (db) => findRuns(db, 'backup'))).toEqual([]);
});

test('a backup says by itself when it was made, whatever it is called', async () => {
  const { url, file } = await backedUp();
  const target = await elsewhere(url);
  const begun = await within(url, (db) => findLastRun(db, 'backup'));
  const other = join(dirname(file), 'of may.db');
  copyFileSync(file, other);
  const { out } = await restore(target, other, '--yes');
  const at = time(Number(begun?.begun_at));
  expect(out).toMatch(new RegExp(`^made +${at}`, 'm'));
  const last = await within(target, (db) =>
    db.selectFrom('change_sets').select('detail').orderBy('id', 'desc').limit(1).executeTakeFirst(),
  );
  expect(last?.detail).toBe(`of ${at}`);
});

test('a name says when a file was put aside, or kept before an update', async () => {
  const { url, file } = await backedUp();
  const target = await elsewhere(url);
  const named = async (ending: string) => {
    const other = `${file}${ending}`;
    copyFileSync(file, other);
    return (await restore(target, other)).out;
  };
  expect(await named('.before-restore-2026-11-29T03-00-00Z')).toMatch(
    /^put aside +29 November 2026, 03:00 UTC$/m,
  );
  expect(await named('.before-version-19')).toMatch(
    /^This is a kept file of version (\d+): restoring brings it to \1\. To go back to the older Roster, rename it instead\.$/m,
  );
});

describe('the key', () => {
  test('comes from beside the backup where there is none', async () => {
    const { url, file } = await backedUp(undefined, '--with-key');
    const target = await temporaryUrl();
    const { out, code } = await restore(target, file, '--yes');
    expect(out).toContain(`The secret key comes with it, from ${file}.key.`);
    expect(code).toBe(0);
    expect(readFileSync(keyPathOf(target))).toEqual(readFileSync(keyPathOf(url)));
    expect(await secretOf(target)).toBe(CODE_SECRET);
  });

  test('that is there already stays, and second factors are sealed anew with it', async () => {
    const { url, file } = await backedUp(undefined, '--with-key');
    const target = await temporaryUrl();
    const own = makeKeyFile(keyPathOf(target));
    const { out, code } = await restore(target, file, '--yes');
    expect(out).toContain('Second factors are sealed anew, with the key in ');
    expect(code).toBe(0);
    expect(readKeyFile(keyPathOf(target))).toEqual(own);
    expect(readKeyFile(keyPathOf(url))).not.toEqual(own);
    expect(await secretOf(target)).toBe(CODE_SECRET);
  });

  test('that is lost is missed before anything is done, and can be given up afterwards', async () => {
    const { url, file } = await backedUp();
    const target = await temporaryUrl();
    const fingerprint = await within(url, readFingerprint);
    const asked = await restore(target, file);
    expect(asked.out + asked.error).toContain(
      `The secret of 1 second factor is sealed with the key ${fingerprint}, and there is no ${keyPathOf(target)}.`,
    );
    expect(asked.code).toBe(2);
    const { code, out, error } = await restore(target, file, '--yes');
    if (isServer) {
      expect(error).toMatch(/Put the file with it there, .* add --give-up-key: .* Nothing was changed\.\n$/);
      expect(code).toBe(2);
      expect(existsSync(keyPathOf(target))).toBe(false);
      expect((await restore(target, file, '--yes', '--give-up-key')).code).toBe(0);
    } else {
      expect(code).toBe(1);
      expect(asked.out).toContain('restore with --give-up-key, or give it up afterwards: ');
      expect(out).toContain(
        `Roster does not start yet: put the secret.key with the fingerprint ${fingerprint} at ${keyPathOf(target)}; if it is lost for good: npm run roster -- give-up-key ${fingerprint}. Everyone signs in again`,
      );
      const started = await runCommand(['change-key'], { DATABASE_URL: target });
      expect(started.error).toContain(`npm run roster -- give-up-key ${fingerprint}`);
      const given = await runCommand(['give-up-key', String(fingerprint)], { DATABASE_URL: target });
      expect(given.code).toBe(0);
    }
    expect(await secretOf(target)).toBe(GIVEN_UP);
    expect(await within(target, usernamesIn)).toEqual(THEN);
  });

  test('that is lost can be given up at once', async () => {
    const { url, file } = await backedUp();
    const target = await temporaryUrl();
    const fingerprint = await within(url, readFingerprint);
    const { out, code } = await restore(target, file, '--yes', '--give-up-key');
    expect(out).toContain(`Given up with the key ${fingerprint}: 1 second factor.`);
    expect(code).toBe(0);
    // The first start makes another key.
    await within(target, (db) => loadKey(db, keyPathOf(target)));
    expect(await secretOf(target)).toBe(GIVEN_UP);
    expect(await within(target, usernamesIn)).toEqual(THEN);
    expect(await faultsIn(target)).toEqual([]);
  });

  test('that is lost does not matter where nothing was sealed with it', async () => {
    const { file } = await backedUp();
    const target = await temporaryUrl();
    const { out, code } = await restore(target, file, '--yes', '--without-access');
    expect(out).toContain('nothing was sealed with it: Roster takes another one.');
    expect(code).toBe(0);
    await within(target, (db) => loadKey(db, keyPathOf(target)));
  });

  test('of another database beside the backup is not taken', async () => {
    const { file } = await backedUp();
    writeKey(`${file}.key`, Buffer.alloc(32, 'another'));
    const target = await temporaryUrl();
    expect((await restore(target, file, '--yes')).code).toBe(isServer ? 2 : 1);
  });
});

describe.skipIf(isServer || isLacking(HAS_SCRIPT))('at a terminal it is asked first', () => {
  async function answered(answer: string) {
    const { url, file } = await backedUp();
    await within(url, (db) => addUsers(db, ['late']));
    const settings = { DATABASE_URL: url };
    const { out, code } = await runAtTerminal(['restore', file], settings, 'Restore it? [y/N] ', answer);
    expect(out).toContain('Lost would be what was done since: 1 change.');
    return { out, code, found: await within(url, usernamesIn) };
  }

  test('and done after a yes', async () => {
    const { out, code, found } = await answered('yes');
    expect(out).toContain('Restored: 5 users.');
    expect({ code, found }).toEqual({ code: 0, found: THEN });
  });

  test.each(['no', ''])('and not after %o', async (answer) => {
    const { out, code, found } = await answered(answer);
    expect(out).toContain('Nothing is changed.');
    expect({ code, found }).toEqual({ code: 2, found: [...THEN, 'late'] });
  });
});

test('who was erased since is erased again, and their number is not given again', async () => {
  const { url, file } = await backedUp();
  const later = await within(url, async (db) => {
    await addUsers(db, ['dan']);
    await erase(db, 3);
    await erase(db, 6);
    return db;
  }).then(() => backUp(url));
  copyFileSync(join(dirname(later), 'erased.jsonl'), join(dirname(file), 'erased.jsonl'));
  const target = await elsewhere(url);
  const { out } = await restore(target, file, '--yes');
  expect(out).toContain('Of those in it 2 had been erased since');
  expect(out).toContain('Restored: 4 users.');
  expect(out).not.toContain('No list of the erased');
  await within(target, async (db) => {
    expect(await usernamesIn(db)).toEqual(['ann', 'ed', 'bob', 'cem']);
    expect(
      (await db.selectFrom('erasures').select('user_id').orderBy('user_id').execute()).map(
        (row) => row.user_id,
      ),
    ).toEqual([3, 6]);
    expect(await engineOf(db).readLastId(db)).toBe(6);
  });
  expect(readFileSync(ledgerOf(target, keyPathOf(target)), 'utf8')).toMatch(/"user_id":3.*"user_id":6/s);
  expect(await faultsIn(target)).toEqual([]);
});

test('who was erased since is in no byte of what a Roster serves that is started after a backup of before was restored', async () => {
  const words = ['zzrestoredone', 'zzrestoredtwo', NAME];
  const { url, file } = await backedUp(async (db) => {
    for (let index = 0; index < 300; index++) await addUser(db, { username: `other${index}` });
    const { id } = await addUser(db, { username: 'zzrestoredone', full_name: NAME });
    const email = 'zzrestoredone@zzrestoredtwo.example';
    await transact(db, (trx) => changeUser(trx, commandLine, id, { email }, Date.now()));
  });
  const { id } = await within(url, async (db) => {
    const named = db.selectFrom('users').select('id').where('username', '=', 'zzrestoredone');
    const gone = await named.executeTakeFirstOrThrow();
    await erase(db, gone.id);
    return gone;
  });
  await backUpInto(dirname(file), url);
  const target = await elsewhere(url);
  expect((await restore(target, file, '--yes')).out).toContain('Of those in it 1 had been erased since');
  const { child } = await startRoster({ DATABASE_URL: target, LOG_LEVEL: 'silent' });
  const pending = () => within(target, findPending);
  if (!isServer) await expect.poll(pending).toEqual([]);
  child.kill('SIGTERM');
  await once(child, 'exit');
  if (isServer) {
    // Of a server's files that is a command's to do.
    expect(await pending()).toMatchObject([{ user_id: id }]);
    expect((await runCommand(['purge'], { DATABASE_URL: target })).code).toBe(0);
    expect(await pending()).toEqual([]);
    expect(found(await within(target, filesOfPostgres), words)).toEqual([]);
  } else expect(found(bytesOf(target), [...words, ...TRIGRAMS])).toEqual([]);
});

test('from an older one of a folder nobody is given a number that was given since', async () => {
  const { url, file } = await backedUp();
  await within(url, async (db) => {
    await addUsers(db, ['dan', 'eve']);
    await transact(db, (trx) => deleteUser(trx, commandLine, 7, Date.now()));
  });
  const lastSet = (db: Db) => engineOf(db).readLastId(db, 'change_sets');
  const last = await within(url, lastSet);
  await backUpInto(dirname(file), url);
  const target = await elsewhere(url);
  expect((await restore(target, file, '--yes')).code).toBe(0);
  await within(target, async (db) => {
    expect(await usernamesIn(db)).toEqual(THEN);
    // That it was put back is a change as well.
    expect(await lastSet(db)).toBe(last + 1);
    expect(await addUser(db, { username: 'next' })).toMatchObject({ id: 8 });
  });
});

test('a number that is known beside the backup alone is known beside the database then', async () => {
  const { url, file } = await backedUp();
  const database = await within(url, readIdentity);
  appendToLedger(join(dirname(file), 'erased.jsonl'), { database, lastId: 90, users: [] });
  const target = await elsewhere(url);
  await restore(target, file, '--yes');
  const known = readLedger(ledgerOf(target, keyPathOf(target))).map(({ lastId }) => lastId);
  expect(Math.max(...known)).toBe(90);
});

test.runIf(!isServer)(
  'a backup of before databases had an identity is known by its people, whoever was erased since or not',
  async () => {
    vi.spyOn(console, 'log').mockImplementation(() => {});
    const url = await restoreVersion(2);
    const file = join(temporaryFolder(), 'old.db');
    copyFileSync(filePathOf(url) ?? '', file);
    const identity = await within(url, readIdentity);
    expect((await restore(url, file, '--yes')).out).not.toContain('another database');
    expect(await within(url, readIdentity)).toBe(identity);
    await within(url, (db) => erase(db, 3));
    const { out } = await restore(url, file, '--yes');
    expect(out).toContain('Of those in it 1 had been erased since');
    await within(url, async (db) => {
      expect(await findUser(db, 3)).toBeUndefined();
      expect(await findUser(db, 2)).toBeDefined();
    });
    // Where nothing but the list is left.
    const target = await temporaryUrl();
    copyFileSync(ledgerOf(url, keyPathOf(url)), `${file}.erased.jsonl`);
    expect((await restore(target, file, '--yes')).out).toContain('Of those in it 1 had been erased since');
    expect(await within(target, readIdentity)).toBe(identity);
    // Somebody else who has the number was not erased.
    const other = new Sqlite(file);
    other.exec('update users set created_at = created_at + 1');
    other.close();
    expect((await restore(await temporaryUrl(), file, '--yes')).out).not.toContain('had been erased since');
  },
);

describe('what was under way', () => {
  async function halfDone(db: Db) {
    await transact(db, async (trx) => {
      const now = Date.now();
      for (const kind of ['bulk', 'undo']) {
        const set_id = await beginSet(trx, commandLine, { at: now, kind: 'changed' });
        await insertJob(trx, {
          kind,
          set_id,
          actor_id: 1,
          params: '{}',
          total: 5,
          lease_owner: 'gone',
          leased_until: now + 9_000,
        });
      }
    });
  }

  test('is stopped, so that somebody decides whether it goes on', async () => {
    const { url, file } = await backedUp(halfDone);
    const target = await elsewhere(url);
    const { out, code } = await restore(target, file, '--yes');
    expect(out).toContain('What was under way in it (2) is stopped: the history offers to go on with it.');
    expect(code).toBe(0);
    await within(target, async (db) => {
      const jobs = await db.selectFrom('jobs').select(['state', 'lease_owner']).execute();
      expect(jobs).toEqual([
        { state: 'stopped', lease_owner: null },
        { state: 'stopped', lease_owner: null },
      ]);
    });
  });

  async function importing(db: Db, folder: { id: string; host: string }) {
    const ids: number[] = [];
    await transact(db, async (trx) => {
      const common = {
        created_at: 1,
        touched_at: 1,
        actor_id: 1,
        is_by_command: false,
        folder: folder.id,
        host: folder.host,
        file_name: 'users.csv',
        size: 10,
        choices: '{}',
        judged: 1,
        leased_until: 0,
        failures: 0,
      };
      ids.push(await insertImport(trx, { ...common, file: 'one', state: 'checked' }));
      const set_id = await beginSet(trx, commandLine, { at: 1, kind: 'imported', detail: '2 0' });
      const created = { email: 'x@example.org', full_name: null, is_active: true, role: 'member' as const };
      const changeSet = { id: set_id, at: 1, kind: KINDS.imported, subject_id: null };
      await createUser(trx, { ...commandLine, changeSet }, { username: 'half', ...created }, Date.now());
      await trx.updateTable('change_sets').set({ users: 1 }).where('id', '=', set_id).execute();
      ids.push(await insertImport(trx, { ...common, file: 'two', state: 'applying', set_id }));
      await insertJob(trx, {
        kind: `import ${folder.id}`,
        set_id,
        actor_id: 1,
        params: paramsOf(ids[1] as number),
        total: 2,
        cursor: 1,
        done: 1,
      });
    });
    return ids;
  }

  test.runIf(!isServer)(
    'of imports ends where their files are gone: what was half applied is taken back',
    async () => {
      let ids: number[] = [];
      const { url, file } = await backedUp(async (db) => {
        ids = await importing(db, makeFolder(join(temporaryFolder(), 'imports')));
      });
      const target = await elsewhere(url);
      expect((await restore(target, file, '--yes')).code).toBe(0);
      await within(target, async (db) => {
        const [one, two] = await Promise.all(ids.map((id) => findImport(db, id)));
        const without = 'A backup was put back in which nothing of it is applied.';
        const amid = 'A backup was put back that was made while it was applied.';
        expect(one).toMatchObject({ state: 'discarded', problem: without });
        expect(two).toMatchObject({ state: 'taken back', problem: amid });
        const running = await db.selectFrom('jobs').select('kind').where('state', '=', 'running').execute();
        expect(running).toEqual([{ kind: 'take back' }]);
      });
    },
  );

  test.runIf(!isServer)('of imports goes on where their files are there', async () => {
    let ids: number[] = [];
    const { url, file } = await backedUp(async (db, own) => {
      const folder = makeFolder(`${own.slice('sqlite:'.length)}.imports`);
      ids = await importing(db, folder);
      writeFileSync(join(folder.path, 'one.csv'), 'username');
      writeFileSync(join(folder.path, 'two.stage'), '');
    });
    expect((await restore(url, file, '--yes')).code).toBe(0);
    await within(url, async (db) => {
      const states = await Promise.all(ids.map(async (id) => (await findImport(db, id))?.state));
      expect(states).toEqual(['checked', 'applying']);
    });
  });
});

test.runIf(isServer)('what holds something is left as it is', async () => {
  const { url, file } = await backedUp();
  const { error, code } = await restore(url, file, '--yes');
  expect(error).toMatch(
    /^postgres:\S+ holds users already, or did: make another, empty database, and set DATABASE_URL to that\./,
  );
  expect(code).toBe(2);
  expect(await within(url, usernamesIn)).toEqual(THEN);
});

test.runIf(isServer)('a backup of a file is restored to a server', async () => {
  const from = await readyUrl('sqlite');
  await fill(from);
  const file = await backUp(from, '--with-key');
  const to = readDatabaseUrl('TO', await temporaryUrl());
  const { out, code } = await restore(to, file, '--yes');
  expect(out).toContain('Nothing is there that would be lost.');
  expect(code).toBe(0);
  expect(await within(to, usernamesIn)).toEqual(THEN);
  expect(await secretOf(to)).toBe(CODE_SECRET);
  expect(await faultsIn(to)).toEqual([]);
  // A copy of everybody lies nowhere afterwards.
  expect(existsSync(`${file}.restoring`)).toBe(false);
  rmSync(file);
});

test.each([
  [
    'a trigger',
    "create trigger evil after update on users begin update users set role = 'admin'; end",
    'There is a trigger evil',
  ],
  [
    'a view in the place of a table',
    'alter table users rename to them; create view users as select * from them',
    'There is a view users',
  ],
  ['a table that is missing', 'drop table absent_users', 'The table absent_users is missing.'],
  ['a unique index that is missing', 'drop index users_email_key', 'The index users_email_key is missing.'],
])('a backup with %s is refused, and nothing is changed', async (_what, statement, sentence) => {
  const url = await readyUrl();
  await fill(url);
  const file = await backUp(url);
  const spoilt = new Sqlite(file);
  spoilt.exec(statement);
  spoilt.close();
  // On a server it goes into an empty one.
  const into = inject('engine') === 'sqlite' ? url : await readyUrl();
  const { code, error } = await restore(into, file, '--yes');
  expect(code).toBe(2);
  expect(error).toContain(sentence);
  expect(error).toContain('Nothing was changed.');
  expect(await within(into, usernamesIn)).toEqual(into === url ? ['ann', 'ed', 'ada', 'bob', 'cem'] : []);
});
