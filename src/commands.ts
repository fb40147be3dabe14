/** The command line: what each command does, and what is said when there is none like it. */
import { parseArgs } from 'node:util';
import { SETTINGS_HELP } from './config.ts';
import { StartError } from './errors.ts';

const HELP = `Roster, a user directory.

  npm start                  serves it
  npm run seed -- 100000     adds that many made-up users

${SETTINGS_HELP}`;

/** Runs the command that the arguments name; a reason not to is one sentence and exit 1. */
export async function main(args: string[], env: NodeJS.ProcessEnv): Promise<void> {
  try {
    await run(args, env);
  } catch (error) {
    if (!(error instanceof StartError)) throw error;
    console.error(error.message);
    process.exit(1);
  }
}

async function run(args: string[], env: NodeJS.ProcessEnv): Promise<void> {
  const { values, positionals } = readArguments(args);
  const [command = 'serve', ...rest] = positionals;
  if (values.help) {
    console.log(HELP);
  } else if (command === 'serve' && rest.length === 0) {
    const { serve } = await import('./server.ts');
    await serve(env);
  } else if (command === 'seed') {
    const { seed } = await import('./seed/seed.ts');
    await seed(env, rest);
  } else {
    throw new StartError(`There is no command "${positionals.join(' ')}"; see npm start -- --help.`);
  }
}

function readArguments(args: string[]) {
  try {
    return parseArgs({ args, options: { help: { type: 'boolean', short: 'h' } }, allowPositionals: true });
  } catch (error) {
    throw new StartError(`${(error as Error).message.split('\n')[0]} See npm start -- --help.`);
  }
}
