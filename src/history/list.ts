/** Everyone's change sets, the last first, by whom, of which kind and when: each from an index. */
import type { Db } from '../db/schema.ts';
import { KINDS, type Kind, ROLE_CHANGED } from './codes.ts';
import type { ChangeSet } from './queries.ts';

export type HistoryFilter = {
  kinds: readonly Kind[];
  actorId?: number | undefined;
  userId?: number | undefined;
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

/** Kind by kind, as the indexes have them, so that none that may not be seen has to be gone past. */
async function findSets(
  db: Db,
  { kinds, ...filter }: HistoryFilter,
  cursor: HistoryCursor | undefined,
  limit: number,
): Promise<ChangeSet[]> {
  const parts = filter.userId === undefined ? kinds.map((kind) => [kind]) : [kinds];
  const isAccessAlone = kinds.every((kind) => kind === 'access');
  const found: ChangeSet[] = [];
  for (const part of parts) {
    const codes = part.map((kind) => KINDS[kind]);
    const sets = inRange(db, { ...filter, codes, isAccessAlone }, cursor).limit(limit);
    found.push(...(await sets.execute()));
  }
  const sign = cursor?.side === 'newer' ? -1 : 1;
  return found.sort((one, other) => sign * (other.at - one.at || other.id - one.id)).slice(0, limit);
}

type Part = Omit<HistoryFilter, 'kinds'> & { codes: number[]; isAccessAlone: boolean };

function inRange(
  db: Db,
  { codes, isAccessAlone, actorId, userId, from, before }: Part,
  cursor: HistoryCursor | undefined,
) {
  const isNewer = cursor?.side === 'newer';
  let sets = db.selectFrom('change_sets').selectAll().where('kind', 'in', codes);
  // It stands beside the change that says so, for those who look for changes of access alone.
  if (!isAccessAlone)
    sets = sets.where(({ eb, or }) => or([eb('event', 'is', null), eb('event', '!=', ROLE_CHANGED)]));
  if (actorId !== undefined) sets = sets.where('actor_id', '=', actorId);
  if (userId !== undefined)
    sets = sets.where(({ eb, or, selectFrom }) =>
      or([
        eb('subject_id', '=', userId),
        eb('id', 'in', selectFrom('changes').select('set_id').where('user_id', '=', userId)),
      ]),
    );
  if (from !== undefined) sets = sets.where('at', '>=', from);
  if (before !== undefined) sets = sets.where('at', '<', before);
  if (cursor)
    sets = sets
      .where('at', isNewer ? '>=' : '<=', cursor.at)
      .where(({ eb, or }) => or([eb('at', '!=', cursor.at), eb('id', isNewer ? '>' : '<', cursor.id)]));
  const direction = isNewer ? 'asc' : 'desc';
  return sets.orderBy('at', direction).orderBy('id', direction);
}
