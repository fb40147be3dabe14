/** What is exported, in words. */
import { appliedFilters, givenRows } from '../users/list/filter.ts';
import type { Selection } from '../users/list/selection.ts';
import { FORMATS, type FormatName } from './formats.ts';

/** `users-inactive-editor-2026-01-31.csv` */
export function fileNameOf({ list, ticked }: Selection, format: FormatName, now: number): string {
  const filters = givenRows(list).map(([, { inFileName }, value]) => inFileName(value));
  const parts = ticked ? ['ticked'] : new Set(filters);
  const day = new Date(now).toISOString().slice(0, 10);
  return `${['users', ...parts, day].join('-')}.${FORMATS[format].extension}`;
}

/** For the history, which outlasts people: not what was searched for, which may be a name. */
export function detailOf({ list, ticked }: Selection, format: FormatName): string {
  const filters = appliedFilters({ ...list, q: undefined }).map(({ text }) => text);
  const what = ticked ? ['ticked'] : [...filters, ...(list.q ? ['a search'] : [])];
  return what.length > 0 ? `${FORMATS[format].name}: ${what.join(', ')}` : FORMATS[format].name;
}
