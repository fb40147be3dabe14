/** What has become of a user since a version: what they were then, and who has changed what. */
import type { Db, User } from '../db/schema.ts';
import { BadSubmissionError } from '../errors.ts';
import { type KeptValues, unpackFields, valuesBefore } from './fields.ts';
import type { KeptField } from './kinds.ts';
import type { DoneBy } from './queries.ts';
import { findVersionSets, MOST_GONE_THROUGH } from './versions.ts';

export type ChangesSince = {
  /** What they were; undefined where nobody knows: history begins later. */
  base: KeptValues | undefined;
  doneBy: ReadonlyMap<KeptField, DoneBy>;
};

/** @param version that was shown; what is not given is the one there is. @throws BadSubmissionError for one still to come */
export async function readChangesSince(
  db: Db,
  user: KeptValues & Pick<User, 'id' | 'version'>,
  version = user.version,
): Promise<ChangesSince> {
  const count = user.version - version;
  if (count < 0) throw new BadSubmissionError('The version is one that this user has not had yet.');
  // Further back nobody looks: what was then counts as not known.
  const limit = count > MOST_GONE_THROUGH ? 0 : count;
  const versions = { from: version + 1, before: user.version + 1 };
  const { found: changes } = await findVersionSets(db, user.id, versions, { limit, isWanted: () => true });
  const doneBy = new Map<KeptField, DoneBy>();
  let base: KeptValues | undefined = user;
  for (const { fields, set } of changes) {
    for (const field of Object.keys(unpackFields(fields)) as KeptField[])
      if (!doneBy.has(field)) doneBy.set(field, set);
    base = valuesBefore(base, fields);
  }
  const isWhole = count === 0 || changes.at(-1)?.version === version + 1;
  return { base: isWhole ? base : undefined, doneBy };
}

/** Whether anybody of a change set was changed after it, by whomever. */
export async function isChangedAfter(db: Db, set: number): Promise<boolean> {
  const later = await db
    .selectFrom('changes as then')
    .innerJoin('changes as since', 'since.user_id', 'then.user_id')
    .select('since.version')
    .where('then.set_id', '=', set)
    .whereRef('since.version', '>', 'then.version')
    // What was brought back with changes has two versions of one act.
    .whereRef('since.set_id', '!=', 'then.set_id')
    .limit(1)
    .executeTakeFirst();
  return later !== undefined;
}
