/** Which database a command works on: said before it is changed, and none is made in passing. */
import { readConfig } from '../config.ts';
import { openDatabase } from '../db/database.ts';
import type { Db } from '../db/schema.ts';
import { StartError } from '../errors.ts';

/**
 * Opens the database that the settings name.
 * @throws StartError where there is none yet, unless it may be made.
 */
export async function openNamed(env: NodeJS.ProcessEnv, { mayMake = false } = {}): Promise<Db> {
  const { databaseUrl } = readConfig({ DATABASE_URL: env.DATABASE_URL });
  return openDatabase(databaseUrl, {
    announce: (name, isNew) => {
      if (isNew && !mayMake) throw new StartError(noDatabase(name));
      sayWhich('Database', name, isNew);
    },
  });
}

export function sayWhich(what: string, name: string, isNew = false): void {
  console.log(`${what}: ${name}${isNew ? ', which is new' : ''}`);
}

/** For a person who expects one: what to look at, and how a new one is made on purpose. */
export function noDatabase(name: string): string {
  return `There is no database of Roster's at ${name}. Give DATABASE_URL the one that is meant, and see that its disk is there; to make a new one: npm run roster -- admin alice --email alice@example.com --new-database`;
}
