/** A file that is made exactly once, with hard links and on file systems without them. */
import fs, { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { makeFileOnce } from '../../src/lib/make-file.ts';
import { pageOf } from '../page.ts';
import { startRoster, WITHOUT_LINKS } from '../roster.ts';
import { temporaryFolder } from '../support.ts';

/** What changes something on the disk, or looks whether something has changed. */
const STEPS = [
  'mkdtempSync',
  'linkSync',
  'renameSync',
  'statSync',
  'readdirSync',
  'rmSync',
  'rmdirSync',
] as const;
const original = { ...fs };
/** What a file system without hard links says to one. */
let refusal: string | undefined;
/** What happens before each step, from the first on. */
let before: (step: number) => void = () => {};
let steps = 0;

beforeAll(() => {
  for (const name of STEPS)
    Object.assign(fs, {
      [name]: (...args: unknown[]) => {
        before(++steps);
        if (name === 'linkSync' && refusal !== undefined)
          throw Object.assign(new Error('no link'), { code: refusal });
        return Reflect.apply(original[name], fs, args);
      },
    });
  syncBuiltinESMExports();
});

afterAll(() => {
  for (const name of STEPS) Object.assign(fs, { [name]: original[name] });
  syncBuiltinESMExports();
});

/** Makes the file, while something happens before each step. */
function make(path: string, content: string, interrupt: (step: number) => void = () => {}): void {
  const [outerBefore, outerSteps] = [before, steps];
  [before, steps] = [interrupt, 0];
  try {
    makeFileOnce(path, (draft) => writeFileSync(draft, content));
  } finally {
    [before, steps] = [outerBefore, outerSteps];
  }
}

/** The same, by someone who does nothing from a step on, not even what is done at last. */
function killed(path: string, content: string, end: number): void {
  try {
    make(path, content, (step) => {
      if (step >= end) throw new Error('killed');
    });
  } catch (error) {
    expect(error).toMatchObject({ message: 'killed' });
  }
}

function countSteps(): number {
  let count = 0;
  make(join(temporaryFolder(), 'file'), 'x', () => count++);
  return count;
}

const KINDS: [what: string, refusal?: string][] = [
  ['with hard links'],
  // As FAT and exFAT say, SMB, what is mounted by FUSE, and others.
  ['where a hard link is not permitted', 'EPERM'],
  ['where none is supported', 'ENOTSUP'],
  ['where none is supported, by its other name', 'EOPNOTSUPP'],
  ['where nobody knows of any', 'ENOSYS'],
  ['where there may be no more of them', 'EMLINK'],
];

describe.each(KINDS)('%s', (_name, code) => {
  beforeEach(() => {
    refusal = code;
  });

  test('a file is made once, and nothing else is left', () => {
    const path = join(temporaryFolder(), 'file');
    make(path, 'first');
    make(path, 'second');
    expect(readFileSync(path, 'utf8')).toBe('first');
    expect(readdirSync(dirname(path))).toEqual(['file']);
  });

  test('a file that could not be written is not there, and nothing is left of it', () => {
    const folder = temporaryFolder();
    const fail = () => {
      throw new Error('no space');
    };
    expect(() => makeFileOnce(join(folder, 'file'), fail)).toThrow('no space');
    expect(readdirSync(folder)).toEqual([]);
  });

  test('one that sees the file finds the same ever after, wherever others are held up meanwhile', () => {
    const all = countSteps();
    for (let held = 1; held <= all; held++)
      for (let end = 1; end <= all + 1; end++) {
        const path = join(temporaryFolder(), 'file');
        let seen = '';
        make(path, 'first', (step) => {
          if (step !== held) return;
          make(path, 'second');
          seen = readFileSync(path, 'utf8');
          // Goes no further before the first one has done the rest.
          killed(path, 'third', end);
        });
        expect(readFileSync(path, 'utf8'), `${held} ${end}`).toBe(seen);
      }
  });

  test('a maker that is killed before any step leaves nothing in the way of the next, and no half of a file', () => {
    const all = countSteps();
    for (let end = 1; end <= all; end++) {
      const path = join(temporaryFolder(), 'file');
      killed(path, 'killed', end);
      make(path, 'next');
      expect(readFileSync(path, 'utf8')).toMatch(/^(killed|next)$/);
      const others = readdirSync(dirname(path)).filter((name) => !/^file(\.new-\w{6})?$/.test(name));
      expect(others).toEqual([]);
    }
  });
});

test.each(['file.new', 'file.new/roster.db'])(
  '%s of somebody else’s neither becomes the file nor is it lost',
  (name) => {
    refusal = 'EPERM';
    const path = join(temporaryFolder(), 'file');
    const own = join(dirname(path), name);
    if (name.includes('/')) mkdirSync(dirname(own));
    writeFileSync(own, 'own');
    expect(() => make(path, 'new')).toThrow(`${path}.new is in the way`);
    expect(readFileSync(own, 'utf8')).toBe('own');
    expect(readdirSync(dirname(path))).toEqual(['file.new']);
    rmSync(`${path}.new`, { recursive: true });
    make(path, 'new');
    expect(readFileSync(path, 'utf8')).toBe('new');
  },
);

test('several Rosters that start at once on a new database, where there are no hard links, all serve it', async () => {
  const url = `sqlite:${join(temporaryFolder(), 'data', 'roster.db')}`;
  const settings = { DATABASE_URL: url, ...WITHOUT_LINKS };
  const rosters = await Promise.all([1, 2, 3].map(() => startRoster(settings)));
  for (const { address } of rosters) {
    const username = `user${new URL(address).port}`;
    const body = new URLSearchParams({ username, email: `${username}@example.org` });
    const answer = await fetch(`${address}/users`, { method: 'POST', body, redirect: 'manual' });
    expect(answer.status).toBe(303);
  }
  for (const { address } of rosters)
    expect(pageOf(await (await fetch(`${address}/users`)).text()).text).toContain('Showing 1–3 of 3');
});
