/** Commands whose connection breaks. */
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { openToRead } from '../../../src/db/database.ts';
import { seedUsers } from '../../../src/seed/seed.ts';
import { countByStatus } from '../../../src/users/queries.ts';
import { startProxy } from '../../postgres/proxy.ts';
import { run } from '../../roster.ts';
import { temporaryDatabase, temporaryUrl } from '../../support.ts';

const COMMIT = 'commit\0';

test.each([
  { at: 'insert into "users"', is: 'after', says: /not saved\. Run it again\.\n$/, code: 1, copied: 0 },
  { at: 'CREATE INDEX', is: 'before', says: /not saved\. Run it again\.\n$/, code: 1, copied: 0 },
  { at: 'vacuum', is: 'before', says: /All 500 users have arrived as they were\.\n$/, code: 0, copied: 500 },
] as const)(
  'a copy whose connection breaks at "$at" says what has become of it',
  async ({ at, is, says, code, copied }) => {
    const from = await temporaryUrl('sqlite');
    await seedUsers(await temporaryDatabase(from), 500);
    const to = await temporaryUrl('postgres');
    await temporaryDatabase(to);
    const { url, breakOnce } = await startProxy(to);
    breakOnce({ at, is });
    const child = run(['copy', '--from', from, '--to', url], {});
    const [out, error, [exit]] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      once(child, 'close'),
    ]);
    expect(out + error).toMatch(says);
    expect(exit).toBe(code);
    const { active, inactive } = await countByStatus(await temporaryDatabase(to));
    expect(active + inactive).toBe(copied);
  },
);

test('a seed whose connection breaks during the commit says where to look', async () => {
  const target = await temporaryUrl('postgres');
  await temporaryDatabase(target);
  const { url, breakOnce } = await startProxy(target);
  breakOnce({ at: COMMIT, is: 'after' });
  const child = run(['seed', '100'], { DATABASE_URL: url });
  expect(await text(child.stderr)).toBe('The database is gone: look whether the users are there.\n');
});

test('a database that Roster has never used is not taken for an old one of its own', async () => {
  await expect(openToRead(await temporaryUrl('postgres'))).rejects.toThrow(/ is no database of Roster's\.$/);
});
