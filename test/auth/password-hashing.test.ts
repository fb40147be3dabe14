import { execFileSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { hashPassword, isOutdated, isPassword } from '../../src/auth/password-hashing.ts';
import { START } from '../npm-start.ts';
import { oldHash } from '../people.ts';

describe('a password', () => {
  test('is kept with what it takes to check it, and never twice the same', async () => {
    const hash = await hashPassword('lemon trees');
    expect(hash).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/);
    expect(await hashPassword('lemon trees')).not.toBe(hash);
    expect(await isPassword('lemon trees', hash)).toBe(true);
    expect(await isPassword('lemon tree', hash)).toBe(false);
    expect(isOutdated(hash)).toBe(false);
  });

  test('is the same on every keyboard', async () => {
    const hash = await hashPassword('caf\u00e9');
    expect(await isPassword('cafe\u0301', hash)).toBe(true);
    expect(await isPassword('cafe', hash)).toBe(false);
  });

  test('of nobody is none', async () => {
    for (const typed of ['', '\0', 'lemon trees']) expect(await isPassword(typed, undefined)).toBe(false);
  });

  test('that was hashed in another way is checked in that way, and known to be outdated', async () => {
    const hash = oldHash('lemon trees');
    expect(await isPassword('lemon trees', hash)).toBe(true);
    expect(await isPassword('lemon tree', hash)).toBe(false);
    expect(isOutdated(hash)).toBe(true);
  });

  test.runIf(process.platform === 'linux')('leaves nothing in memory of a Roster that npm starts', () => {
    const [before = 0, after = 0] = residentAround(
      'for (const _ of [1, 2]) await Promise.all(Array(4).fill("lemon").map((password) => hashPassword(password)));',
    );
    expect(before).toBeGreaterThan(0);
    expect(after).toBeGreaterThan(before / 2);
    expect(after - before).toBeLessThan(19 * 1024 ** 2);
  });
});

/** Bytes of a process with what `npm start` sets, before and after it does something with passwords. */
function residentAround(act: string): number[] {
  const hashing = new URL('../../src/auth/password-hashing.ts', import.meta.url);
  const resident = 'console.log(process.memoryUsage.rss());';
  const script = `import { hashPassword } from '${hashing}'; ${resident} ${act} ${resident}`;
  const stdout = execFileSync(process.execPath, ['--input-type=module', '--eval', script], {
    env: { ...process.env, ...START.env },
    encoding: 'utf8',
  });
  return stdout.split('\n').map(Number);
}
