/** Whether some would have matched a filter with values that they had. */
import type { Db } from '../../db/schema.ts';
import type { KeptValues } from '../../history/fields.ts';
import { type Filter, givenRows } from './filter.ts';
import type { FilterRow } from './filters.ts';

type Question = (id: number, values: KeptValues) => boolean;

export async function wouldMatch(db: Db, filter: Filter, ids: readonly number[]): Promise<Question> {
  const questions: Question[] = [];
  for (const [, row, value] of givenRows(filter)) questions.push(await questionOf(db, row, value, ids));
  return (id, values) => questions.every((passes) => passes(id, values));
}

async function questionOf(
  db: Db,
  { column, wouldPass, passing }: FilterRow<unknown>,
  value: unknown,
  ids: readonly number[],
): Promise<Question> {
  if (passing || wouldPass) {
    const those = new Set(passing ? await passing(db, value, ids) : ids);
    return (id, values) => those.has(id) && (wouldPass?.(value, values) ?? true);
  }
  if (column) return (_id, values) => isInColumn(column, value, values);
  throw new Error('A filter without a column has to say whom it would have let through.');
}

function isInColumn(
  { name, operator, value }: NonNullable<FilterRow<unknown>['column']>,
  given: unknown,
  values: KeptValues,
): boolean {
  const own = values[name as keyof KeptValues] ?? '';
  const asked = value(given);
  if (operator === '=') return own === asked;
  return operator === '<' ? own < asked : own >= asked;
}
