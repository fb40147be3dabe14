/** What is done after each file of tests, for the files that a thread runs share its modules. */
import { afterAll } from 'vitest';
import { dropDatabases } from './postgres/database.ts';
import { forgetPages } from './support.ts';

afterAll(async () => {
  forgetPages();
  await dropDatabases();
});
