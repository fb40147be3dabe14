/** `npm run roster -- import users.csv`: a file of users is read, shown and, once somebody has said so, applied. */
import { stat } from 'node:fs/promises';
import { readConfig } from '../config.ts';
import { StartError } from '../errors.ts';
import { makeFolder } from '../imports/folder.ts';
import type { Choices } from '../imports/types.ts';
import { readArguments } from './arguments.ts';
import { AttendedImport } from './attended-import.ts';
import { READ_AS, readChoices } from './import-choices.ts';
import { openNamed } from './named-database.ts';

const USAGE =
  'Say which file: npm run roster -- import users.csv [--dry-run] [--yes] [--match username], or id, or email; npm start -- --help names the other options';

/** @returns the code to end with: 0, 1 where something is not done, as rows that are refused, 2 where nothing is */
export async function importFile(env: NodeJS.ProcessEnv, args: readonly string[]): Promise<number> {
  const { values, positionals } = readArguments(args, READ_AS, ['dry-run', 'yes', 'make-usernames']);
  const [path, ...rest] = positionals;
  if (path === undefined || rest.length > 0) throw new StartError(USAGE);
  const choices: Choices = {
    ...readChoices(values),
    ...(values['make-usernames'] && { usernames: 'email' as const }),
  };
  const found = await stat(path).catch(() => undefined);
  if (!found) throw new StartError(`There is no file ${path}.`);
  if (!found.isFile()) throw new StartError(`${path} is no file with rows: give the path of a CSV file.`);
  const db = await openNamed(env);
  try {
    const { DATABASE_URL, SECRET_KEY_FILE, IMPORT_FOLDER } = env;
    const { importFolder } = readConfig({ DATABASE_URL, SECRET_KEY_FILE, IMPORT_FOLDER });
    const options = { isDry: values['dry-run'] ?? false, isSure: values.yes ?? false };
    await using attended = new AttendedImport(env, db, makeFolder(importFolder));
    return await attended.run(path, choices, options);
  } finally {
    await db.destroy();
  }
}
