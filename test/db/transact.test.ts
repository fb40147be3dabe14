import { expect, test } from 'vitest';
import { afterCommit, readSnapshot, transact, writeLast } from '../../src/db/transact.ts';
import { ContendedError } from '../../src/errors.ts';
import { findUserByUsername } from '../../src/users/queries.ts';
import { addUser, temporaryDatabase } from '../support.ts';

test('a snapshot stays as it was at its first query, and cannot be written', async () => {
  const db = await temporaryDatabase();
  await addUser(db, { username: 'alice' });
  await readSnapshot(db, async (trx) => {
    expect(await findUserByUsername(trx, 'alice')).toBeDefined();
    await addUser(db, { username: 'bob' });
    expect(await findUserByUsername(trx, 'bob')).toBeUndefined();
    expect(await findUserByUsername(db, 'bob')).toBeDefined();
  });
  const writing = readSnapshot(db, (trx) => trx.deleteFrom('users').execute());
  await expect(writing).rejects.toThrow(/read-?only/);
  expect(await findUserByUsername(db, 'bob')).toBeDefined();
});

test('what an attempt that was rolled back has left for its end is not done with the next one', async () => {
  const db = await temporaryDatabase();
  const ends: string[] = [];
  let attempts = 0;
  await transact(db, async (trx) => {
    const attempt = ++attempts;
    writeLast(trx, () => {
      ends.push(`write of ${attempt}`);
      return [];
    });
    afterCommit(trx, () => void ends.push(`follow-up of ${attempt}`));
    if (attempt === 1) throw new ContendedError('Once more.');
  });
  expect(ends).toEqual(['write of 2', 'follow-up of 2']);
});

test('a transaction that fails leaves nothing', async () => {
  const db = await temporaryDatabase();
  await addUser(db, { username: 'alice' });
  const failing = transact(db, async (trx) => {
    await trx.deleteFrom('users').execute();
    throw new Error('no');
  });
  await expect(failing).rejects.toThrow('no');
  expect(await findUserByUsername(db, 'alice')).toBeDefined();
});
