/** The key of a database's secrets: where it is, and what happens where it is not. */
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, inject, onTestFinished, test } from 'vitest';
import { buildApp } from '../../src/app.ts';
import { makeKeyFile } from '../../src/auth/key-file.ts';
import { fingerprintOf, nextKeyFile } from '../../src/auth/key-rotation.ts';
import { openSecret, sealSecret } from '../../src/auth/second-factor-secrets.ts';
import { loadKey, reseal } from '../../src/auth/secret-key.ts';
import { readConfig } from '../../src/config.ts';
import type { Db } from '../../src/db/schema.ts';
import { transact } from '../../src/db/transact.ts';
import { runCommand } from '../command.ts';
import { dump } from '../engines.ts';
import { addPerson, CODE_SECRET, PASSWORD } from '../people.ts';
import { run, startRoster } from '../roster.ts';
import { cookiesOf, get, post, readyUrl, temporaryDatabase, temporaryFolder } from '../support.ts';

const keyPath = () => join(temporaryFolder(), 'keys', 'secret.key');

/** As an earlier Roster kept it. */
async function storeInClear(db: Db, userId: number): Promise<void> {
  await transact(db, (trx) =>
    trx.updateTable('credentials').set({ code_secret: CODE_SECRET }).where('user_id', '=', userId).execute(),
  );
}

async function secretOf(db: Db, key: Buffer): Promise<string | undefined> {
  const { user_id, code_secret } = await db
    .selectFrom('credentials')
    .select(['user_id', 'code_secret'])
    .where('code_secret', 'is not', null)
    .executeTakeFirstOrThrow();
  return openSecret(key, user_id, code_secret ?? '');
}

describe('the first start', () => {
  test('makes a key for its owner alone, of which the database keeps no more than the fingerprint', async () => {
    const [db, path] = [await temporaryDatabase(), keyPath()];
    const { master, key } = await loadKey(db, path);
    expect([master.length, key.length]).toEqual([32, 32]);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(statSync(dirname(path)).mode & 0o777).toBe(0o700);
    const all = JSON.stringify(await dump(db));
    expect(all).toContain(fingerprintOf(master));
    for (const encoding of ['base64url', 'base64', 'hex'] as const)
      for (const secret of [master, key]) expect(all).not.toContain(secret.toString(encoding).slice(0, 40));
    expect((await loadKey(db, path)).key).toEqual(key);
  });

  test('of several at once makes one key', async () => {
    const [url, path] = [await readyUrl(), keyPath()];
    const dbs = await Promise.all(Array.from({ length: 4 }, () => temporaryDatabase(url)));
    const loaded = await Promise.all(dbs.map((db) => loadKey(db, path)));
    expect(new Set(loaded.map(({ key }) => key.toString('hex'))).size).toBe(1);
  });

  test('of several with a file each makes one, and refuses the others', async () => {
    const url = await readyUrl();
    const paths = [keyPath(), keyPath(), keyPath()];
    const dbs = await Promise.all(paths.map(() => temporaryDatabase(url)));
    const loaded = await Promise.allSettled(dbs.map((db, index) => loadKey(db, paths[index] ?? '')));
    expect(loaded.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(paths.filter((path) => existsSync(path))).toHaveLength(1);
  });

  test('takes a key that has been put there', async () => {
    const [db, path] = [await temporaryDatabase(), keyPath()];
    const made = makeKeyFile(path);
    // As an editor may have saved it.
    writeFileSync(path, `\uFEFF${readFileSync(path, 'utf8').trim()}\r\n`);
    expect((await loadKey(db, path)).master).toEqual(made);
  });

  test('seals what an earlier Roster kept in clear, and leaves nothing of it', async () => {
    const url = await readyUrl();
    const [db, path] = [await temporaryDatabase(url), keyPath()];
    for (let number = 1; number <= 30; number++) await addPerson(db, `ann${number}`, 'admin');
    // As rows lie in a file that has been copied: none has moved since.
    await transact(db, async (trx) => {
      const rows = await trx.selectFrom('credentials').selectAll().execute();
      await trx.deleteFrom('credentials').execute();
      const clear = rows.map((row) => ({ ...row, code_secret: CODE_SECRET }));
      await trx.insertInto('credentials').values(clear).execute();
    });
    const { key, newlySealed } = await loadKey(db, path);
    expect(newlySealed).toBe(30);
    expect(await secretOf(db, key)).toBe(CODE_SECRET);
    expect(JSON.stringify(await dump(db))).not.toMatch(new RegExp(`${CODE_SECRET}|sealing key`));
    expect((await loadKey(db, path)).newlySealed).toBe(0);
    for (const file of inject('engine') === 'sqlite' ? ['', '-wal'] : [])
      expect(readFileSync(url.slice('sqlite:'.length) + file).includes(CODE_SECRET), file).toBe(false);
  });
});

describe('a key', () => {
  test('that is missing, another one or none at all is refused, and none is made', async () => {
    const [db, path] = [await temporaryDatabase(), keyPath()];
    const { master } = await loadKey(db, path);
    const known = fingerprintOf(master);
    rmSync(path);
    await expect(loadKey(db, path)).rejects.toThrow(
      `sealed with the key ${known}, and ${path} is not there. Put the file with that key there, or set SECRET_KEY_FILE to where it is.`,
    );
    expect(existsSync(path)).toBe(false);
    makeKeyFile(path);
    await expect(loadKey(db, path)).rejects.toThrow(
      `sealed with the key ${known}, and ${path} holds another key`,
    );
    for (const broken of ['', 'x', `${master.toString('base64url')}x`]) {
      writeFileSync(path, broken);
      await expect(loadKey(db, path)).rejects.toThrow(`${path} holds no key of Roster's`);
    }
  });

  test('opens the secret of the user that it was sealed for, and of nobody else', () => {
    const [key, other] = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)];
    const sealed = sealSecret(key, 7, CODE_SECRET);
    expect(openSecret(key, 7, sealed)).toBe(CODE_SECRET);
    expect([
      openSecret(key, 8, sealed),
      openSecret(other, 7, sealed),
      openSecret(key, 7, CODE_SECRET),
    ]).toEqual([undefined, undefined, undefined]);
  });

  test('whose change was stopped before its end is put in its place at the next start', async () => {
    const [db, path] = [await temporaryDatabase(), keyPath()];
    const { master } = await loadKey(db, path);
    await addPerson(db, 'ann', 'admin', { hasCode: true });
    const next = makeKeyFile(nextKeyFile(path));
    // Not sealed with it yet: the old one goes on.
    expect((await loadKey(db, path)).master).toEqual(master);
    await transact(db, (trx) => reseal(trx, master, next));
    expect((await loadKey(db, path)).master).toEqual(next);
    expect(readdirSync(dirname(path)).sort()).toEqual(['secret.key', `secret.key.${fingerprintOf(master)}`]);
    // Stopped between the two renames.
    renameSync(path, nextKeyFile(path));
    expect((await loadKey(db, path)).master).toEqual(next);
    expect(existsSync(path)).toBe(true);
  });
});

test('databases that share a file open nothing of each other', async () => {
  const path = keyPath();
  const [one, other] = [
    await loadKey(await temporaryDatabase(), path),
    await loadKey(await temporaryDatabase(), path),
  ];
  expect(one.master).toEqual(other.master);
  expect(openSecret(one.key, 1, sealSecret(one.key, 1, CODE_SECRET))).toBe(CODE_SECRET);
  expect(openSecret(other.key, 1, sealSecret(one.key, 1, CODE_SECRET))).toBeUndefined();
});

test('a key that was the database’s before is found where it is kept', async () => {
  const [db, path] = [await temporaryDatabase(), keyPath()];
  const { master } = await loadKey(db, path);
  renameSync(path, `${path}.${fingerprintOf(master)}`);
  makeKeyFile(path);
  await expect(loadKey(db, path)).rejects.toThrow(
    `${path} does not hold it: it is in ${path}.${fingerprintOf(master)}. Put the file with that key there`,
  );
});

/** A Roster on a database that is open, with a key for its secrets. */
async function build(db: Db, { key, databaseId }: { key: Buffer; databaseId: string }) {
  const config = readConfig({ LOG_LEVEL: 'silent' });
  const ledger = join(temporaryFolder(), 'erased.jsonl');
  const app = await buildApp({ config, db, secretKey: key, databaseId, ledger });
  onTestFinished(() => app.close());
  return app;
}

/** As it starts: with the key that is in the file by then. */
async function startWithKey(db: Db, path: string) {
  return build(db, await loadKey(db, path));
}

describe('the commands', () => {
  async function roster(args: readonly string[], settings: Record<string, string>) {
    const { out, error } = await runCommand(args, settings);
    return out + error;
  }

  async function startWithSecret() {
    const url = await readyUrl();
    const [db, path] = [await temporaryDatabase(url), keyPath()];
    const ann = await addPerson(db, 'ann', 'admin', { hasCode: true, recoveryHashes: ['one'] });
    await storeInClear(db, ann.id);
    const keys = await loadKey(db, path);
    return { db, path, ...keys, settings: { DATABASE_URL: url, SECRET_KEY_FILE: path } };
  }

  test('change-key seals everything with a new key, and keeps the old one for earlier backups', async () => {
    const { db, path, master, key, settings } = await startWithSecret();
    expect(await roster(['change-key'], settings)).toContain(
      `${path} holds a new key, with which the secrets of second factors (1) are sealed.`,
    );
    const after = await loadKey(db, path);
    expect(after.key).not.toEqual(key);
    expect(await secretOf(db, after.key)).toBe(CODE_SECRET);
    expect(readFileSync(`${path}.${fingerprintOf(master)}`, 'utf8').trim()).toBe(
      master.toString('base64url'),
    );
  });

  test('whoever is signed in stays so when the key is changed, and when it is given up', async () => {
    const { db, path, master, settings } = await startWithSecret();
    await addPerson(db, 'bob', 'viewer');
    const first = await startWithKey(db, path);
    const { cookies } = await post(first, '/sign-in', { username: 'bob', password: PASSWORD });
    const cookie = cookiesOf({ cookies });
    const lookAround = async () =>
      (await get(await startWithKey(db, path), '/account', { cookie })).statusCode;
    expect(await roster(['change-key'], settings)).toContain('whoever is signed in stays so');
    expect(await lookAround()).toBe(200);
    const { master: changed } = await loadKey(db, path);
    for (const file of [path, `${path}.${fingerprintOf(master)}`]) rmSync(file);
    expect(await roster(['give-up-key', fingerprintOf(changed)], settings)).toContain('is given up');
    expect(await lookAround()).toBe(200);
  });

  test('change-key twice at once changes it once, and loses no key', async () => {
    for (let round = 0; round < 5; round++) {
      const { db, path, master, settings } = await startWithSecret();
      const commands = [1, 2].map(() => run(['change-key'], settings));
      await Promise.all(commands.map((command) => once(command, 'exit')));
      const after = await loadKey(db, path);
      expect(await secretOf(db, after.key)).toBe(CODE_SECRET);
      const former = readFileSync(`${path}.${fingerprintOf(master)}`, 'utf8').trim();
      expect(former).toBe(master.toString('base64url'));
    }
  });

  test('a Roster that has another key by now seals and opens nothing', async () => {
    const { db, key, databaseId, settings } = await startWithSecret();
    await roster(['change-key'], settings);
    const app = await build(db, { key, databaseId });
    const answer = await post(app, '/sign-in', { username: 'ann', password: PASSWORD });
    expect(answer.statusCode).toBe(503);
  });

  test('give-up-key goes on without a lost one, and without anything that was sealed with it', async () => {
    const { db, path, master, key, settings } = await startWithSecret();
    const command = ['give-up-key', fingerprintOf(master)];
    expect(await roster(command, settings)).toContain('holds that key: nothing is lost.');
    expect(await secretOf(db, key)).toBe(CODE_SECRET);
    rmSync(path);
    expect(await roster(['give-up-key', 'abc'], settings)).toContain('is not the key of this database');
    expect(existsSync(path)).toBe(false);
    expect(await roster(command, settings)).toContain('Whoever has a second factor (1) cannot sign in until');
    const after = await loadKey(db, path);
    for (const tried of [key, after.key]) expect(await secretOf(db, tried)).toBeUndefined();
    expect(await db.selectFrom('recovery_codes').selectAll().execute()).toEqual([]);
  });

  test('a Roster that has sealed what was in clear says so', async () => {
    const [url, path] = [await readyUrl(), keyPath()];
    const db = await temporaryDatabase(url);
    await storeInClear(db, (await addPerson(db, 'ann', 'admin', { hasCode: true })).id);
    const { child, stderr } = await startRoster({ DATABASE_URL: url, SECRET_KEY_FILE: path });
    child.kill('SIGTERM');
    expect(await stderr).toMatch(
      /^The secret of 1 second factor is now sealed with the key in .*\. Copies of the database from before hold it in clear: /,
    );
  });

  test('a Roster whose key is not there does not start', async () => {
    const { path, master, settings } = await startWithSecret();
    rmSync(path);
    expect(await roster([], { ...settings, PORT: '0' })).toMatch(
      new RegExp(
        `^Secrets in the database are sealed with the key .* give-up-key ${fingerprintOf(master)}\n$`,
      ),
    );
  });
});
