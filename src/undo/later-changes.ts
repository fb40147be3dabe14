/** What was done to a user after a change set, and stands: not what was undone, nor undoing the set, and undoing that. */

import type { Db } from '../db/schema.ts';
import { type FieldChanges, isDeletion, mergeFields, unpackFields } from '../history/fields.ts';
import type { ChangeOfSet } from '../history/queries.ts';
import { findVersionSets, MOST_GONE_THROUGH, type VersionSet } from '../history/versions.ts';

/** `there`: whether they were brought back, or deleted. */
type Part = keyof FieldChanges | 'there';

type LaterChanges = {
  fields: FieldChanges;
  /** What somebody has set since on purpose, though it may be what it was before. */
  anew: ReadonlySet<Part>;
};

/** @param version the last one there is @returns undefined for more than anyone looks through */
export async function findLaterChanges(
  db: Db,
  undone: ChangeOfSet,
  version: number,
): Promise<LaterChanges | undefined> {
  const limit = version - undone.version;
  if (limit > MOST_GONE_THROUGH) return undefined;
  const versions = { from: undone.version + 1, before: version + 1 };
  const { found } = await findVersionSets(db, undone.user_id, versions, { limit, isWanted: () => true });
  const fields = mergeFields(found.map((change) => unpackFields(change.fields)).reverse());
  return { fields, anew: findAnew(found, undone.set_id) };
}

/** @param changes the last first */
function findAnew(changes: readonly VersionSet[], undone: number): Set<Part> {
  const known = new Set([undone, ...changes.map(({ set }) => set.id)]);
  const [anew, taken] = [new Set<Part>(), new Set<string>()];
  for (const { set, fields } of changes)
    for (const part of partsOf(fields)) {
      if (taken.has(`${set.id} ${part}`)) continue;
      if (known.has(set.undoes ?? 0)) taken.add(`${set.undoes} ${part}`);
      else anew.add(part);
    }
  return anew;
}

function partsOf(fields: string | null): Part[] {
  return fields === null || isDeletion(fields) ? ['there'] : (Object.keys(unpackFields(fields)) as Part[]);
}
