/** The state of the list, which its address says in full. */
import type { Cursor } from './cursor.ts';
import { type Filter, NO_FILTER } from './filter.ts';
import type { Sort } from './order.ts';
import { DEFAULT_PAGE_SIZE } from './page-size.ts';

export type FilterAndOrder = Filter & { sort: Sort };

export type ListState = FilterAndOrder & {
  /** From 1; 0 where nobody has counted how far the cursor is from the start. */
  page: number;
  perPage: number;
  cursor: Cursor | undefined;
};

export const DEFAULTS: ListState = {
  ...NO_FILTER,
  page: 1,
  perPage: DEFAULT_PAGE_SIZE,
  sort: 'id',
  cursor: undefined,
};
