/** Everyone's change sets, the last first, by whom, of which kind and when: each from an index. */
import type { Db } from '../db/schema.ts';
import { unindexed } from '../db/unindexed.ts';
import { isAboutAccess, KINDS, type Kind } from './kinds.ts';
import type { ChangeSet } from './queries.ts';
import { findVersionSets, findVersionsBetween } from './versions.ts';

export type HistoryFilter = {
  kinds: readonly Kind[];
  actorId?: number | undefined;
  userId?: number | undefined;
  /** What is found of one user besides, whose access is seen where that of others is not. */
  own?: { id: number; kinds: readonly Kind[] } | undefined;
  /** In milliseconds: from the first on, before the second. */
  from?: number | undefined;
  before?: number | undefined;
};

/** A page begins before or after a change set, which it does not hold. */
export type HistoryCursor = { side: 'older' | 'newer'; at: number; id: number };

const ALWAYS = Number.POSITIVE_INFINITY;

type Place = Pick<ChangeSet, 'at' | 'id'>;

export type HistoryPage = {
  sets: readonly ChangeSet[];
  newer: HistoryCursor | undefined;
  older: HistoryCursor | undefined;
  /** From where it was not looked any further, though there may be more. */
  goOn: HistoryCursor | undefined;
};

/** `stoppedAt`: what is beyond it was not looked for. */
type FoundSets = { sets: ChangeSet[]; stoppedAt: Place | undefined };

export async function readHistory(
  db: Db,
  filter: HistoryFilter,
  cursor: HistoryCursor | undefined,
  limit: number,
): Promise<HistoryPage> {
  const side = cursor?.side ?? 'older';
  const found = await findSets(db, filter, cursor, limit + 1);
  const sets = found.sets.slice(0, limit);
  const isMore = found.sets.length > limit;
  const goOn = !isMore && found.stoppedAt ? cursorAt(side, found.stoppedAt) : undefined;
  const ahead = isMore ? cursorAt(side, sets[limit - 1]) : goOn;
  const behind = cursor && (await findBehind(db, filter, cursor, sets[0] ?? found.stoppedAt));
  return side === 'older'
    ? { sets, older: ahead, newer: behind, goOn }
    : { sets: sets.reverse(), newer: ahead, older: behind, goOn };
}

function cursorAt(side: HistoryCursor['side'], place: Place | undefined): HistoryCursor | undefined {
  return place && { side, at: place.at, id: place.id };
}

/** To where one has come from, if there is, or may be, anything. @param start undefined where there is nothing ahead */
async function findBehind(
  db: Db,
  filter: HistoryFilter,
  { side, at, id }: HistoryCursor,
  start: Place | undefined,
): Promise<HistoryCursor | undefined> {
  const back = side === 'older' ? 'newer' : 'older';
  const place = start ?? { at, id: back === 'newer' ? id - 1 : id + 1 };
  const behind = cursorAt(back, place);
  const { sets, stoppedAt } = await findSets(db, filter, behind, 1);
  return sets.length > 0 || stoppedAt ? behind : undefined;
}

async function findSets(
  db: Db,
  filter: HistoryFilter,
  cursor: HistoryCursor | undefined,
  limit: number,
): Promise<FoundSets> {
  const found = new Map<number, ChangeSet>();
  // Each as an index has them, so that none that may not be seen, and none of others, has to be gone past.
  for (const query of partsOf(db, filter).map((part) => inRange(part, filter, cursor).limit(limit)))
    for (const set of await query.execute()) found.set(set.id, set);
  const ofUser = await findSetsOfUser(db, filter, cursor, limit);
  for (const set of ofUser.sets) found.set(set.id, set);
  const sign = cursor?.side === 'newer' ? -1 : 1;
  const order = (one: Place, other: Place) => sign * (other.at - one.at || other.id - one.id);
  const { stoppedAt } = ofUser;
  const ordered = [...found.values()].sort(order);
  const reached = stoppedAt ? ordered.filter((set) => order(set, stoppedAt) <= 0) : ordered;
  return { sets: reached.slice(0, limit), stoppedAt };
}

function partsOf(db: Db, { kinds, actorId, userId, own }: HistoryFilter) {
  const sets = allSets(db);
  const by = actorId === undefined ? sets : sets.where('actor_id', '=', actorId);
  const everyone = userId === undefined ? kinds.map((kind) => by.where('kind', '=', KINDS[kind])) : [];
  const asked = userId === undefined ? own : (own ?? { id: userId, kinds });
  const codes = (asked?.kinds ?? []).filter(isAboutAccess).map((kind) => KINDS[kind]);
  if (asked === undefined || codes.length === 0) return everyone;
  const about = sets.where('subject_id', '=', asked.id).where(unindexed('kind'), 'in', codes);
  const done = actorId === undefined ? about : about.where(unindexed('actor_id'), '=', actorId);
  return [...everyone, done];
}

type Sets = ReturnType<typeof allSets>;

function allSets(db: Db) {
  return db.selectFrom('change_sets').selectAll();
}

function inRange(part: Sets, filter: HistoryFilter, cursor?: HistoryCursor): Sets {
  const isNewer = cursor?.side === 'newer';
  const [from, before] = timesOf(filter, cursor);
  let sets = part;
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
): Promise<FoundSets> {
  const { kinds, actorId, userId } = filter;
  if (userId === undefined || kinds.length === 0) return { sets: [], stoppedAt: undefined };
  const codes = kinds.map((kind) => KINDS[kind]);
  const isAscending = cursor?.side === 'newer';
  const isBeyond = ({ at, id }: Place) =>
    at !== cursor?.at || (isAscending ? id > cursor.id : id < cursor.id);
  const isWanted = (set: ChangeSet) =>
    codes.some((code) => code === set.kind) &&
    (actorId === undefined || set.actor_id === actorId) &&
    isBeyond(set);
  const versions = await findVersionsBetween(db, userId, timesOf(filter, cursor));
  for (;;) {
    const { found, stoppedAt } = await findVersionSets(db, userId, versions, {
      isAscending,
      limit,
      isWanted,
    });
    // However many were at one moment, it goes on past what was gone through before.
    if (stoppedAt === undefined || isBeyond(stoppedAt.set))
      return { sets: found.map(({ set }) => set), stoppedAt: stoppedAt?.set };
    if (isAscending) versions.from = stoppedAt.version + 1;
    else versions.before = stoppedAt.version;
  }
}

/** From the first on, before the second. Given two bounds on one side, SQLite takes an index that has less of what is asked for. */
function timesOf({ from = 0, before = ALWAYS }: HistoryFilter, cursor: HistoryCursor | undefined) {
  if (cursor === undefined) return [from, before] as const;
  const { side, at } = cursor;
  return side === 'newer'
    ? ([Math.max(from, at), before] as const)
    : ([from, Math.min(before, at + 1)] as const);
}
