/** The disk under SQLite fails in every way at every step: people are told what became of what they sent, and it is so. */
import { randomInt } from 'node:crypto';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { expect, inject, onTestFinished, test } from 'vitest';
import { openDatabase } from '../../src/db/database.ts';
import { countByStatus } from '../../src/users/counts.ts';
import { pageOf } from '../page.ts';
import { lack } from '../requirements.ts';
import { temporaryFolder } from '../support.ts';
import { compileFaults, type Fault, startFailing } from './faults.ts';
import { IN_TIME, takesTwoMinutes } from './two-minutes.ts';

takesTwoMinutes();

const isLong = inject('isLong');
const NO_COMPILER = 'There is no C compiler for the library that makes a disk fail.';

/** What became of those who were sent, by what their pages said. */
type Told = Record<'saved' | 'unchanged' | 'unknown', string[]>;

let number = 0;

/** @param reason why it may be refused, in words */
async function create(address: string, told: Told, reason = ''): Promise<keyof Told> {
  const username = `user${number++}`;
  const body = new URLSearchParams({ username, email: `${username}@example.org` });
  const answer = await fetch(`${address}/users`, { method: 'POST', body, redirect: 'manual' });
  const said = await answer.text();
  expect([303, 503], said).toContain(answer.status);
  const page = answer.status === 503 ? pageOf(said).text : said;
  const [isUnchanged, isUnknown] = [
    page.includes('Nothing was changed'),
    page.includes('may have been saved'),
  ];
  if (answer.status === 503) {
    expect([isUnchanged, isUnknown].filter(Boolean), page).toHaveLength(1);
    expect(page).toContain(reason);
  }
  const outcome = answer.status === 303 ? 'saved' : isUnknown ? 'unknown' : 'unchanged';
  told[outcome].push(username);
  return outcome;
}

/** Creates users, two at a time, until some have failed or there were enough. */
async function createMany(
  address: string,
  told: Told,
  most: number,
  mostFailures: number,
  reason?: string,
): Promise<void> {
  let failures = 0;
  for (let sent = 0; sent < most && failures < mostFailures; sent += 2) {
    const outcomes = await Promise.all([create(address, told, reason), create(address, told, reason)]);
    failures += outcomes.filter((outcome) => outcome !== 'saved').length;
  }
}

/** What is there after a restart is what people were told, and the file is sound. */
async function compare(path: string, told: Told): Promise<void> {
  const db = await openDatabase(`sqlite:${path}`);
  const users = await db.selectFrom('users').select('username').execute();
  const stored = new Set(users.map(({ username }) => username));
  expect(told.saved.filter((username) => !stored.has(username))).toEqual([]);
  expect(told.unchanged.filter((username) => stored.has(username))).toEqual([]);
  expect(await countByStatus(db)).toEqual({ active: stored.size, inactive: 0 });
  await db.destroy();
  const file = new Sqlite(path, { readonly: true });
  expect(file.pragma('integrity_check', { simple: true })).toBe('ok');
  file.close();
}

/** Those that a change meets, and those that the copying of the log into the file meets, of which nobody hears. */
const STEPS: readonly Pick<Fault, 'call' | 'file'>[] = [
  { call: 'sync', file: '-wal' },
  { call: 'write', file: '-wal' },
  { call: 'write', file: 'db' },
  { call: 'sync', file: 'db' },
  { call: 'truncate', file: 'db' },
];
const ERRORS: readonly Fault['error'][] = ['EIO', 'EROFS', 'EACCES', 'EDQUOT', 'EFBIG', 'ENOSPC'];
const FAULTS = ERRORS.flatMap((error) => STEPS.map((step) => ({ ...step, error, nth: randomInt(1, 6) })));

/** What people are told of it; SQLite tells Roster no more. */
function reasonOf({ call, error }: Fault): string {
  if (error === 'EROFS') return 'its disk is read-only';
  if (error === 'EACCES') return 'its file may not be written';
  if (error === 'ENOSPC' && call === 'write') return 'its disk is full';
  return call === 'sync'
    ? 'its disk reports an error.'
    : 'its disk reports an error, a quota or a limit on files';
}

/** Meets one database with each of them, one after the other. */
async function meet(library: string, faults: readonly Fault[], told: Told): Promise<void> {
  const path = join(temporaryFolder(), 'roster.db');
  for (const [index, fault] of faults.entries()) {
    const roster = await startFailing(library, path);
    await createMany(roster.address, told, 4, 1);
    roster.fail(fault);
    await createMany(roster.address, told, fault.file === 'db' ? 200 : 40, 6, reasonOf(fault));
    // Every other one works again first: without a restart, and at once.
    if (index % 2 === 1) {
      roster.mend();
      expect(await create(roster.address, told)).toBe('saved');
    }
    await roster.kill();
    await compare(path, told).catch((cause) => {
      throw new Error(`after ${JSON.stringify(fault)}`, { cause });
    });
  }
}

test(
  'whatever the disk fails at, and however, the pages tell what is so after a kill, and why',
  IN_TIME,
  async ({ skip }) => {
    const library = compileFaults();
    if (library === undefined) return lack(skip, NO_COMPILER);
    const all: Told[] = [];
    const parts = isLong ? [0, 10, 20].map((first) => FAULTS.slice(first, first + 10)) : [FAULTS.slice(0, 2)];
    await Promise.all(
      parts.map((faults) => {
        const told: Told = { saved: [], unchanged: [], unknown: [] };
        all.push(told);
        return meet(library, faults, told);
      }),
    );
    expect(all.flatMap(({ unknown }) => unknown).length).toBeGreaterThan(0);
    expect(all.flatMap(({ unchanged }) => unchanged).length).toBeGreaterThan(0);
  },
);

test(
  'what was synced and then could not be told to other processes may have been saved',
  IN_TIME,
  async ({ skip }) => {
    if (!isLong) return skip('It writes thousands of pages: npm run test:reliability');
    const library = compileFaults();
    if (library === undefined) return lack(skip, NO_COMPILER);
    const path = join(temporaryFolder(), 'roster.db');
    const told: Told = { saved: [], unchanged: [], unknown: [] };
    const roster = await startFailing(library, path);
    await create(roster.address, told);
    // Someone who reads keeps the log from being begun anew: it grows until its index has to, too.
    const reader = new Sqlite(path, { readonly: true });
    onTestFinished(() => void reader.close());
    reader.exec('begin; select count(*) from users');
    roster.fail({ call: 'write', file: '-shm', error: 'ENOSPC', nth: 1 });
    await createMany(roster.address, told, 4_000, 1);
    expect(told.unknown.length).toBeGreaterThan(0);
    await roster.kill();
    reader.exec('rollback');
    reader.close();
    await compare(path, told);
  },
);
