import { availableParallelism } from 'node:os';
import { expect, test } from 'vitest';
import { FairQueue } from '../../src/auth/password-queue.ts';
import { BusyError } from '../../src/errors.ts';

/** A queue in which one works, until it is let go; what has been done after that. */
function busyQueue(mostWaiting = { all: 256, place: 64 }) {
  const queue = new FairQueue(1, mostWaiting);
  const { promise, resolve: letGo } = Promise.withResolvers<void>();
  const first = queue.run('first', () => promise);
  const done: string[] = [];
  const wait = (place: string, what = place) => queue.run(place, async () => void done.push(what));
  return { queue, first, letGo, done, wait };
}

test('lets as many work at once as there are cores, and the others in the order in which they came', async () => {
  const queue = new FairQueue();
  let running = 0;
  let most = 0;
  const done: number[] = [];
  const work = async (number: number) => {
    most = Math.max(most, ++running);
    await new Promise((resolve) => setImmediate(resolve));
    running--;
    done.push(number);
  };
  await Promise.all(Array.from({ length: 50 }, (_, number) => queue.run('here', () => work(number))));
  expect(most).toBe(availableParallelism());
  expect(done).toEqual(done.toSorted((one, other) => one - other));
});

test('lets places take turns: who comes from another one does not wait for all of a crowd', async () => {
  const { letGo, done, wait } = busyQueue();
  const all = [
    wait('crowd', '1'),
    wait('crowd', '2'),
    wait('crowd', '3'),
    wait('elsewhere'),
    wait('crowd', '4'),
  ];
  letGo();
  await Promise.all(all);
  expect(done).toEqual(['1', 'elsewhere', '2', '3', '4']);
});

test('refuses who comes when too many wait, and takes them again later; one that fails is not in the way', async () => {
  const { queue, first, letGo } = busyQueue({ all: 2, place: 2 });
  const failing = queue.run('here', async () => {
    throw new Error('no');
  });
  const third = queue.run('here', async () => 3);
  await expect(queue.run('here', async () => 4)).rejects.toThrow(BusyError);
  letGo();
  await first;
  await expect(failing).rejects.toThrow('no');
  expect(await third).toBe(3);
  expect(await queue.run('here', async () => 5)).toBe(5);
});

test('holds only so many of one place, and makes room for others where it has most', async () => {
  const { letGo, done, wait } = busyQueue({ all: 4, place: 3 });
  const crowd = [wait('crowd', '1'), wait('crowd', '2'), wait('crowd', '3')];
  await expect(wait('crowd', '4')).rejects.toThrow(BusyError);
  const others = [wait('one'), wait('two')];
  await expect(crowd[2]).rejects.toThrow(BusyError);
  letGo();
  await Promise.all([...crowd.slice(0, 2), ...others]);
  expect(done).toEqual(['1', 'one', 'two', '2']);
});

test('turns newcomers away when every place has one waiting', async () => {
  const { letGo, done, wait } = busyQueue({ all: 2, place: 2 });
  const waiting = [wait('one'), wait('two')];
  await expect(wait('three')).rejects.toThrow(BusyError);
  letGo();
  await Promise.all(waiting);
  expect(done).toEqual(['one', 'two']);
});
