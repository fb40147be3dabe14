/** What is exported, in words. */
import { appliedFilters } from '../users/list/filter.ts';
import type { Selection } from '../users/list/selection.ts';
import { FORMATS, type FormatName } from './formats.ts';

/** `users-inactive-editor-2026-01-31.csv` */
export function fileNameOf({ list, ticked }: Selection, format: FormatName, now: number): string {
  const { q, status, role } = list;
  const parts = ticked ? ['ticked'] : [status, role, q && 'found'];
  const day = new Date(now).toISOString().slice(0, 10);
  const name = ['users', ...parts.filter((part) => part !== undefined), day].join('-');
  return `${name}.${FORMATS[format].extension}`;
}

/** For the history, which outlasts people: not what was searched for, which may be a name. */
export function detailOf({ list, ticked }: Selection, format: FormatName): string {
  const filters = appliedFilters({ ...list, q: undefined }).map(({ text }) => text);
  const what = ticked ? ['ticked'] : [...filters, ...(list.q ? ['a search'] : [])];
  return what.length > 0 ? `${FORMATS[format].name}: ${what.join(', ')}` : FORMATS[format].name;
}
