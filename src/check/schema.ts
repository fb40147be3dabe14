/** Whether the database is made of what Roster makes, and of nothing else. */

import { findTriggersAndViews } from '../db/backup-file.ts';
import type { Db } from '../db/schema.ts';
import { findSchemaDrift } from '../db/schema-drift.ts';
import type { SchemaDrift } from '../db/schema-parts.ts';
import { StartError } from '../errors.ts';
import { quotable } from '../lib/text.ts';
import { type Fault, PUT_BACK, REBUILD } from './finding.ts';

/** A name that somebody else has given may be of any length, and hide what it says. */
const MOST_OF_NAME = 200;

const OF_SEARCH = /^table users_search_/;

const FOREIGN =
  'Roster does not make that, and does not work with it: have whoever made it drop it, or put back the last backup that checks clean: npm run roster -- restore FILE.';

const SENTENCES: Readonly<Record<SchemaDrift['kind'], (part: string) => string>> = {
  missing: (part) => `The ${part} is missing.`,
  other: (part) => `The ${part} is not as Roster makes it.`,
  foreign: (part) => `There is a ${part}, which is none of Roster's.`,
};

/** Of a backup of any version, before it is brought up to date: they would act on that. @throws StartError */
export function refuseTriggersAndViews(path: string): void {
  const [part] = findTriggersAndViews(path);
  if (part !== undefined) throw new StartError(SENTENCES.foreign(quotable(part, MOST_OF_NAME)));
}

export async function* checkSchema(db: Db): AsyncIterable<Fault> {
  for (const { part, kind } of await findSchemaDrift(db))
    yield {
      kind: 'parts of the database that are not as Roster makes them',
      what: SENTENCES[kind](quotable(part, MOST_OF_NAME)),
      todo: kind === 'foreign' ? FOREIGN : OF_SEARCH.test(part) ? REBUILD : PUT_BACK,
    };
}
