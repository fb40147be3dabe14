import { availableParallelism } from 'node:os';
import { describe, expect, test } from 'vitest';
import { BusyError } from '../../src/errors.ts';
import { hashPassword, isOutdated, isPassword, Queue } from '../../src/sessions/passwords.ts';
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
});

describe('the queue', () => {
  test('lets as many work at once as there are cores, and the others in the order in which they came', async () => {
    const queue = new Queue();
    let running = 0;
    let most = 0;
    const done: number[] = [];
    const work = async (number: number) => {
      most = Math.max(most, ++running);
      await new Promise((resolve) => setImmediate(resolve));
      running--;
      done.push(number);
    };
    await Promise.all(Array.from({ length: 50 }, (_, number) => queue.run(() => work(number))));
    expect(most).toBe(availableParallelism());
    expect(done).toEqual(done.toSorted((one, other) => one - other));
  });

  test('refuses who comes when too many wait, and takes them again later; one that fails is not in the way', async () => {
    const queue = new Queue(1, 2);
    const { promise, resolve } = Promise.withResolvers<void>();
    const first = queue.run(() => promise);
    const failing = queue.run(async () => {
      throw new Error('no');
    });
    const third = queue.run(async () => 3);
    await expect(queue.run(async () => 4)).rejects.toThrow(BusyError);
    resolve();
    await first;
    await expect(failing).rejects.toThrow('no');
    expect(await third).toBe(3);
    expect(await queue.run(async () => 5)).toBe(5);
  });
});
