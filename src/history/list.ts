/** Everyone's change sets, the last first, by whom, of which kind and when: each from an index. */
import type { Db } from '../db/schema.ts';
import { KINDS, type Kind, ROLE_CHANGED } from './codes.ts';
import type { ChangeSet } from './queries.ts';

export type HistoryFilter = {
  kinds: readonly Kind[];
  actorId?: number | undefined;
  userId?: number | undefined;
  /** Of whom access is seen, where that of others is not. */
  ownAccess?: number | undefined;
  /** In milliseconds: from the first on, before the second. */
  from?: number | undefined;
  before?: number | undefined;
};

/** A page begins before or after a change set, which it does not hold. */
export type HistoryCursor = { side: 'older' | 'newer'; at: number; id: number };

export type HistoryPage = { sets: readonly ChangeSet[]; hasNewer: boolean; hasOlder: boolean };

export async function readHistory(
  db: Db,
  filter: HistoryFilter,
  cursor: HistoryCursor | undefined,
  limit: number,
): Promise<HistoryPage> {
  const isOlder = cursor?.side !== 'newer';
  const found = await findSets(db, filter, cursor, limit + 1);
  const sets = found.slice(0, limit);
  const isMore = found.length > limit;
  const [first] = sets;
  const back = { side: isOlder ? 'newer' : 'older', ...(first ?? { at: 0, id: 0 }) } as const;
  const isBehind =
    cursor !== undefined && first !== undefined && (await findSets(db, filter, back, 1)).length > 0;
  return isOlder
    ? { sets, hasOlder: isMore, hasNewer: isBehind }
    : { sets: sets.reverse(), hasNewer: isMore, hasOlder: isBehind };
}

async function findSets(
  db: Db,
  filter: HistoryFilter,
  cursor: HistoryCursor | undefined,
  limit: number,
): Promise<ChangeSet[]> {
  const found = new Map<number, ChangeSet>();
  for (const query of setQueries(db, filter, cursor, limit))
    for (const set of await query.execute()) found.set(set.id, set);
  const sign = cursor?.side === 'newer' ? -1 : 1;
  const ordered = [...found.values()].sort((one, other) => sign * (other.at - one.at || other.id - one.id));
  return ordered.slice(0, limit);
}

/** Each as an index has them, so that none that may not be seen, and none of others, has to be gone past. */
export function setQueries(db: Db, filter: HistoryFilter, cursor: HistoryCursor | undefined, limit: number) {
  return partsOf(db, filter).map((part) => inRange(part, filter, cursor).limit(limit));
}

/** Kind by kind, and one's own access; or all of one user. */
function partsOf(db: Db, { kinds, userId, ownAccess }: HistoryFilter) {
  if (userId !== undefined) return partsOfUser(db, userId, kinds);
  const sets = db.selectFrom('change_sets').selectAll('change_sets');
  const everyone = kinds.map((kind) => sets.where('change_sets.kind', '=', KINDS[kind]));
  return ownAccess === undefined ? everyone : [...everyone, ...partsOfUser(db, ownAccess, ['access'])];
}

/** What was changed of them, and what is a fact about them. */
function partsOfUser(db: Db, userId: number, kinds: readonly Kind[]) {
  if (kinds.length === 0) return [];
  const codes = kinds.map((kind) => KINDS[kind]);
  const sets = db.selectFrom('change_sets').selectAll('change_sets');
  const ofKinds = sets.where('change_sets.kind', 'in', codes);
  // SQLite keeps to the order of a cross join, and does not begin with everyone's sets of a kind.
  const changing = db
    .selectFrom('changes')
    .crossJoin('change_sets')
    .whereRef('change_sets.id', '=', 'changes.set_id')
    .selectAll('change_sets')
    .where('changes.user_id', '=', userId)
    .where('change_sets.kind', 'in', codes);
  return [ofKinds.where('change_sets.subject_id', '=', userId), changing as unknown as typeof sets];
}

function inRange(
  part: ReturnType<typeof partsOf>[number],
  { kinds, actorId, from, before }: HistoryFilter,
  cursor: HistoryCursor | undefined,
) {
  const isNewer = cursor?.side === 'newer';
  const isAccessAlone = kinds.every((kind) => kind === 'access');
  let sets = part;
  // It stands beside the change that says so, for those who look for changes of access alone.
  if (!isAccessAlone)
    sets = sets.where(({ eb, or }) =>
      or([eb('change_sets.event', 'is', null), eb('change_sets.event', '!=', ROLE_CHANGED)]),
    );
  if (actorId !== undefined) sets = sets.where('change_sets.actor_id', '=', actorId);
  if (from !== undefined) sets = sets.where('change_sets.at', '>=', from);
  if (before !== undefined) sets = sets.where('change_sets.at', '<', before);
  if (cursor)
    sets = sets
      .where('change_sets.at', isNewer ? '>=' : '<=', cursor.at)
      .where(({ eb, or }) =>
        or([eb('change_sets.at', '!=', cursor.at), eb('change_sets.id', isNewer ? '>' : '<', cursor.id)]),
      );
  const direction = isNewer ? 'asc' : 'desc';
  return sets.orderBy('change_sets.at', direction).orderBy('change_sets.id', direction);
}
