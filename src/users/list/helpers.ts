/** What the views of the list, and of the ways back to it, can call. */
import { fromParameter, hiddenParameters, listAddress, listParameters } from './address.ts';
import { cursorAt, cursorAtLetter } from './cursor.ts';
import { describeFilter, type Filter, isCounted, isFiltered, NO_FILTER } from './filter.ts';
import { SORT_LABELS } from './order.ts';
import { OFFERED_PAGE_SIZES } from './page-size.ts';

export const listHelpers = {
  cursorAt,
  cursorAtLetter,
  describeFilter,
  fromParameter,
  hiddenParameters,
  isCounted,
  isFiltered,
  listAddress,
  listParameters,
  noFilter: NO_FILTER,
  pageSizes: OFFERED_PAGE_SIZES,
  sortLabels: SORT_LABELS,
  listName: (from: Filter) => (isFiltered(from) ? 'Back to the list' : 'All users'),
};
