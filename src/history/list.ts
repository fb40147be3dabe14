/** Everyone's change sets, the last first, by whom, of which kind and when: each from an index. */
import { engineOf } from '../db/engine.ts';
import type { Db } from '../db/schema.ts';
import { unindexed } from '../db/unindexed.ts';
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

const ALWAYS = Number.MAX_SAFE_INTEGER;

/** With the sets that changed the user who is asked for: joined, PostgreSQL may go through everyone's. */
type Search = HistoryFilter & { setIds: readonly number[] };

export async function readHistory(
  db: Db,
  filter: HistoryFilter,
  cursor: HistoryCursor | undefined,
  limit: number,
): Promise<HistoryPage> {
  const userId = filter.userId ?? filter.ownAccess;
  const search = { ...filter, setIds: userId === undefined ? [] : await findSetsOf(db, userId) };
  const isOlder = cursor?.side !== 'newer';
  const found = await findSets(db, search, cursor, limit + 1);
  const sets = found.slice(0, limit);
  const isMore = found.length > limit;
  const [first] = sets;
  const back = { side: isOlder ? 'newer' : 'older', ...(first ?? { at: 0, id: 0 }) } as const;
  const isBehind =
    cursor !== undefined && first !== undefined && (await findSets(db, search, back, 1)).length > 0;
  return isOlder
    ? { sets, hasOlder: isMore, hasNewer: isBehind }
    : { sets: sets.reverse(), hasNewer: isMore, hasOlder: isBehind };
}

async function findSetsOf(db: Db, userId: number): Promise<number[]> {
  const rows = await db.selectFrom('changes').select('set_id').where('user_id', '=', userId).execute();
  return rows.map(({ set_id }) => set_id);
}

async function findSets(
  db: Db,
  search: Search,
  cursor: HistoryCursor | undefined,
  limit: number,
): Promise<ChangeSet[]> {
  const found = new Map<number, ChangeSet>();
  // Each as an index has them, so that none that may not be seen, and none of others, has to be gone past.
  for (const query of partsOf(db, search).map((part) => inRange(part, search, cursor).limit(limit)))
    for (const set of await query.execute()) found.set(set.id, set);
  const sign = cursor?.side === 'newer' ? -1 : 1;
  const ordered = [...found.values()].sort((one, other) => sign * (other.at - one.at || other.id - one.id));
  return ordered.slice(0, limit);
}

/** Kind by kind, and one's own access; or all of one user. */
function partsOf(db: Db, search: Search) {
  const { kinds, actorId, userId, ownAccess } = search;
  if (userId !== undefined) return partsOfUser(db, userId, kinds, search);
  const sets = db.selectFrom('change_sets').selectAll();
  const by = actorId === undefined ? sets : sets.where('actor_id', '=', actorId);
  const everyone = kinds.map((kind) => by.where('kind', '=', KINDS[kind]));
  return ownAccess === undefined
    ? everyone
    : [...everyone, ...partsOfUser(db, ownAccess, ['access'], search)];
}

/** What was changed of them, and what is a fact about them, which are all about access. */
function partsOfUser(db: Db, userId: number, kinds: readonly Kind[], { actorId, setIds }: Search) {
  const codes = kinds.map((kind) => KINDS[kind]);
  const sets = db.selectFrom('change_sets').selectAll();
  const by = actorId === undefined ? sets : sets.where(unindexed('actor_id'), '=', actorId);
  const changing = by.where(engineOf(db).isOneOf('id', setIds)).where(unindexed('kind'), 'in', codes);
  const facts = by.where('subject_id', '=', userId);
  return [...(codes.length > 0 ? [changing] : []), ...(kinds.includes('access') ? [facts] : [])];
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

/** From the first on, before the second. Given two bounds on one side, SQLite takes an index that has less of what is asked for. */
function timesOf({ from = 0, before = ALWAYS }: HistoryFilter, cursor: HistoryCursor | undefined) {
  if (cursor === undefined) return [from, before] as const;
  const { side, at } = cursor;
  return side === 'newer'
    ? ([Math.max(from, at), before] as const)
    : ([from, Math.min(before, at + 1)] as const);
}
