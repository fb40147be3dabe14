/** What SQLite leaves of somebody where it has split a page, beside those who are still there. */
import { sql } from 'kysely';
import { expect, onTestFinished, test } from 'vitest';
import { commandLine } from '../../../src/auth/actor.ts';
import { openDatabase } from '../../../src/db/database.ts';
import { engineOf } from '../../../src/db/engine.ts';
import type { Db, Trx } from '../../../src/db/schema.ts';
import { transact } from '../../../src/db/transact.ts';
import { findPending } from '../../../src/erasure/queries.ts';
import { changeUser } from '../../../src/users/commands.ts';
import { erase } from '../../backup/backed-up.ts';
import { bytesOf } from '../../erasure/byte-search.ts';
import { addUser, readyUrl, startApp } from '../../support.ts';

const EVERYONE = 1500;
const LETTERS = 'bcdfghjklmnpqrstvwxyz';
/** A row may be overwritten in part: what is left of it has the beginning of a word, or its end. */
const PART = 8;

/** The same words each time. https://en.wikipedia.org/wiki/Linear_congruential_generator */
function* wordsFrom(seed: number): Generator<string, never> {
  const letter = () => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return LETTERS[Math.floor((seed / 2 ** 32) * LETTERS.length)];
  };
  for (;;) yield Array.from({ length: 12 }, letter).join('');
}

const partsOf = (word: string) => [word.slice(0, PART), word.slice(-PART)];

async function fill(db: Db) {
  const words = wordsFrom(1);
  const take = () => words.next().value;
  const everyone: { id: number; words: string[] }[] = [];
  for (let index = 0; index < EVERYONE; index++) {
    const [username, domain, full_name] = [take(), take(), take()];
    const { id } = await addUser(db, { username, email: `${username}@${domain}.example`, full_name });
    everyone.push({ id, words: [username, domain, full_name] });
    const renamed = everyone[Math.floor(index / 2)];
    if (index % 2 === 0 || renamed === undefined) continue;
    const name = take();
    const fields = { username: name, email: `${name}@${name}.example`, full_name: name };
    await transact(db, (trx) => changeUser(trx, commandLine, renamed.id, fields, Date.now()));
    renamed.words.push(name);
  }
  return everyone;
}

function leftOf(url: string, erased: readonly { words: string[] }[]): string[] {
  const there = new Set<string>();
  for (const [letters] of bytesOf(url)
    .toString('latin1')
    .matchAll(/[a-z]{8,}/g))
    for (let at = 0; at + PART <= letters.length; at++) there.add(letters.slice(at, at + PART));
  return erased.flatMap(({ words }) => words.flatMap(partsOf)).filter((part) => there.has(part));
}

test('hundreds who are erased leave nothing in any byte, nor where a page was split', async () => {
  const url = await readyUrl();
  const db = await openDatabase(url);
  onTestFinished(() => db.destroy());
  const app = await startApp({}, db);
  const erased = (await fill(db)).filter((_, index) => index % 4 === 0);
  for (const { id } of erased) await erase(db, id);
  expect(leftOf(url, erased).length).toBeGreaterThan(0);
  await app.scrub();
  expect(leftOf(url, erased)).toEqual([]);
  expect(await findPending(db)).toEqual([]);
});

test('whoever writes meanwhile finds all as it was', async () => {
  const url = await readyUrl();
  const db = await openDatabase(url);
  onTestFinished(() => db.destroy());
  const other = await openDatabase(url);
  onTestFinished(() => other.destroy());
  const words = wordsFrom(2);
  const everyone = await fill(db);
  const erased = everyone.filter((_, index) => index % 4 === 0);
  for (const { id } of erased) await erase(db, id);
  let isOver = false;
  const busy = [db, other].map(async (one, who) => {
    for (let count = 0; !isOver; count++) await addUser(one, { username: `busy${who}x${count}` });
  });
  expect(await engineOf(db).scrub(db, [1])).toBe('gone');
  isOver = true;
  await Promise.all(busy);
  // Both write what they had in memory.
  for (const one of [db, other])
    for (let count = 0; count < 200; count++) await addUser(one, { username: words.next().value });
  expect(await engineOf(db).scrub(db, [])).toBe('gone');
  expect(leftOf(url, erased)).toEqual([]);
  const check = await sql<{ integrity_check: string }>`pragma integrity_check`.execute(db);
  expect(check.rows).toEqual([{ integrity_check: 'ok' }]);
});

test('a page that was freed and is used again at once keeps nothing of what it held', async () => {
  const url = await readyUrl();
  const db = await openDatabase(url);
  onTestFinished(() => db.destroy());
  const app = await startApp({}, db);
  const write = (text: (trx: Trx) => Promise<unknown>) => transact(db, text);
  await write((trx) => sql`create table notes (id integer primary key, content text)`.execute(trx));
  // Longer than a page: SQLite goes on in others, of which the last one is full in part alone.
  for (let length = 1; length <= 60; length++) {
    const [long, other] = [
      'qzxjvwqk'.repeat(900 + length * 37),
      'x'.repeat(4096 * (length % 9) + length * 61),
    ];
    await write(async (trx) => {
      await sql`insert into notes values (0, ${long})`.execute(trx);
      await sql`delete from notes where id = 0`.execute(trx);
      await sql`insert into notes values (${length}, ${other})`.execute(trx);
    });
  }
  const { id } = await addUser(db, { username: 'gone' });
  await erase(db, id);
  await app.scrub();
  expect(bytesOf(url).includes('qzxjvwqk')).toBe(false);
});
