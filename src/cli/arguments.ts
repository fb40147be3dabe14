/** What a command is given on the command line. */
import { parseArgs } from 'node:util';
import { StartError } from '../errors.ts';

/** `--name value` for each of the names, `--flag` for each of the flags. @throws StartError for any other option. */
export function readArguments<Name extends string, Flag extends string = never>(
  args: readonly string[],
  names: readonly Name[],
  flags: readonly Flag[] = [],
) {
  const options = Object.fromEntries([
    ...names.map((name) => [name, { type: 'string' as const }] as const),
    ...flags.map((name) => [name, { type: 'boolean' as const }] as const),
  ]);
  try {
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
    return { values: values as Partial<Record<Name, string> & Record<Flag, boolean>>, positionals };
  } catch (error) {
    throw new StartError(`${(error as Error).message.split('\n')[0]} See npm start -- --help.`);
  }
}
