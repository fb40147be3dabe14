/** Files beside the tables: each that Roster makes is known, with what becomes of somebody in it who is erased. */
import { readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, inject, onTestFinished, test } from 'vitest';
import { buildApp } from '../../src/app.ts';
import { commandLine } from '../../src/auth/actor.ts';
import { loadKey } from '../../src/auth/secret-key.ts';
import { readConfig } from '../../src/config.ts';
import { filePathOf } from '../../src/database-url.ts';
import { openDatabase } from '../../src/db/database.ts';
import { transact } from '../../src/db/transact.ts';
import { eraseUser } from '../../src/erasure/commands.ts';
import { fateOfFile } from '../../src/erasure/files.ts';
import { ledgerOf } from '../../src/erasure/ledger.ts';
import { deleteUser } from '../../src/users/commands.ts';
import { runCommand } from '../command.ts';
import { restoreVersion } from '../db/versions/restore.ts';
import { bring, check, csv } from '../imports/bringing.ts';
import { pageOf } from '../page.ts';
import { addPerson, signedIn } from '../people.ts';
import { addUser, get, post, readyUrl, startApp } from '../support.ts';

const onSqlite = inject('engine') === 'sqlite';

/** As a Roster has its files that is started with nothing but the address. */
async function start(url: string) {
  const folder = dirname(filePathOf(url) ?? '');
  const config = readConfig({ LOG_LEVEL: 'silent', DATABASE_URL: url });
  const db = await openDatabase(url);
  const { key: secretKey, databaseId } = await loadKey(db, config.secretKeyFile);
  const ledger = ledgerOf(url, config.secretKeyFile);
  const { importFolder } = config;
  const app = await buildApp({
    config,
    db,
    secretKey,
    databaseId,
    ledger,
    importFolder,
    spoolFolder: folder,
  });
  const end = async () => {
    await app.close();
    await db.destroy();
  };
  return { app, db, folder, end };
}

test.runIf(onSqlite)('every file that Roster makes is on the record', async () => {
  const url = await restoreVersion(2);
  const database = 'roster.db';
  const { app, db, folder, end } = await start(url);
  const seen = new Set<string>();
  const look = () => {
    for (const one of readdirSync(folder, { recursive: true, withFileTypes: true })) {
      expect(fateOfFile(one.name, database), one.name).toBeDefined();
      seen.add(fateOfFile(one.name, database) ?? '');
    }
  };
  const ann = await signedIn(app, await addPerson(db, 'ann', 'admin'));
  look();
  await bring(app, csv(['username', 'email'], ['ada', 'ada@example.org']));
  look();
  await check(app, csv(['username', 'email'], ['bob', 'bob@example.org']));
  look();
  expect((await get(app, '/export/file?all=on&format=csv', ann)).statusCode).toBe(200);
  const { id } = await addUser(db, { username: 'gone' });
  await transact(db, (trx) => deleteUser(trx, commandLine, id, Date.now()));
  await transact(db, (trx) => eraseUser(trx, commandLine, id, Date.now()));
  await app.removeTraces();
  look();
  await end();
  const backup = await runCommand(['backup', `${folder}/`, '--with-key'], { DATABASE_URL: url });
  expect(backup).toMatchObject({ code: 0 });
  look();
  const made = readdirSync(folder).find((name) => /^roster-.*\.db$/.test(name)) ?? '';
  expect(await runCommand(['restore', join(folder, made), '--yes'], { DATABASE_URL: url })).toMatchObject({
    code: 0,
  });
  look();
  expect([...seen].sort()).toEqual(['backup', 'copy', 'gone', 'nobody', 'overwritten']);
  expect(fateOfFile('notes.txt', database)).toBeUndefined();
});

test.runIf(onSqlite)(
  'copies of before are named on the page for as long as they are there and may hold somebody',
  async () => {
    const url = await readyUrl();
    const db = await openDatabase(url);
    onTestFinished(() => db.destroy());
    const app = await startApp({ DATABASE_URL: url }, db);
    const ann = await signedIn(app, await addPerson(db, 'ann', 'admin'));
    const copyAt = (ending: string, at: number) => {
      const path = `${filePathOf(url)}${ending}`;
      writeFileSync(path, '');
      utimesSync(path, at / 1_000, at / 1_000);
    };
    const { id, created_at } = await addUser(db, { username: 'ada' });
    copyAt('.before-version-3', created_at - 60_000);
    copyAt('.before-version-17', created_at + 1);
    copyAt('.before-restore-2026-11-29T10-00-00Z', created_at + 1);
    copyAt('.txt', created_at + 1);
    await post(app, `/users/${id}/delete`, {}, ann);
    const { headers } = await post(app, `/users/${id}/erase`, { username: 'ada' }, ann);
    await app.removeTraces();
    copyAt('.before-version-18', Date.now() + 60_000);
    for (const address of [`/users/${id}`, `${headers.location}`]) {
      const { text } = pageOf(await get(app, address, ann));
      expect(text).toContain('Gone from every byte');
      expect(text).toContain(
        'may still hold it, until they are removed: roster.db.before-restore-2026-11-29T10-00-00Z, roster.db.before-version-17 Backups keep it',
      );
    }
  },
);
