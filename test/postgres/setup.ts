/** One PostgreSQL for all tests of a run: another one by `TEST_DATABASE_URL`, else one from npm. */
import type { TestProject } from 'vitest/node';
import { startPostgres } from './start.ts';

declare module 'vitest' {
  interface ProvidedContext {
    engine: 'sqlite' | 'postgres';
    /** Whether tests of reliability take their time. */
    isLong: boolean;
    postgres: { url: string; run: number };
  }
}

/** Nothing of a test has to survive a power cut. */
const FAST = ['fsync=off', 'full_page_writes=off', 'synchronous_commit=off'];

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const { TEST_DATABASE_URL } = process.env;
  const { url, run, stop } = await startPostgres(TEST_DATABASE_URL ? [TEST_DATABASE_URL] : FAST);
  project.provide('postgres', { url, run });
  return stop;
}
