/** Files of which a part is missing, as after a copy that was not finished. */
import { closeSync, openSync, readFileSync, statSync, truncateSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { expect, onTestFinished, test } from 'vitest';
import { openDatabase, openToRead } from '../../../src/db/database.ts';
import { findMissingPage } from '../../../src/db/sqlite/missing-pages.ts';
import { NO_TIME_PASSES, temporaryFolder } from '../../support.ts';

const PAGE = 4096;

/** A database that was closed, of some 3,000 pages, after another program has done something with it. */
async function database(text: string): Promise<string> {
  const path = join(temporaryFolder(), 'roster.db');
  await (await openDatabase(`sqlite:${path}`)).destroy();
  const program = new Sqlite(path);
  program.exec('create table notes (note)');
  program.exec(`insert into notes with recursive numbers (n) as (select 1 union all select n + 1 from numbers limit 3000)
    select randomblob(3900) from numbers`);
  program.exec(text);
  program.close();
  return path;
}

async function expectRefusal(path: string, sentence: RegExp): Promise<void> {
  const before = readFileSync(path);
  const refusal = { name: 'StartError', message: expect.stringMatching(sentence) };
  // A busy machine has as much time to look through a file.
  const stopwatch = NO_TIME_PASSES;
  await expect(openDatabase(`sqlite:${path}`, { stopwatch })).rejects.toMatchObject(refusal);
  await expect(openToRead(`sqlite:${path}`, stopwatch)).rejects.toMatchObject(refusal);
  expect(readFileSync(path).equals(before)).toBe(true);
}

test('a file that was not copied to its end is refused', async () => {
  const path = await database('');
  const { size } = statSync(path);
  truncateSync(path, size - PAGE);
  await expectRefusal(
    path,
    new RegExp(`has ${size - PAGE} bytes, where ${size} belong: put a whole copy of it back`),
  );
});

test('a file with zeros where its pages were is refused', async () => {
  const path = await database('');
  const bytes = readFileSync(path);
  writeFileSync(path, bytes.fill(0, 1000 * PAGE, 1100 * PAGE));
  await expectRefusal(path, /has a hole: its page 1\d{3} of 3\d{3} is empty: put a whole copy of it back/);
});

test('a file that lacks its last page, though not its length, is refused', async () => {
  const path = await database('');
  const { size } = statSync(path);
  truncateSync(path, size - PAGE);
  truncateSync(path, size);
  await expectRefusal(path, /has a hole/);
});

test('a single page that takes no room on the disk is found', async ({ skip }) => {
  const path = await database('');
  const bytes = readFileSync(path);
  const copy = openSync(path, 'w');
  for (let page = 0; page < bytes.length / PAGE; page++)
    if (page !== 3020) writeSync(copy, bytes, page * PAGE, PAGE, page * PAGE);
  closeSync(copy);
  if (statSync(path).blocks * 512 >= bytes.length)
    skip('this file system gives room to what was never written');
  await expectRefusal(path, /has a hole: its page 3021 /);
});

test('a file is looked through for as long as there is time, and no longer', async () => {
  const descriptor = openSync(await database(''), 'r');
  onTestFinished(() => closeSync(descriptor));
  /** How often it is asked what time it is, where between any two times some milliseconds have passed. */
  const timesAsked = (passed: number) => {
    let asked = 0;
    expect(findMissingPage(descriptor, () => asked++ * passed)).toBeUndefined();
    return asked;
  };
  expect(timesAsked(0)).toBeGreaterThan(100);
  expect(timesAsked(1_000)).toBe(2);
});

test.each([
  [
    'deleted and overwritten',
    'pragma secure_delete = on; delete from notes where rowid between 500 and 2500',
  ],
  ['deleted to the last one', 'pragma secure_delete = on; delete from notes'],
])('pages that were %s are no hole', async (_what, text) => {
  const path = await database(text);
  // There are such pages.
  const bytes = readFileSync(path);
  expect(bytes.subarray(1500 * PAGE, 1501 * PAGE).equals(Buffer.alloc(PAGE))).toBe(true);
  await (await openDatabase(`sqlite:${path}`, { stopwatch: NO_TIME_PASSES })).destroy();
});
