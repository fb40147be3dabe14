/** What one run of the bench keeps on disk, in a temporary folder that is gone afterwards. */

import { once } from 'node:events';
import { closeSync, copyFileSync, fsyncSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeBundle } from '../../src/make-bundle.js';
import { startPostgres } from '../postgres/start.ts';
import type { Answer } from './answers.ts';
import { FEWEST_USERS, makeNamesakes } from './namesakes.ts';
import { runNode } from './processes.ts';
import { addAdministrator } from './session.ts';

export type Workspace = {
  folder: string;
  /** The key of Roster's database. */
  keyFile: string;
  /** The same users for each server that keeps some: the path of a file, and the address of a database. */
  databases: { 'hand-written': string; Express: string; Roster: string };
  /** How long it took to make up Roster's users, in seconds. */
  seedTime: number;
  /** The path of what the bare server answers. */
  answers: string;
  writeAnswers(answers: readonly [address: string, answer: Answer][]): void;
  close(): Promise<void>;
};

// What has no room in memory.
process.env.TEST_FOLDERS = tmpdir();

export type Engine = 'sqlite' | 'postgres';

/** @throws Error for anything else */
export function engineNamed(name: string): Engine {
  if (name !== 'sqlite' && name !== 'postgres') throw new Error('--database must be sqlite or postgres.');
  return name;
}

export async function makeWorkspace(users: number, engine: Engine): Promise<Workspace> {
  // As Roster is once it is installed, whatever was edited since.
  await makeBundle().catch(console.warn);
  const folder = temporaryFolder();
  const handWritten = join(folder, 'hand-written.db');
  const answers = join(folder, 'answers.json');
  const keyFile = join(folder, 'secret.key');
  const express = join(folder, 'express.db');
  const seedTime = await makeUsers(`sqlite:${handWritten}`, users, keyFile);
  copy(handWritten, express);
  const roster = await (engine === 'sqlite'
    ? copiedSqlite(handWritten, join(folder, 'roster.db'))
    : seededPostgres(users, keyFile));
  return {
    folder,
    keyFile,
    seedTime: roster.seedTime ?? seedTime,
    databases: { 'hand-written': handWritten, Express: express, Roster: roster.url },
    answers,
    writeAnswers: (all) => writeFileSync(answers, JSON.stringify(all)),
    close: roster.close,
  };
}

/** Gone when this process is. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'roster-bench-'));
  process.on('exit', () => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }));
  return folder;
}

async function copiedSqlite(from: string, to: string) {
  copy(from, to);
  return { url: `sqlite:${to}`, seedTime: undefined, close: async () => {} };
}

async function seededPostgres(users: number, keyFile: string) {
  const { url, stop } = await startPostgres([]);
  return { url, seedTime: await makeUsers(url, users, keyFile), close: stop };
}

/** Makes up users, some of whom then get names to search for; says how many seconds the first took. */
async function makeUsers(url: string, users: number, keyFile: string): Promise<number> {
  const started = performance.now();
  await seed(url, users);
  const seedTime = (performance.now() - started) / 1000;
  console.log(`Seeded in ${seedTime.toFixed(1)} s`);
  if (users >= FEWEST_USERS) await makeNamesakes(url, users);
  await addAdministrator(url, keyFile);
  return seedTime;
}

export async function seed(url: string, users: number): Promise<void> {
  const child = runNode(['src/main.js', 'seed', String(users), '--new-database'], { DATABASE_URL: url });
  child.stdout.pipe(process.stdout, { end: false });
  const [code] = await once(child, 'close');
  if (code !== 0) throw new Error('The users could not be seeded.');
}

// Synced, so that no commit that is measured waits for these pages to reach the disk.
function copy(from: string, to: string): void {
  copyFileSync(from, to);
  const file = openSync(to, 'r+');
  fsyncSync(file);
  closeSync(file);
}
