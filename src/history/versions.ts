/** The versions of one user: they have no gap, and none is earlier than the one before it, so that a time is found as in a dictionary. */
import { executeCached } from '../db/cached-query.ts';
import type { Db } from '../db/schema.ts';
import type { ChangeSet } from './queries.ts';

/** For a few questions where halving would ask a dozen. */
const TRIED_AT_ONCE = 32;

/** Changes of one user, while others wait: some 8 ms. */
export const MOST_GONE_THROUGH = 1_000;

/** What made a version of a user, at its own time, which may be later than that of its set. */
export type VersionSet = { version: number; fields: string | null; set: ChangeSet };

export type Versions = { from: number; before: number };

/** All that are kept: none before those of a user who was loaded with others, or was there before there was a history. */
export async function findVersions(db: Db, userId: number): Promise<Versions> {
  const { first, last } = await db
    .selectFrom('changes')
    .select(({ fn }) => [
      fn.min<number | null>('version').as('first'),
      fn.max<number | null>('version').as('last'),
    ])
    .where('user_id', '=', userId)
    .executeTakeFirstOrThrow();
  return { from: first ?? 1, before: (last ?? 0) + 1 };
}

/** The first that is not before a time, or the one after the last. */
export async function findVersionFrom(
  db: Db,
  userId: number,
  at: number,
  { from, before }: Versions,
): Promise<number> {
  let [low, high] = [from, before];
  while (low < high) {
    const tried = spread(low, high);
    const times = await findTimesOf(db, userId, tried);
    const earlier = times.filter((time) => time < at).length;
    high = tried[earlier] ?? high;
    low = earlier === 0 ? low : (tried[earlier - 1] ?? low) + 1;
  }
  return low;
}

function spread(from: number, before: number): number[] {
  const step = Math.ceil((before - from) / TRIED_AT_ONCE);
  return Array.from({ length: Math.ceil((before - from) / step) }, (_, index) => from + index * step);
}

/** @param times from the first on, before the second, in milliseconds; 0 and infinity for all. */
export async function findVersionsBetween(
  db: Db,
  userId: number,
  [from, before]: readonly [number, number],
): Promise<Versions> {
  const all = await findVersions(db, userId);
  return {
    from: from > 0 ? await findVersionFrom(db, userId, from, all) : all.from,
    before: Number.isFinite(before) ? await findVersionFrom(db, userId, before, all) : all.before,
  };
}

export async function findTimesOf(db: Db, userId: number, versions: readonly number[]): Promise<number[]> {
  const rows = await db
    .selectFrom('changes')
    .innerJoin('change_sets', 'change_sets.id', 'changes.set_id')
    .select(({ fn }) => fn.coalesce('changes.at', 'change_sets.at').as('at'))
    .where('changes.user_id', '=', userId)
    .where('changes.version', 'in', versions)
    .orderBy('changes.version')
    .execute();
  return rows.map(({ at }) => at);
}

type Wanted = { isAscending?: boolean; limit: number; isWanted: (set: ChangeSet) => boolean };

/** `stoppedAt`: the last that was gone through, where there may be more. */
export type FoundVersions = { found: VersionSet[]; stoppedAt: VersionSet | undefined };

/** The first or the last of some versions; those that are not wanted are gone past, in ever larger steps, and not too many of them. */
export async function findVersionSets(
  db: Db,
  userId: number,
  { from, before }: Versions,
  { isAscending = false, limit, isWanted }: Wanted,
): Promise<FoundVersions> {
  const found: VersionSet[] = [];
  const rest = { from, before };
  let stoppedAt: VersionSet | undefined;
  let left = MOST_GONE_THROUGH;
  for (let size = limit; found.length < limit && left > 0; size *= 2) {
    const asked = Math.min(size, left);
    const some = await readVersionSets(db, userId, rest, isAscending ? 'asc' : 'desc', asked);
    found.push(...some.filter(({ set }) => isWanted(set)));
    stoppedAt = some[asked - 1];
    if (stoppedAt === undefined) break;
    if (isAscending) rest.from = stoppedAt.version + 1;
    else rest.before = stoppedAt.version;
    left -= asked;
  }
  return found.length < limit ? { found, stoppedAt } : { found: found.slice(0, limit), stoppedAt: undefined };
}

// Without a condition on the sets: with one, PostgreSQL may go through everyone's.
async function readVersionSets(
  db: Db,
  userId: number,
  { from, before }: Versions,
  order: 'asc' | 'desc',
  limit: number,
): Promise<VersionSet[]> {
  const asked = { userId, from, before, limit };
  const rows = await executeCached(db, `versions of a user, ${order}`, asked, (values) =>
    db
      .selectFrom('changes')
      .innerJoin('change_sets', 'change_sets.id', 'changes.set_id')
      .selectAll('change_sets')
      .select(['changes.version', 'changes.fields', 'changes.at as own_at'])
      .where('changes.user_id', '=', values.userId)
      .where('changes.version', '>=', values.from)
      .where('changes.version', '<', values.before)
      .orderBy('changes.version', order)
      .limit(values.limit),
  );
  return rows.map(({ version, fields, own_at, ...set }) => ({
    set: { ...set, at: own_at ?? set.at },
    version,
    fields,
  }));
}
