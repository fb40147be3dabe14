/** What the views of the list, and of the ways back to it, can call. */
import { fromParameter, listAddress, listParameters, listQuery } from './address.ts';
import { cursorAt, cursorAtLetter } from './cursor.ts';
import { appliedFilters, type Filter, filterFields, isCounted, isFiltered, NO_FILTER } from './filter.ts';
import { SORT_LABELS } from './order.ts';
import { OFFERED_PAGE_SIZES } from './page-size.ts';
import { selectionAddress, selectionParameters } from './selection.ts';
import { DEFAULTS } from './state.ts';

export const listHelpers = {
  appliedFilters,
  cursorAt,
  cursorAtLetter,
  filterFields,
  fromParameter,
  isCounted,
  isFiltered,
  listAddress,
  listParameters,
  listQuery,
  noFilter: NO_FILTER,
  plainList: DEFAULTS,
  pageSizes: OFFERED_PAGE_SIZES,
  selectionAddress,
  selectionParameters,
  sortLabels: SORT_LABELS,
  listName: (from: Filter) => (isFiltered(from) ? 'Back to the list' : 'All users'),
};
