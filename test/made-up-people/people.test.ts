import { expect, test } from 'vitest';
import { seedUsers } from '../../src/cli/seed.ts';
import { NotUniqueError } from '../../src/errors.ts';
import { parseForm } from '../../src/lib/forms.ts';
import { textKey } from '../../src/lib/text.ts';
import { person } from '../../src/made-up-people/people.ts';
import { countByStatus } from '../../src/users/counts.ts';
import { findUserByUsername } from '../../src/users/queries.ts';
import { newUserSchema } from '../../src/users/validation.ts';
import { addUser, temporaryDatabase, temporaryUrl } from '../support.ts';

test('made-up people are the same on every machine', () => {
  expect(person(0)).toMatchObject({ username: 'ada.abbott', full_name: 'Ada Abbott', is_active: true });
  expect(person(123_456)).toEqual(person(123_456));
});

test('all of them pass the form, and no two share a username or an email', () => {
  const keys = new Set<string>();
  for (let number = 0; number < 100_000; number++) {
    const { username, email, full_name, is_active } = person(number);
    keys.add(textKey(username)).add(textKey(email));
    if (number % 10 > 0) continue;
    const fields = { username, email, full_name: full_name ?? '', is_active: is_active ? '1' : '0' };
    expect(parseForm(newUserSchema, fields)).toMatchObject({
      ok: true,
      value: { username, email, full_name, is_active },
    });
  }
  expect(keys.size).toBe(200_000);
});

test('they vary: scripts, accents, missing names, both statuses', () => {
  const people = Array.from({ length: 2000 }, (_, number) => person(number));
  const share = (matches: (one: (typeof people)[number]) => boolean) =>
    people.filter(matches).length / people.length;
  expect(share((one) => one.is_active)).toBeCloseTo(0.9, 1);
  expect(share((one) => one.full_name === null)).toBeCloseTo(0.07, 1);
  expect(share((one) => /\p{Script=Cyrillic}/u.test(one.full_name ?? ''))).toBeGreaterThan(0.01);
  expect(share((one) => /[^\p{ASCII}]/u.test(one.full_name ?? ''))).toBeGreaterThan(0.1);
});

test('seeding adds as many as asked for, around who is there, and again', async () => {
  const db = await temporaryDatabase();
  await addUser(db, { username: 'Alba-Nielsen' });
  await seedUsers(db, 300);
  await seedUsers(db, 25);
  const { active, inactive } = await countByStatus(db);
  expect(active + inactive).toBe(326);
  expect(await findUserByUsername(db, 'alba-nielsen')).toMatchObject({ id: 1, username: 'Alba-Nielsen' });
});

test('an empty table has its unique indexes again after seeding', async () => {
  const db = await temporaryDatabase();
  await seedUsers(db, 10);
  await expect(addUser(db, { username: 'ADA.abbott' })).rejects.toThrow(NotUniqueError);
});

test('two that seed an empty database at once both add what they were asked for', async () => {
  const url = await temporaryUrl();
  const [one, other] = [await temporaryDatabase(url), await temporaryDatabase(url)];
  await Promise.all([seedUsers(one, 1_500), seedUsers(other, 1_500)]);
  const { active, inactive } = await countByStatus(one);
  expect(active + inactive).toBe(3_000);
  expect(await one.selectFrom('users').select('id').execute()).toHaveLength(3_000);
});
