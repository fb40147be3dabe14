/** Going through an order in batches, between which others have their turn. */
import { engineOf } from '../../db/engine.ts';
import type { Db } from '../../db/schema.ts';
import { inBounds, type SearchContext, splitByIndex } from './conditions.ts';
import { inRange, type KeyRange, rangesAfter, type Slice } from './key-range.ts';
import { orderBySort, orderOf } from './order.ts';
import type { FilterAndOrder } from './state.ts';

/** Rows in one batch: a few milliseconds, in which SQLite answers nobody else. */
export const BATCH = 2_000;

/** Yields the ids of those who match in each batch; each is twice as long as the one before. */
export async function* scanBatches(
  db: Db,
  list: FilterAndOrder,
  { terms, search, lead }: SearchContext,
  { isFromEnd, range }: Pick<Slice, 'isFromEnd' | 'range'>,
  firstLength: number,
): AsyncGenerator<number[]> {
  const { sort } = list;
  const { column } = orderOf(sort);
  const [indexed, rest] = splitByIndex(list, sort, lead);
  const has = search ? terms.map(search.has) : [];
  let ranges: readonly (KeyRange | undefined)[] = [range];
  let length = firstLength;
  while (ranges.length > 0) {
    const [next] = ranges;
    const users = db.selectFrom('users').where(inBounds(indexed));
    const rows = orderBySort(next ? users.where(inRange(sort, next)) : users, sort, isFromEnd)
      .select(['users.id', `users.${column} as key`])
      .select((where) => where.and([inBounds(rest)(where), ...has]).as('is_match'))
      // One more, to know whether others have the key of the last.
      .limit(length + 1);
    const found = await engineOf(db).runBatch(() => rows.execute());
    const batch = found.slice(0, length);
    yield batch.filter(({ is_match }) => is_match).map(({ id }) => id);
    const [last, beyond] = [found[length - 1], found[length]];
    if (last === undefined || beyond === undefined) ranges = ranges.slice(1);
    else {
      const after = rangesAfter(sort, { side: isFromEnd ? 'before' : 'after', ...last });
      // A tie that was asked for is not left.
      ranges = after.filter(({ isTie }) => (isTie ? last.key === beyond.key : !range?.isTie));
    }
    length = Math.min(BATCH, 2 * length);
  }
}
