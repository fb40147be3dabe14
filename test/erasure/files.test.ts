/** Files beside the tables: each that Roster makes is known, with what becomes of somebody in it who is erased. */
import { existsSync, readdirSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, sep } from 'node:path';
import { expect, inject, onTestFinished, test } from 'vitest';
import { buildApp } from '../../src/app.ts';
import { loadKey } from '../../src/auth/secret-key.ts';
import { readConfig } from '../../src/config.ts';
import { besideFile, filePathOf } from '../../src/database-url.ts';
import { openDatabase } from '../../src/db/database.ts';
import { fateOfFile } from '../../src/erasure/files.ts';
import { ledgerOf } from '../../src/erasure/ledger.ts';
import { erase } from '../backup/backed-up.ts';
import { runCommand } from '../command.ts';
import { restoreVersion } from '../db/versions/restore.ts';
import { apply, bring } from '../imports/by-pages.ts';
import { pageOf } from '../page.ts';
import { addPerson, signedIn } from '../people.ts';
import { addUser, get, post, readyUrl, startApp, temporaryFolder, temporaryUrl } from '../support.ts';
import { recordFiles } from './made-files.ts';

const onSqlite = inject('engine') === 'sqlite';

/** As a Roster has its files that is started with nothing but the address, and where the key is. */
async function start(settings: { DATABASE_URL: string; SECRET_KEY_FILE: string }) {
  const config = readConfig({ LOG_LEVEL: 'silent', ...settings });
  const { databaseUrl, secretKeyFile } = config;
  const db = await openDatabase(databaseUrl, { connections: 5 });
  const { key: secretKey, databaseId } = await loadKey(db, secretKeyFile);
  const ledger = ledgerOf(databaseUrl, secretKeyFile);
  const spoolFolder = dirname(secretKeyFile);
  const app = await buildApp({ config, db, secretKey, databaseId, ledger, spoolFolder });
  const end = async () => {
    await app.close();
    await db.destroy();
  };
  return { app, db, end };
}

/** Whatever Roster does with files, by pages. */
async function live(settings: { DATABASE_URL: string; SECRET_KEY_FILE: string }) {
  const { app, db, end } = await start(settings);
  const ann = await signedIn(app, await addPerson(db, 'ann', 'admin'));
  const rows = ['ada,ada@example.org', 'ada,twice@example.org', 'bob,bob@example.org'];
  const address = await bring(app, ann, `username,email\n${rows.join('\n')}\n`);
  await apply(app, ann, address);
  expect((await get(app, '/export/file?all=on&format=csv', ann)).statusCode).toBe(200);
  const { id } = await addUser(db, { username: 'gone' });
  await erase(db, id);
  await app.scrub();
  await end();
}

test('every file that Roster makes is on the record, also one that is gone a moment later', async () => {
  const url = onSqlite ? await restoreVersion(2) : await readyUrl();
  const folder = onSqlite ? dirname(filePathOf(url) ?? '') : temporaryFolder();
  const settings = { DATABASE_URL: url, SECRET_KEY_FILE: join(folder, 'secret.key') };
  const target = { ...settings, DATABASE_URL: onSqlite ? url : await temporaryUrl() };
  const elsewhere = temporaryFolder();
  const { paths, refuseLinks } = recordFiles();
  await live(settings);
  const run = async (...args: string[]) => {
    const { code, error } = await runCommand(args, args[0] === 'restore' ? target : settings);
    expect(code, error).toBe(0);
  };
  await run('backup', `${folder}/`, '--with-key');
  const made = readdirSync(folder).find((name) => /^roster-.*\.db$/.test(name)) ?? '';
  await run('backup', join(folder, 'roster-2020-01-01T00-00-00Z.db'), '--compact');
  await run('restore', join(folder, made), '--yes');
  await run('change-key');
  // Not what is asked for by its name, and is whoever asks for it’s.
  await run('export', join(elsewhere, 'users.csv'));
  expect(existsSync(join(elsewhere, 'users.csv'))).toBe(true);
  await run('purge');
  refuseLinks();
  await run('change-key');
  if (onSqlite) await run('restore', join(folder, made), '--yes');
  const fates = new Map<string, string | undefined>();
  const names = [settings, target].map(({ DATABASE_URL }) => ({
    database: basename(besideFile(DATABASE_URL, settings.SECRET_KEY_FILE, '')),
    key: 'secret.key',
  }));
  for (const path of paths) {
    const name = basename(path);
    if (![folder, elsewhere].some((own) => path.startsWith(own + sep)) || name === 'users.csv') continue;
    fates.set(
      name,
      names.map((some) => fateOfFile(name, some)).find((fate) => fate !== undefined),
    );
  }
  const unknown = [...fates].filter(([, fate]) => fate === undefined).map(([name]) => name);
  expect(unknown).toEqual([]);
  const seen = [...new Set(fates.values())].sort();
  const kept = onSqlite ? ['copy', 'gone', 'nobody', 'overwritten'] : ['gone', 'nobody'];
  expect(seen).toEqual(['any copy', 'backup', ...kept]);
  // Each of these was among them.
  const all = [...fates.keys()].join('\n');
  for (const transient of [
    /^users\.csv\.new-/m,
    /\.restoring\.new-/m,
    /\.upload$/m,
    /\.stage\.new-\w{6}$/m,
    /\.key\.next$/m,
  ])
    expect(all).toMatch(transient);
  expect(fateOfFile('notes.txt', { database: 'roster.db', key: 'secret.key' })).toBeUndefined();
});

test.runIf(onSqlite)(
  'copies of before are named also where the database is known by a symbolic link',
  async () => {
    const url = await readyUrl();
    const link = join(temporaryFolder(), 'link.db');
    symlinkSync(filePathOf(url) ?? '', link);
    const db = await openDatabase(`sqlite:${link}`);
    onTestFinished(() => db.destroy());
    const app = await startApp({ DATABASE_URL: `sqlite:${link}` }, db);
    const ann = await signedIn(app, await addPerson(db, 'ann', 'admin'));
    const { id } = await addUser(db, { username: 'ada' });
    writeFileSync(`${filePathOf(url)}.before-version-17`, '');
    await post(app, `/users/${id}/delete`, {}, ann);
    await post(app, `/users/${id}/erase`, { username: 'ada' }, ann);
    await app.scrub();
    expect(pageOf(await get(app, `/users/${id}`, ann)).text).toContain('roster.db.before-version-17');
  },
);

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
    await app.scrub();
    copyAt('.before-version-18', Date.now() + 60_000);
    // Of a copy of long ago that had been put back, and what a restore of one was killed at.
    copyAt('.before-restore-2026-11-30T10-00-00Z', Date.now() + 60_000);
    copyAt('.restoring.new-abcdefgh-77', Date.now() + 60_000);
    for (const address of [`/users/${id}`, `${headers.location}`]) {
      const { text } = pageOf(await get(app, address, ann));
      expect(text).toContain('Gone from every byte');
      expect(text).toContain(
        'may still hold it, until they are removed: roster.db.before-restore-2026-11-29T10-00-00Z, roster.db.before-restore-2026-11-30T10-00-00Z, roster.db.before-version-17, roster.db.restoring.new-abcdefgh-77 Backups keep it',
      );
    }
    const vera = await signedIn(app, await addPerson(db, 'vera', 'viewer'));
    const { text } = pageOf(await get(app, `${headers.location}`, vera));
    expect(text).toContain(`Erased user ${id}`);
    expect(text).not.toContain('before-version');
  },
);
