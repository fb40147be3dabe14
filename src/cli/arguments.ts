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
  // Its own refusals are for whoever writes a program.
  const parsed = parseArgs({ args: [...args], options, allowPositionals: true, strict: false, tokens: true });
  for (const token of parsed.tokens) {
    const problem = token.kind === 'option' ? problemOf(token, options[token.name]?.type) : undefined;
    if (problem !== undefined) throw new StartError(`${problem} See npm start -- --help.`);
  }
  const values = parsed.values as Partial<Record<Name, string> & Record<Flag, boolean>>;
  return { values, positionals: parsed.positionals };
}

type Option = { rawName: string; value?: string | undefined; inlineValue?: boolean | undefined };

function problemOf({ rawName, value, inlineValue }: Option, type: 'string' | 'boolean' | undefined) {
  if (type === undefined) return `There is no option ${rawName} here.`;
  if (type === 'boolean') return value === undefined ? undefined : `The option ${rawName} takes no value.`;
  // What looks like the next option is one.
  const isMissing = value === undefined || (value.startsWith('-') && !inlineValue);
  return isMissing ? `Say what ${rawName} is to be: it stands behind it.` : undefined;
}
