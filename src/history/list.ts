/** Everyone's change sets, the last first, by whom, of which kind and when: each from an index. */
import type { Db } from '../db/schema.ts';
import { unindexed } from '../db/unindexed.ts';
import { KINDS, type Kind, ROLE_CHANGED } from './codes.ts';
import type { ChangeSet } from './queries.ts';
import { findVersionSets, findVersionsBetween } from './versions.ts';

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

/** No end in time. */
const ALWAYS = Number.POSITIVE_INFINITY;

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
  // Each as an index has them, so that none that may not be seen, and none of others, has to be gone past.
  for (const query of partsOf(db, filter).map((part) => inRange(part, filter, cursor).limit(limit)))
    for (const set of await query.execute()) found.set(set.id, set);
  for (const set of await findSetsOfUser(db, filter, cursor, limit)) found.set(set.id, set);
  const sign = cursor?.side === 'newer' ? -1 : 1;
  const ordered = [...found.values()].sort((one, other) => sign * (other.at - one.at || other.id - one.id));
  return ordered.slice(0, limit);
}

/** Kind by kind, and one's own access; or what is about the access of one user. */
function partsOf(db: Db, { kinds, actorId, userId, ownAccess }: HistoryFilter) {
  const sets = db.selectFrom('change_sets').selectAll();
  const by = actorId === undefined ? sets : sets.where('actor_id', '=', actorId);
  const about = (subject: number) =>
    (actorId === undefined ? sets : sets.where(unindexed('actor_id'), '=', actorId)).where(
      'subject_id',
      '=',
      subject,
    );
  if (userId !== undefined) return kinds.includes('access') ? [about(userId)] : [];
  const everyone = kinds.map((kind) => by.where('kind', '=', KINDS[kind]));
  return ownAccess === undefined ? everyone : [...everyone, about(ownAccess)];
}

function inRange(part: ReturnType<typeof partsOf>[number], filter: HistoryFilter, cursor?: HistoryCursor) {
  const isNewer = cursor?.side === 'newer';
  const isAccessAlone = filter.kinds.every((kind) => kind === 'access');
  const [from, before] = timesOf(filter, cursor);
  let sets = part;
  // It stands beside the change that says so, for those who look for changes of access alone.
  if (!isAccessAlone)
    sets = sets.where(({ eb, or }) => or([eb('event', 'is', null), eb('event', '!=', ROLE_CHANGED)]));
  if (from > 0) sets = sets.where('at', '>=', from);
  if (before < ALWAYS) sets = sets.where('at', '<', before);
  if (cursor)
    sets = sets.where(({ eb, or }) =>
      or([eb('at', '!=', cursor.at), eb('id', isNewer ? '>' : '<', cursor.id)]),
    );
  const direction = isNewer ? 'asc' : 'desc';
  return sets.orderBy('at', direction).orderBy('id', direction);
}

/** What was changed of one user: each at the time when it was, which may be later than that of its set. */
async function findSetsOfUser(
  db: Db,
  filter: HistoryFilter,
  cursor: HistoryCursor | undefined,
  limit: number,
): Promise<ChangeSet[]> {
  const { kinds, actorId, userId } = filter;
  if (userId === undefined) return [];
  const codes = kinds.map((kind) => KINDS[kind]);
  const isAscending = cursor?.side === 'newer';
  const isBeyond = ({ at, id }: ChangeSet) =>
    at !== cursor?.at || (isAscending ? id > cursor.id : id < cursor.id);
  const isWanted = (set: ChangeSet) =>
    codes.some((code) => code === set.kind) &&
    (actorId === undefined || set.actor_id === actorId) &&
    isBeyond(set);
  const versions = await findVersionsBetween(db, userId, timesOf(filter, cursor));
  const found = await findVersionSets(db, userId, versions, { isAscending, limit, isWanted });
  return found.map(({ set }) => set);
}

/** From the first on, before the second. Given two bounds on one side, SQLite takes an index that has less of what is asked for. */
function timesOf({ from = 0, before = ALWAYS }: HistoryFilter, cursor: HistoryCursor | undefined) {
  if (cursor === undefined) return [from, before] as const;
  const { side, at } = cursor;
  return side === 'newer'
    ? ([Math.max(from, at), before] as const)
    : ([from, Math.min(before, at + 1)] as const);
}
