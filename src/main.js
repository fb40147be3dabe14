/** Where Roster starts: plain JavaScript, so that an older Node can say what it lacks. */
// Also, nothing that turns TypeScript into JavaScript has to be loaded once what is started has been compiled and kept.
import { availableParallelism } from 'node:os';
import { findBundle, nameSources } from './bundle.js';
import { keepCompiledCode } from './compile-cache.js';
import { howToGetNewer, isTooOld } from './node-version.js';
import { resolveAsWritten } from './resolve.js';

if (isTooOld(process.versions.node)) {
  console.error(howToGetNewer(process.versions.node, 'npm_lifecycle_event' in process.env));
  process.exit(1);
}
// Whatever Roster makes is for its owner alone.
process.umask(0o077);
// As many threads as passwords are hashed at once: each may keep what memory that has taken. Before the first one is needed.
process.env.UV_THREADPOOL_SIZE ??= String(Math.max(2, availableParallelism()));
const kept = keepCompiledCode();
// By this do threads find it, such as that of jobs, which would compile all of it each time.
if (kept !== undefined) process.env.NODE_COMPILE_CACHE = kept;
const bundle = findBundle();
if (bundle === undefined) resolveAsWritten();
else nameSources();
const { main } = await import(bundle ?? './cli/commands.ts');
await main(process.argv.slice(2), process.env);
