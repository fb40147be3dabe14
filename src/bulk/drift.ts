/** What has become, since they were shown, of those to whom something is to be done: who came, who went, who was changed. */
import type { Db, User } from '../db/schema.ts';
import { usersByIds } from '../db/users-by-ids.ts';
import { type Person, personOf } from '../history/descriptions.ts';
import { findChangesSince, findDeletedByIds, findNames } from '../history/queries.ts';
import { valuesBeforeVersion } from '../history/state-at.ts';
import type { Filter } from '../users/list/filter.ts';
import { conditionOf } from '../users/list/matching.ts';
import { wouldMatch } from '../users/list/would-match.ts';

/** More changes than that are not looked through: then there are numbers alone. */
const MOST_LOOKED_AT = 100;

export type Drift = Readonly<Record<'came' | 'went' | 'changed', readonly Person[]>> & {
  was: number;
};

type Names = Omit<Drift, 'was'>;

const NOBODY: Names = { came: [], went: [], changed: [] };

/** Of all who match. @param set the last there was when they were shown */
export async function findDrift(db: Db, filter: Filter, set: number): Promise<Names> {
  const changes = await findChangesSince(db, set, MOST_LOOKED_AT + 1);
  if (changes.length === 0 || changes.length > MOST_LOOKED_AT) return NOBODY;
  const lastFirst = changes.toSorted((one, other) => other.version - one.version);
  const first = new Map(lastFirst.map(({ user_id, version }) => [user_id, version]));
  const ids = [...first.keys()];
  const there = await usersByIds(db, ids).selectAll('users').execute();
  const condition = await conditionOf(db, filter);
  const matching = await usersByIds(db, ids).where(condition).select('users.id').execute();
  const isAmong = new Set(matching.map(({ id }) => id));
  const matched = await wouldMatch(db, filter, ids);
  const found = { came: [] as number[], went: [] as number[], changed: [] as number[] };
  for (const today of [...there, ...(await findDeletedByIds(db, ids))]) {
    const before = await valuesBeforeVersion(db, today, first.get(today.id) ?? 1);
    const was = before !== undefined && matched(today.id, before);
    if (isAmong.has(today.id)) found[was ? 'changed' : 'came'].push(today.id);
    else if (was) found.went.push(today.id);
  }
  return named(db, found);
}

export async function findTickedDrift(
  db: Db,
  shown: readonly Pick<User, 'id' | 'version'>[],
): Promise<Names> {
  const ids = shown.map(({ id }) => id);
  const there = await usersByIds(db, ids).select(['users.id', 'version']).execute();
  const versions = new Map(there.map(({ id, version }) => [id, version]));
  const went = ids.filter((id) => !versions.has(id));
  const changed = shown.filter(({ id, version }) => versions.has(id) && versions.get(id) !== version);
  return named(db, { came: [], went, changed: changed.map(({ id }) => id) });
}

async function named(db: Db, ids: Record<keyof Names, number[]>): Promise<Names> {
  const names = await findNames(db, Object.values(ids).flat(), true);
  const people = Object.entries(ids).map(([name, some]) => [
    name,
    some.sort((one, other) => one - other).map((id) => personOf(id, names)),
  ]);
  return Object.fromEntries(people) as Names;
}
