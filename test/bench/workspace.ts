/** What one run of the bench keeps on disk, in a temporary folder that is gone afterwards. */

import { once } from 'node:events';
import { closeSync, copyFileSync, fsyncSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Answer } from './answers.ts';
import { runNode } from './processes.ts';

export type Workspace = {
  /** Paths of database files with the same users, one for each server that writes. */
  databases: { 'hand-written': string; Roster: string };
  /** The path of what the bare server answers. */
  answers: string;
  writeAnswers(answers: readonly [address: string, answer: Answer][]): void;
};

export async function makeWorkspace(users: number): Promise<Workspace> {
  const folder = mkdtempSync(join(tmpdir(), 'roster-bench-'));
  process.on('exit', () => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }));
  const databases = { 'hand-written': join(folder, 'hand-written.db'), Roster: join(folder, 'roster.db') };
  const answers = join(folder, 'answers.json');
  await seed(databases.Roster, users);
  copy(databases.Roster, databases['hand-written']);
  return {
    databases,
    answers,
    writeAnswers: (all) => writeFileSync(answers, JSON.stringify(all)),
  };
}

async function seed(path: string, users: number): Promise<void> {
  const child = runNode(['src/main.js', 'seed', String(users)], { DATABASE_URL: `sqlite:${path}` });
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
