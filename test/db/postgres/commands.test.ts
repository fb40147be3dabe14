/** Commands whose connection breaks. */
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { describe, expect, test } from 'vitest';
import { seedUsers } from '../../../src/cli/seed.ts';
import { openToRead } from '../../../src/db/database.ts';
import { countByStatus } from '../../../src/users/counts.ts';
import { startProxy } from '../../postgres/proxy.ts';
import { run } from '../../roster.ts';
import { readyUrl, temporaryDatabase, temporaryUrl } from '../../support.ts';

const COMMIT = 'commit\0';

test.each([
  { at: 'insert into "users"', is: 'after', says: /not saved\. Run it again\.\n$/, code: 1, copied: 0 },
  { at: 'CREATE INDEX', is: 'before', says: /not saved\. Run it again\.\n$/, code: 1, copied: 0 },
  {
    at: 'vacuum',
    is: 'before',
    says: /All 500 users have arrived as they were\.\nAfterwards move /,
    code: 0,
    copied: 500,
  },
] as const)(
  'a copy whose connection breaks at "$at" says what has become of it',
  async ({ at, is, says, code, copied }) => {
    const from = await readyUrl('sqlite');
    await seedUsers(await temporaryDatabase(from), 500);
    const to = await readyUrl('postgres');
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

describe('a copy whose password nobody sees in the list of processes', () => {
  async function copied(args: readonly string[], settings: Record<string, string>) {
    const child = run(['copy', ...args], settings);
    const [out, error] = await Promise.all([text(child.stdout), text(child.stderr)]);
    return out + error;
  }

  async function start() {
    const from = await readyUrl('sqlite');
    await seedUsers(await temporaryDatabase(from), 5);
    const to = await temporaryUrl('postgres');
    const { password } = new URL(to);
    expect(password).not.toBe('');
    return { from, to, password };
  }

  test('goes to the address in an environment variable', async () => {
    const { from, to } = await start();
    const args = ['--from-env', 'OLD_URL', '--to-env', 'NEW_URL'];
    const said = await copied(args, { OLD_URL: from, NEW_URL: to });
    expect(said).toMatch(/All 5 users have arrived as they were\.\nAfterwards move /);
    const { active, inactive } = await countByStatus(await temporaryDatabase(to));
    expect(active + inactive).toBe(5);
  });

  test('goes to an address without a password, which PGPASSWORD has', async () => {
    const { from, to, password } = await start();
    const bare = new URL(to);
    bare.password = '';
    const args = ['--from', from, '--to', bare.href];
    expect(await copied(args, {})).not.toContain('arrived');
    const said = await copied(args, { PGPASSWORD: decodeURIComponent(password) });
    expect(said).toMatch(/All 5 users have arrived as they were\.\nAfterwards move /);
  });
});

test('a seed whose connection breaks during the commit says where to look', async () => {
  const target = await readyUrl('postgres');
  await temporaryDatabase(target);
  const { url, breakOnce } = await startProxy(target);
  breakOnce({ at: COMMIT, is: 'after' });
  const child = run(['seed', '100'], { DATABASE_URL: url });
  expect(await text(child.stderr)).toBe('The database is gone: look whether the users are there.\n');
});

test('a database that Roster has never used is not taken for an old one of its own', async () => {
  await expect(openToRead(await temporaryUrl('postgres'))).rejects.toThrow(/ is no database of Roster's\.$/);
});
