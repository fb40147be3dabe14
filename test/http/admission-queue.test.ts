import { expect, test } from 'vitest';
import { AdmissionQueue, KINDS, type Kind, LONGEST_WAIT } from '../../src/http/admission-queue.ts';

/** A queue in which these wait, one a millisecond from 1 on; a "!" before a name is someone in a burst. */
function queueOf(...waiting: (readonly [name: string, kind: Kind])[]): AdmissionQueue<string> {
  const queue = new AdmissionQueue<string>();
  let now = 0;
  for (const [name, kind] of waiting) queue.add(name, kind, name.startsWith('!'), ++now);
  return queue;
}

function emptied(queue: AdmissionQueue<string>): string[] {
  const names = [];
  for (let next = queue.takeNext(); next !== undefined; next = queue.takeNext()) names.push(next);
  return names;
}

test('signing in comes before reading, that before writing, and that before many users at once, whoever came first', () => {
  const queue = queueOf(...[...KINDS].reverse().map((kind) => [kind, kind] as const));
  expect(queue.size).toBe(4);
  expect(emptied(queue)).toEqual(['signing in', 'reading', 'writing', 'bulk']);
  expect(queue.size).toBe(0);
});

test('where some kinds may not be begun, the others do not wait behind them', () => {
  const queue = queueOf(['writing', 'writing'], ['!reading', 'reading'], ['reading', 'reading']);
  const next = () => queue.takeNext(['reading']);
  expect([next(), next(), next(), queue.size]).toEqual(['reading', '!reading', undefined, 1]);
});

test('within a kind it is first come, first served', () => {
  expect(emptied(queueOf(['a', 'reading'], ['b', 'writing'], ['c', 'reading'], ['d', 'writing']))).toEqual([
    'a',
    'c',
    'b',
    'd',
  ]);
});

test('whoever has paused comes before all who have not, of whom those who sign in come last', () => {
  const queue = queueOf(
    ['!bulk', 'bulk'],
    ['!writing', 'writing'],
    ['!reading', 'reading'],
    ['!signing in', 'signing in'],
    ['bulk', 'bulk'],
    ['writing', 'writing'],
    ['reading', 'reading'],
  );
  expect(emptied(queue)).toEqual([
    'reading',
    'writing',
    'bulk',
    '!reading',
    '!writing',
    '!bulk',
    '!signing in',
  ]);
});

test('whoever has waited for too long is found, and nobody before', () => {
  const queue = queueOf(['!a', 'reading'], ['b', 'writing'], ['c', 'reading']);
  expect(queue.takeOldest(LONGEST_WAIT)).toBeUndefined();
  expect(queue.takeOldest(1 + LONGEST_WAIT)).toBe('!a');
  expect(queue.takeOldest(1 + LONGEST_WAIT)).toBeUndefined();
  expect(queue.takeOldest(3 + LONGEST_WAIT)).toBe('b');
  expect(queue.takeOldest(3 + LONGEST_WAIT)).toBe('c');
  expect(queue.size).toBe(0);
});

test('who could no longer be answered in time comes after all others, and is refused when the time is over', () => {
  const queue = queueOf(['a', 'reading'], ['!b', 'reading'], ['c', 'writing'], ['d', 'reading']);
  queue.noteTaken('reading', 50);
  queue.setLateAside(3 + LONGEST_WAIT - 50);
  expect(queue.takeOldest(LONGEST_WAIT)).toBeUndefined();
  expect(queue.takeOldest(1 + LONGEST_WAIT)).toBe('a');
  expect(emptied(queue)).toEqual(['d', 'c', '!b']);
});

test('what one takes is forgotten after some that take less, and of what takes very long not all counts', () => {
  const lateAfter = (queue: AdmissionQueue<string>, wait: number) => {
    queue.add('late', 'reading', false, 0);
    queue.setLateAside(wait);
    queue.add('other', 'bulk', true, 0);
    return queue.takeNext() === 'other';
  };
  const queue = () => {
    const made = new AdmissionQueue<string>();
    made.noteTaken('reading', 60_000);
    return made;
  };
  expect(lateAfter(queue(), LONGEST_WAIT / 2)).toBe(true);
  expect(lateAfter(queue(), LONGEST_WAIT / 2 - 1)).toBe(false);
  const calmer = queue();
  for (let answered = 0; answered < 200; answered++) calmer.noteTaken('reading', 1);
  expect(lateAfter(calmer, LONGEST_WAIT - 3)).toBe(false);
});
