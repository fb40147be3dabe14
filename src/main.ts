/** The command line. */
import { enableCompileCache } from 'node:module';
import { parseArgs } from 'node:util';

const HELP = `Roster, a user directory.

  npm start                  serves it
  npm run seed -- 100000     adds that many made-up users

`;

const OLDEST_NODE = [24, 20];

async function main(): Promise<void> {
  // Before anything else is loaded: an older Node would stop at the first thing it does not know.
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major < Number(OLDEST_NODE[0]) || (major === OLDEST_NODE[0] && minor < Number(OLDEST_NODE[1]))) {
    stop(
      `Roster needs Node ${OLDEST_NODE.join('.')} or newer, not ${process.versions.node}; "npm start" brings its own.`,
    );
  }
  // What is loaded from here on, after the first start, comes compiled and without its types.
  enableCompileCache();
  const { StartError } = await import('./errors.ts');
  try {
    await run();
  } catch (error) {
    if (error instanceof StartError) stop(error.message);
    throw error;
  }
}

async function run(): Promise<void> {
  const { StartError } = await import('./errors.ts');
  const { values, positionals } = readArguments();
  const [command = 'serve', ...rest] = positionals;
  if (values.help) {
    const { SETTINGS_HELP } = await import('./config.ts');
    console.log(HELP + SETTINGS_HELP);
  } else if (command === 'serve' && rest.length === 0) {
    const { serve } = await import('./server.ts');
    await serve(process.env);
  } else if (command === 'seed') {
    const { seed } = await import('./seed/seed.ts');
    await seed(process.env, rest);
  } else {
    throw new StartError(`There is no command "${positionals.join(' ')}"; see npm start -- --help.`);
  }
}

function readArguments() {
  try {
    return parseArgs({ options: { help: { type: 'boolean', short: 'h' } }, allowPositionals: true });
  } catch (error) {
    return stop(`${(error as Error).message.split('\n')[0]} See npm start -- --help.`);
  }
}

function stop(sentence: string): never {
  console.error(sentence);
  process.exit(1);
}

await main();
