/** Who is deleted is found by a name they had, among however many there are, or it is said that not all were looked at. */
import { expect, test } from 'vitest';
import { commandLine } from '../../src/auth/actor.ts';
import { transact } from '../../src/db/transact.ts';
import { findDeletedCalled } from '../../src/history/deleted-names.ts';
import { beginSet } from '../../src/history/record.ts';
import { DAY } from '../../src/lib/clock.ts';
import { temporaryDatabase } from '../support.ts';

const MANY = 1_000;

async function withDeleted(count: number) {
  const db = await temporaryDatabase();
  await transact(db, async (trx) => {
    const set_id = await beginSet(trx, commandLine, { at: 1, kind: 'deleted' });
    const numbers = Array.from({ length: count }, (_, index) => index + 1);
    for (const id of numbers) {
      const fields = JSON.stringify({ 1: `User${id}`, 2: `user${id}@example.org` });
      await trx.insertInto('deleted_users').values({ id, version: 2, set_id, fields }).execute();
    }
  });
  return db;
}

const asked = (id: number) => ({ username: [`user${id}`], email: [`user${id}@example.org`] });

test.each([MANY, MANY + 1])('of %i the last is found, by either name', async (count) => {
  const db = await withDeleted(count);
  const { found, isCertain } = await findDeletedCalled(db, asked(count), DAY);
  expect([found.username.get(`user${count}`)?.id, isCertain]).toEqual([count, true]);
  expect(found.email.get(`user${count}@example.org`)?.id).toBe(count);
});

test('where there is no time for all of them, it is not certain that nobody had it', async () => {
  const db = await withDeleted(MANY + 1);
  const { found, isCertain } = await findDeletedCalled(db, asked(MANY + 1), -1);
  expect([found.username.size, found.email.size, isCertain]).toEqual([0, 0, false]);
});

test('where there are fewer than are looked at together it is certain, however little time there is', async () => {
  const db = await withDeleted(2);
  expect((await findDeletedCalled(db, asked(3), -1)).isCertain).toBe(true);
});
