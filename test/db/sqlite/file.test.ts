import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { expect, test } from 'vitest';
import { openDatabase } from '../../../src/db/database.ts';
import { temporaryDatabase, temporaryFolder } from '../../support.ts';

function sqliteFile(path: string, statements: string): void {
  const db = new Sqlite(path);
  db.exec(statements);
  db.close();
}

const APPLICATION = 'pragma application_id = 0x526f7374';

test.each([
  ['is empty (0 bytes)', (path: string) => writeFileSync(path, '')],
  ['is not a SQLite database', (path: string) => writeFileSync(path, 'a shopping list')],
  ['is not a SQLite database', (path: string) => writeFileSync(path, 'x'.repeat(5000))],
  ['belongs to another application', (path: string) => sqliteFile(path, 'create table t (a)')],
  [
    'belongs to another application',
    (path: string) => sqliteFile(path, 'pragma application_id = 7; create table t (a)'),
  ],
  [
    'was written by a newer Roster',
    (path: string) => sqliteFile(path, `${APPLICATION}; pragma user_version = 99`),
  ],
])('a file that %s is refused in one sentence and left as it was', async (sentence, make) => {
  const path = join(temporaryFolder(), 'some.db');
  make(path);
  const before = { bytes: readFileSync(path), modified: statSync(path).mtimeMs };
  await expect(openDatabase(`sqlite:${path}`)).rejects.toMatchObject({
    name: 'StartError',
    message: expect.stringContaining(`${path} ${sentence}`),
  });
  expect({ bytes: readFileSync(path), modified: statSync(path).mtimeMs }).toEqual(before);
});

test('a folder in place of the file, and a file in place of the folder, are refused in one sentence', async () => {
  const folder = temporaryFolder();
  mkdirSync(join(folder, 'roster.db'));
  writeFileSync(join(folder, 'file'), '');
  await expect(openDatabase(`sqlite:${join(folder, 'roster.db')}`)).rejects.toThrow('is not a file');
  await expect(openDatabase(`sqlite:${join(folder, 'file', 'roster.db')}`)).rejects.toThrow(
    'cannot be written',
  );
});

test('a newer version that is still in the write-ahead log is seen too', async () => {
  const path = join(temporaryFolder(), 'roster.db');
  await temporaryDatabase(`sqlite:${path}`);
  const newer = new Sqlite(path);
  newer.pragma('user_version = 99');
  await expect(openDatabase(`sqlite:${path}`)).rejects.toThrow('newer Roster');
  newer.close();
});

test('a damaged file of ours is refused in one sentence', async () => {
  const path = join(temporaryFolder(), 'roster.db');
  await (await openDatabase(`sqlite:${path}`)).destroy();
  const bytes = readFileSync(path);
  writeFileSync(path, bytes.fill(7, 100, 8000));
  await expect(openDatabase(`sqlite:${path}`)).rejects.toThrow(/cannot be opened: .*malformed\.$/);
});

test('a file that another program is writing to opens, when nothing has to be migrated', async () => {
  const path = join(temporaryFolder(), 'roster.db');
  await (await openDatabase(`sqlite:${path}`)).destroy();
  const other = new Sqlite(path);
  other.exec('begin immediate');
  await (await openDatabase(`sqlite:${path}`)).destroy();
  other.close();
});

test('a file of ours opens again, and the folder for a new one is made', async () => {
  const path = join(temporaryFolder(), 'a', 'b', 'roster.db');
  await (await openDatabase(`sqlite:${path}`)).destroy();
  await (await openDatabase(`sqlite:${path}`)).destroy();
  expect(statSync(path).size).toBeGreaterThan(0);
  expect(readdirSync(join(path, '..'))).toEqual(['roster.db']);
});
