/** Where a row would put back what somebody has changed since: a file may be older than what is in Roster. */
import type { Actor } from '../auth/actor.ts';
import type { Db } from '../db/schema.ts';
import { unpackFields } from '../history/fields.ts';
import type { KeptField } from '../history/kinds.ts';
import { findVersionSets, type VersionSet } from '../history/versions.ts';
import { nameWhoDid, seenOf } from '../users/concurrent-changes.ts';
import type { ShownRow } from './types.ts';

/** Fields whose value in the file was there until `who` changed them. */
export type FormerValues = { fields: readonly KeptField[]; who: string; at: number };

const MOST_LOOKED_AT = 20;

export async function findFormerValues(
  db: Db,
  actor: Actor | undefined,
  { user, version, fields }: ShownRow,
): Promise<FormerValues[]> {
  if (user === undefined || version === null) return [];
  const versions = { from: 1, before: version + 1 };
  const wanted = { limit: MOST_LOOKED_AT, isWanted: () => true };
  const { found } = await findVersionSets(db, user.id, versions, wanted);
  const doneBy = new Map<KeptField, VersionSet['set']>();
  for (const field of seenOf(Object.keys(fields) as KeptField[], actor, user.id)) {
    const change = found.find(({ fields: packed }) => {
      const then = unpackFields(packed)[field];
      return then !== undefined && then.was === fields[field]?.became;
    });
    if (change) doneBy.set(field, change.set);
  }
  const nameOf = await nameWhoDid(db, actor, { base: undefined, doneBy });
  const bySet = Map.groupBy(doneBy, ([, set]) => set);
  return [...bySet].map(([set, some]) => ({
    fields: some.map(([field]) => field),
    who: nameOf(set),
    at: set.at,
  }));
}
