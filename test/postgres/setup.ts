/** One PostgreSQL for all tests of a run: another one by `TEST_DATABASE_URL`, else one from npm. */
import type { TestProject } from 'vitest/node';
import { openDatabase } from '../../src/db/database.ts';
import { ask } from './ask.ts';
import { addressOf, databasePrefix, READY_SCHEMAS } from './names.ts';
import { startPostgres } from './start.ts';

declare module 'vitest' {
  interface ProvidedContext {
    engine: 'sqlite' | 'postgres';
    /** Whether tests of reliability take their time. */
    isLong: boolean;
    /** The template is a database whose schemas are as Roster makes them. */
    postgres: { url: string; run: number; template: string };
  }
}

/** Nothing of a test has to survive a power cut. */
const FAST = ['fsync=off', 'full_page_writes=off', 'synchronous_commit=off'];

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const { TEST_DATABASE_URL } = process.env;
  const { url, run, stop } = await startPostgres(TEST_DATABASE_URL ? [TEST_DATABASE_URL] : FAST);
  const template = `${databasePrefix(run)}template`;
  await ask(url, `create database ${template} encoding 'UTF8' template template0`);
  for (let schema = 1; schema <= READY_SCHEMAS; schema++) {
    const address = addressOf(url, template, schema);
    await ask(address, `create schema roster_${schema}`);
    await (await openDatabase(address)).destroy();
  }
  project.provide('postgres', { url, run, template });
  return stop;
}
