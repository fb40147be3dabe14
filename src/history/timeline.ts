/** What was done to one user, the last first. */
import { executeCached } from '../db/cached-query.ts';
import type { Db, User } from '../db/schema.ts';
import { unindexed } from '../db/unindexed.ts';
import { type FieldChanges, unpackSeenFields } from './fields.ts';
import { KINDS, ROLE_CHANGED } from './kinds.ts';
import { type ChangeSet, findBeginning } from './queries.ts';
import { findVersionSets } from './versions.ts';

/** A change set, and what it changed of the user; without a version where it is about how they sign in. */
export type Entry = { set: ChangeSet; version?: number; fields: FieldChanges };

export type TimelineCursor = { version: number; at: number; id: number };

export type Timeline = {
  entries: readonly Entry[];
  earlier: TimelineCursor | undefined;
  /** The time up to which it was looked, where that was not far enough. */
  stoppedAt?: number;
  /** Where nobody knows more, since the user was there before: what they arrived with. */
  beginning: ChangeSet | undefined;
};

/** `seesAll`: also what was done to the access of others. */
type Options = { from?: TimelineCursor | undefined; limit: number; seesAccess: boolean; seesAll: boolean };

/** @param user as they were read: what was done since is not half there. */
export async function readTimeline(
  db: Db,
  { id, version }: Pick<User, 'id' | 'version'>,
  {
    from = { version: version + 1, at: Number.MAX_SAFE_INTEGER, id: 0 },
    limit,
    seesAccess,
    seesAll,
  }: Options,
): Promise<Timeline> {
  const { changes, stoppedAt } = await findChanges(db, id, from.version, limit + 1, seesAccess);
  const facts = seesAccess ? await findFacts(db, id, from, limit + 1) : [];
  const all = [...changes, ...facts].sort(byTime);
  const entries = all.slice(0, limit);
  const seen = seesAll ? entries : await withOwnRoles(db, id, entries);
  const shown = withoutRepeats(seen);
  if (all.length > limit)
    return { entries: shown, earlier: cursorAfter(entries, from), beginning: undefined };
  if (stoppedAt)
    return {
      entries: shown,
      earlier: { ...from, version: stoppedAt.version },
      stoppedAt: stoppedAt.set.at,
      beginning: undefined,
    };
  const isKnown = [...entries, from].some((entry) => entry.version === 1);
  return { entries: shown, earlier: undefined, beginning: isKnown ? undefined : await findBeginning(db, id) };
}

/** Whoever was brought back with changes was so in one act. */
function withoutRepeats(entries: readonly Entry[]): Entry[] {
  return entries.filter(
    ({ set, fields }, index) => Object.keys(fields).length > 0 || entries[index - 1]?.set.id !== set.id,
  );
}

function byTime({ set: one }: Entry, { set: other }: Entry): number {
  return other.at - one.at || other.id - one.id;
}

function cursorAfter(entries: readonly Entry[], from: TimelineCursor): TimelineCursor {
  const change = entries.findLast(({ version }) => version !== undefined);
  const fact = entries.findLast(({ version }) => version === undefined)?.set ?? from;
  return { version: change?.version ?? from.version, at: fact.at, id: fact.id };
}

async function findChanges(db: Db, userId: number, before: number, limit: number, seesAccess: boolean) {
  const isWanted = ({ kind }: ChangeSet) => seesAccess || kind !== KINDS.access;
  const { found, stoppedAt } = await findVersionSets(db, userId, { from: 1, before }, { limit, isWanted });
  const changes = found.map(
    ({ set, version, fields }): Entry => ({ set, version, fields: unpackSeenFields(fields, seesAccess) }),
  );
  return { changes, stoppedAt };
}

/** In the place of what was done to the access of several, what stands beside it, at the same time, for this one. */
async function withOwnRoles(db: Db, userId: number, entries: readonly Entry[]): Promise<readonly Entry[]> {
  const isOfSeveral = ({ kind, subject_id }: ChangeSet) => kind === KINDS.access && subject_id !== userId;
  const times = entries.filter(({ set }) => isOfSeveral(set)).map(({ set }) => set.at);
  if (times.length === 0) return entries;
  const sets = await db
    .selectFrom('change_sets')
    .selectAll()
    .where('subject_id', '=', userId)
    .where('at', 'in', times)
    .where(unindexed('kind'), '=', KINDS['own role'])
    .execute();
  const own = new Map(sets.map((set) => [set.at, set]));
  return entries.map((entry) =>
    isOfSeveral(entry.set) ? { ...entry, set: own.get(entry.set.at) ?? entry.set } : entry,
  );
}

async function findFacts(
  db: Db,
  userId: number,
  { at, id }: TimelineCursor,
  limit: number,
): Promise<Entry[]> {
  const sets = await executeCached(db, 'facts of a user', { userId, at, id, limit }, (values) =>
    db
      .selectFrom('change_sets')
      .selectAll()
      .where('subject_id', '=', values.userId)
      // The change itself says so, which may have no event. As one value: PostgreSQL sorts what it takes for few.
      .where(({ eb, fn, val }) => eb(fn.coalesce('event', val(ROLE_CHANGED)), '!=', ROLE_CHANGED))
      .where('at', '<=', values.at)
      .where(({ eb, or }) => or([eb('at', '<', values.at), eb('id', '<', values.id)]))
      .orderBy('at', 'desc')
      .orderBy('id', 'desc')
      .limit(values.limit),
  );
  return sets.map((set) => ({ set, fields: {} }));
}
