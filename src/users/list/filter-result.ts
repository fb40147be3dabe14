/** Who a filter lets through: how many they are and, where they are few, who. */
import { engineOf } from '../../db/engine.ts';
import type { Db } from '../../db/schema.ts';
import type { Found, SearchIndex } from '../../db/search-index.ts';
import { usersByIds } from '../../db/users-by-ids.ts';
import { LockedError, noneIfTooBroad, TooBroadError } from '../../errors.ts';
import { Deadline } from '../../lib/deadline.ts';
import type { Total } from '../../lib/pagination.ts';
import { firstAtFieldStart } from '../../search/terms.ts';
import { readCounts } from '../counts.ts';
import { absentUsers } from './absent-users.ts';
import {
  inBounds,
  matchCondition,
  rowCondition,
  type SearchContext,
  type Searched,
  splitByIndex,
} from './conditions.ts';
import type { Filter } from './filter.ts';
import { type CountPlan, type CountWay, MOST_COUNTED, planCount } from './plan.ts';
import { scanForPage } from './scan.ts';
import { asksForSignIn, byLastSignIn } from './sign-in-batches.ts';
import { lastSignIns } from './sign-ins.ts';

export const PATIENCE_MS = 900;
const PATIENCE_FOR_NEXT_WAY_MS = 600;
const LIMIT = MOST_COUNTED + 1;
const NOTHING_SEARCHED: Searched = { terms: [], search: undefined };

export type FilterResult = SearchContext & {
  total: Total;
  /** Of all who match, ascending; undefined where their number is kept, or where they are too many. */
  ids: readonly number[] | undefined;
  /** Of too many whom a search has found, some who come before all others in the order of their numbers. */
  first?: readonly number[] | undefined;
};

type Options = { plan?: CountPlan; search?: SearchIndex; deadline?: Deadline };

/** @throws TooBroadError */
export async function resolveFilter(
  db: Db,
  filter: Filter,
  { plan, search, deadline = Deadline.in(PATIENCE_MS) }: Options = {},
): Promise<FilterResult> {
  const { lead, ...count } = plan ?? planCount(filter, await readCounts(db));
  const searched = filter.q ? await searchedIn(db, filter, search) : NOTHING_SEARCHED;
  const context = { ...searched, lead, deadline };
  if (count.kind === 'kept')
    return { ...context, total: { count: count.count, isExact: true }, ids: undefined };
  const found = await findWho(db, filter, context, count.ways);
  if (found.kind === 'all')
    return { ...context, total: { count: found.ids.length, isExact: true }, ids: found.ids };
  return {
    ...context,
    total: { count: MOST_COUNTED, isExact: false },
    ids: undefined,
    first: found.first,
  };
}

export async function searchedIn(db: Db, { q }: Filter, given?: SearchIndex): Promise<Searched> {
  const search = q && (given ?? (await engineOf(db).searchIndexOf(db)));
  const terms = q?.terms ?? [];
  return { terms: search?.prefixOnly ? firstAtFieldStart(terms) : terms, search };
}

type Finder = (db: Db, filter: Filter, context: SearchContext) => Promise<Found | undefined>;

const FINDERS: Record<CountWay, Finder> = {
  index: counted(findByIndex),
  'index-then-rows': counted(thenByRows(findByIndex)),
  'absent-then-rows': counted(thenByRows(findByAbsence)),
  'sign-ins': counted(findBySignIn),
  'sign-ins-then-rows': counted(thenByRows(findFewBySignIn)),
  search: findBySearch,
  scan: counted(findByScan),
};

async function findWho(
  db: Db,
  filter: Filter,
  context: SearchContext,
  ways: readonly CountWay[],
): Promise<Found> {
  for (const way of ways.slice(0, -1)) {
    const deadline = context.deadline.before(PATIENCE_FOR_NEXT_WAY_MS);
    const found = await FINDERS[way](db, filter, { ...context, deadline }).catch((error) => {
      // In a transaction PostgreSQL answers nothing more once it has given a statement up.
      if (db.isTransaction) throw error;
      if (error instanceof LockedError && !context.deadline.isPast) return undefined;
      return noneIfTooBroad(error);
    });
    if (found) return found;
  }
  return (await FINDERS[ways.at(-1) ?? 'scan'](db, filter, context)) ?? { kind: 'all', ids: [] };
}

type IdFinder = (db: Db, filter: Filter, context: SearchContext) => Promise<number[] | undefined>;

function counted(find: IdFinder): Finder {
  return async (...given) => {
    const ids = await find(...given);
    return ids && (ids.length > MOST_COUNTED ? { kind: 'too many', first: [] } : { kind: 'all', ids });
  };
}

async function findByIndex(db: Db, filter: Filter, { lead }: SearchContext): Promise<number[]> {
  const [indexed] = splitByIndex(filter, 'created', lead);
  const users = db.selectFrom('users').select('id').where(inBounds(indexed)).limit(LIMIT);
  const rows = await engineOf(db).runBatch(() => users.execute());
  return rows.map(({ id }) => id).sort(ascending);
}

async function findByAbsence(db: Db, { absentFrom }: Filter): Promise<number[]> {
  if (absentFrom === undefined) return [];
  const users = absentUsers(db, absentFrom).limit(LIMIT);
  const rows = await engineOf(db).runBatch(() => users.execute());
  return rows.map(({ id }) => id).sort(ascending);
}

async function findFewBySignIn(db: Db, filter: Filter): Promise<number[]> {
  if (!asksForSignIn(filter)) return [];
  const signIns = lastSignIns(db, filter.signedIn, { isAscending: true }).limit(LIMIT);
  const rows = await engineOf(db).runBatch(() => signIns.execute());
  return rows.map(({ id }) => id).sort(ascending);
}

async function findBySignIn(db: Db, filter: Filter, context: SearchContext): Promise<number[]> {
  const ids: number[] = [];
  if (!asksForSignIn(filter)) return ids;
  for await (const found of byLastSignIn(db, filter, context)) {
    ids.push(...found);
    if (ids.length >= LIMIT) break;
    if (context.deadline.isPast) throw new TooBroadError('Too many sign-ins had to be looked through.');
  }
  return ids.slice(0, LIMIT).sort(ascending);
}

/** Everything is asked of those few whom an index has found; undefined where they are not few. */
function thenByRows(find: (db: Db, filter: Filter, context: SearchContext) => Promise<number[]>): IdFinder {
  return async (db, filter, context) => {
    const ids = await find(db, filter, context);
    if (ids.length === LIMIT) return undefined;
    const users = usersByIds(db, ids)
      .select('users.id')
      .where(matchCondition(filter, context))
      .orderBy('users.id');
    return (await engineOf(db).runBatch(() => users.execute())).map(({ id }) => id);
  };
}

async function findBySearch(db: Db, filter: Filter, { terms, search, deadline }: SearchContext) {
  return search?.findAll(db, { terms, condition: rowCondition(filter) }, MOST_COUNTED, deadline);
}

async function findByScan(db: Db, filter: Filter, context: SearchContext) {
  const slice = { isFromEnd: false, offset: 0, limit: LIMIT };
  const ids = await scanForPage(db, { ...filter, sort: 'created' }, context, slice);
  return ids.sort(ascending);
}

function ascending(one: number, other: number): number {
  return one - other;
}
