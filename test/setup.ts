/** Before all tests, and for the Rosters that they start. */
import { join } from 'node:path';
import { makeBundle } from '../src/make-bundle.js';

export default async function setup(): Promise<void> {
  // Without one Rosters start from their files.
  await makeBundle().catch(console.warn);
  // For threads and programs of the tests: a Roster says itself where its code is kept.
  process.env.NODE_COMPILE_CACHE ??= join(
    import.meta.dirname,
    '..',
    'node_modules',
    '.cache',
    'roster-tests',
  );
}

/** On a machine that is at work all the time, as tests have it, whoever gives way to all others never comes to an end. */
const HOOK = `
  import { syncBuiltinESMExports } from 'node:module';
  import os from 'node:os';
  os.setPriority = () => {};
  syncBuiltinESMExports();`;

/** An option with which Node never gives way. */
export const UNYIELDING = `--import data:text/javascript,${encodeURIComponent(HOOK)}`;
