/** A SQLite database as Roster makes it, made once a run: most tests begin with a copy of it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { openDatabase } from '../src/db/database.ts';
import { FOLDERS } from './folders.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** The path of its file. */
    template: string;
  }
}

export default async function setup(project: TestProject): Promise<() => void> {
  const folder = mkdtempSync(join(FOLDERS, 'roster-template-'));
  const path = join(folder, 'roster.db');
  // All of it is in the file once nobody has it open.
  await (await openDatabase(`sqlite:${path}`)).destroy();
  project.provide('template', path);
  return () => rmSync(folder, { recursive: true });
}
