/** Whether values that somebody had would have matched a filter, as far as values tell: not when they had signed in. */
import { maySignIn } from '../../auth/policy.ts';
import { derivedColumns } from '../../db/derived-columns.ts';
import type { KeptValues } from '../../history/fields.ts';
import { textToFind } from '../../search/terms.ts';
import { type Filter, givenRows } from './filter.ts';
import type { FilterRow } from './filters.ts';

export function wouldMatch(filter: Filter, values: KeptValues): boolean {
  const { search_text } = derivedColumns(values);
  const hasTerms = filter.q?.terms.every((term) => search_text.includes(textToFind(term))) ?? true;
  return hasTerms && givenRows(filter).every(([, row, value]) => passes(row, value, values));
}

function passes({ column, condition }: FilterRow<unknown>, value: unknown, values: KeptValues): boolean {
  if (column === undefined) return condition === undefined || maySignIn(values);
  const own = values[column.name as keyof KeptValues] ?? '';
  const asked = column.value(value);
  if (column.operator === '=') return own === asked;
  return column.operator === '<' ? own < asked : own >= asked;
}
