/** What a command is given on the command line. */
import { parseArgs } from 'node:util';
import { StartError } from './errors.ts';

/**
 * The values of the options that a command has, each `--name value`, and what is there besides.
 * @throws StartError for any other option.
 */
export function readArguments<Name extends string>(args: readonly string[], names: readonly Name[]) {
  const options = Object.fromEntries(names.map((name) => [name, { type: 'string' as const }]));
  try {
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
    return { values: values as Partial<Record<Name, string>>, positionals };
  } catch (error) {
    throw new StartError(`${(error as Error).message.split('\n')[0]} See npm start -- --help.`);
  }
}
