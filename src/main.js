/**
 * Where Roster starts. Plain JavaScript, so that an older Node can say what it lacks, and so that nothing that turns
 * TypeScript into JavaScript has to be loaded once what is started has been compiled and kept.
 */
import module from 'node:module';
import { availableParallelism } from 'node:os';

const OLDEST = { major: 24, minor: 20 };

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < OLDEST.major || (major === OLDEST.major && minor < OLDEST.minor)) {
  const needed = `${OLDEST.major}.${OLDEST.minor}`;
  console.error(
    `Roster needs Node ${needed} or newer, not ${process.versions.node}; "npm start" brings its own.`,
  );
  process.exit(1);
}
// Whatever Roster makes is for its owner alone.
process.umask(0o077);
// As many threads as passwords are hashed at once: each keeps what memory that has taken. Before the first one is needed.
process.env.UV_THREADPOOL_SIZE ??= String(Math.max(2, availableParallelism()));
module.enableCompileCache();
const { main } = await import('./commands.ts');
await main(process.argv.slice(2), process.env);
