/** What lies in a folder of backups, and what is in one. */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { expect, onTestFinished } from 'vitest';
import { findFaults } from '../../src/check/run.ts';
import { openToRead } from '../../src/db/database.ts';
import type { Db } from '../../src/db/schema.ts';
import { parseList } from '../../src/users/list/address.ts';
import { resolveFilter } from '../../src/users/list/filter-result.ts';

export async function openBackup(file: string): Promise<Db> {
  const db = await openToRead(`sqlite:${file}`);
  onTestFinished(() => db.destroy());
  return db;
}

/** Those that were made, by their names. */
export function backupsIn(folder: string): string[] {
  return readdirSync(folder).filter((name) => /^roster-.*Z\.db$/.test(name));
}

/** A file for its owner alone, with nothing of SQLite's beside it, in which nothing is wrong. */
export async function expectWhole(file: string): Promise<Db> {
  for (const ending of ['-wal', '-shm', '-journal']) expect(existsSync(file + ending)).toBe(false);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  const db = await openBackup(file);
  for await (const fault of findFaults(db, {})) expect.fail(fault.what);
  return db;
}

/** How many a search finds. */
export async function find(db: Db, q: string): Promise<number> {
  const { total } = await resolveFilter(db, parseList({ q }).list);
  return total.count;
}

/** Waits until something has happened in another process. */
export async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await setTimeout(1);
}

/** The size of a part of a backup that is being made in a folder; 0 where there is none. */
export function draftSize(folder: string, part: string): number {
  const draft = readdirSync(folder).find((name) => name.includes('.new-'));
  const stats = draft && statSync(join(folder, draft, part), { throwIfNoEntry: false });
  return stats ? stats.size : 0;
}
