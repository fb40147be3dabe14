/** Pages for which no index has both the filter and the order: something is gone through, in batches. */
import { engineOf } from '../../db/engine.ts';
import type { Db } from '../../db/schema.ts';
import { usersByIds } from '../../db/users-by-ids.ts';
import { TooBroadError } from '../../errors.ts';
import { type Bounds, boundsOf, inBounds, type SearchContext } from './conditions.ts';
import { inRange, type Slice } from './key-range.ts';
import { isAscending, orderBySort, orderOf } from './order.ts';
import type { RowsPlan } from './plan.ts';
import { BATCH, scanBatches } from './scan-batches.ts';
import { asksForSignIn, byLastSignIn, byNumber } from './sign-in-batches.ts';
import type { FilterAndOrder } from './state.ts';

/** Longer, since the index is not left for the rows of the table. */
const INDEX_BATCH = 20_000;
const SHORTEST_FIRST_BATCH = 50;
const FIRST_BATCH_FOR_EACH_WANTED = 3;
/** Batches that the scan in order is ahead of those who match in another: mostly that is enough. */
const HEAD_START = 12;
const MOST_KEPT = 10_000;

/** Yields after each batch, and returns the ids in the slice. */
type Scan = AsyncGenerator<void, number[]>;

/** By whichever scan ends first. @throws TooBroadError when none ends in time. */
export async function scanForPage(
  db: Db,
  list: FilterAndOrder,
  context: SearchContext,
  slice: Slice,
  plan: RowsPlan = 'scan',
): Promise<number[]> {
  const scans = [scanInOrder(db, list, context, slice, plan)];
  if (plan === 'scan-or-top-by-date') scans.push(topByDate(db, list, slice));
  const others = slice.offset + slice.limit <= MOST_KEPT && inOtherOrder(db, list, context, plan);
  if (others) scans.push(topOf(db, list, slice, others));
  for (;;) {
    for (const scan of scans) {
      const { done, value } = await scan.next();
      if (done) return value;
    }
    if (context.deadline.isPast) throw new TooBroadError('Too many rows had to be looked through.');
  }
}

function inOtherOrder(db: Db, list: FilterAndOrder, context: SearchContext, plan: RowsPlan) {
  if (plan === 'scan-or-top-by-sign-in' && asksForSignIn(list)) return byLastSignIn(db, list, context);
  if (plan !== 'scan-or-top-by-role') return undefined;
  const byRole = { ...context, lead: 'role' as const };
  return scanBatches(db, { ...list, sort: 'created' }, byRole, { isFromEnd: false }, BATCH);
}

async function* scanInOrder(
  db: Db,
  list: FilterAndOrder,
  context: SearchContext,
  slice: Slice,
  plan: RowsPlan,
): Scan {
  const { offset, limit } = slice;
  const wanted = offset + limit;
  const ids: number[] = [];
  for await (const found of inOrder(db, list, context, slice, plan)) {
    ids.push(...found);
    if (ids.length >= wanted) break;
    yield;
  }
  return ids.slice(offset, wanted);
}

function inOrder(
  db: Db,
  list: FilterAndOrder,
  context: SearchContext,
  { isFromEnd, offset, limit, range }: Slice,
  plan: RowsPlan,
): AsyncGenerator<number[]> {
  const isById = orderOf(list.sort).key === 'id';
  if (plan === 'scan-or-top-by-sign-in' && isById && asksForSignIn(list))
    return byNumber(db, list, context, { isAscending: isAscending(list.sort, isFromEnd), range });
  const first = Math.max(SHORTEST_FIRST_BATCH, FIRST_BATCH_FOR_EACH_WANTED * (offset + limit));
  return scanBatches(db, list, context, { isFromEnd, range }, Math.min(BATCH, first));
}

async function* topOf(
  db: Db,
  list: FilterAndOrder,
  { isFromEnd, offset, limit, range }: Slice,
  batches: AsyncGenerator<number[]>,
): Scan {
  for (let batch = 0; batch < HEAD_START; batch++) yield;
  let first: number[] = [];
  for await (const found of batches) {
    if (found.length > 0) {
      const users = usersByIds(db, [...first, ...found]);
      const rows = orderBySort(range ? users.where(inRange(list.sort, range)) : users, list.sort, isFromEnd)
        .select('users.id')
        .limit(offset + limit);
      first = (await engineOf(db).runBatch(() => rows.execute())).map(({ id }) => id);
    }
    yield;
  }
  return first.slice(offset);
}

async function* topByDate(db: Db, list: FilterAndOrder, { isFromEnd, offset, limit, range }: Slice): Scan {
  const bounds = boundsOf(list);
  const order = isAscending(list.sort, isFromEnd) ? 'asc' : 'desc';
  const sign = order === 'asc' ? 1 : -1;
  let first: number[] = [];
  let start = Number(bounds.createdAfter ?? 0);
  for (;;) {
    const end = await endOfDates(db, bounds, start);
    const dated = db
      .selectFrom('users')
      .select('users.id')
      .where(inBounds({ ...bounds, createdAfter: start, createdBefore: end ?? bounds.createdBefore }))
      .$if(range !== undefined, (query) =>
        query.where(inRange(list.sort, range as NonNullable<typeof range>)),
      )
      // With a limit, so that it is the dates that are gone through.
      .limit(Number.MAX_SAFE_INTEGER);
    const rows = db
      .selectFrom(dated.as('users'))
      .select('id')
      .orderBy('id', order)
      .limit(offset + limit);
    const found = await engineOf(db).runBatch(() => rows.execute());
    first = [...first, ...found.map(({ id }) => id)]
      .sort((one, other) => sign * (one - other))
      .slice(0, offset + limit);
    if (end === undefined) return first.slice(offset);
    start = end;
    yield;
  }
}

async function endOfDates(db: Db, bounds: Bounds, start: number): Promise<number | undefined> {
  const ends = db
    .selectFrom('users')
    .select('created_at')
    .where(inBounds({ ...bounds, createdAfter: start }))
    .orderBy('created_at')
    .limit(1)
    .offset(INDEX_BATCH);
  const [beyond] = await engineOf(db).runBatch(() => ends.execute());
  // However many were created at one moment, it goes on past it.
  return beyond && Math.max(beyond.created_at, start + 1);
}
