/** How a file is to be read, as somebody says it who has seen how it was. */
import { z } from 'zod';
import type { Fields } from '../lib/forms.ts';
import { type Column, DELIMITERS, ENCODINGS, type Field, NAME_ORDERS } from './reading/reading.ts';
import { type Choices, EMPTIES, type HowRead, MADE_OF, MATCHES } from './types.ts';
import { FIELD_LABELS } from './words.ts';

/** More cannot be told from each other on a page; a form has at most a hundred fields. */
const MOST_COLUMNS = 60;

const oneOf = <T extends string>(names: readonly T[]) => z.enum(names).optional().catch(undefined);
const keysOf = <K extends string>(table: Readonly<Record<K, unknown>>) => Object.keys(table) as K[];

/** What is not one of those that are offered stays as it was recognised. */
const schema = z.object({
  encoding: oneOf(keysOf(ENCODINGS)),
  delimiter: oneOf(keysOf(DELIMITERS)),
  match: oneOf(MATCHES),
  empty: oneOf(EMPTIES),
  usernames: oneOf(MADE_OF),
  names: oneOf(NAME_ORDERS),
});
const field = oneOf(keysOf(FIELD_LABELS));

export const CHOICES = keysOf(schema.shape);

export type OfferedColumn = Column & { index: number };

/** Those that can be said to be another field: the known ones, and the first of all others. */
export function offeredColumns(columns: readonly Column[]): OfferedColumn[] {
  const all = columns.map((column, index) => ({ ...column, index }));
  const [known, others] = [all.filter((one) => one.field), all.filter((one) => !one.field)];
  const offered = [...known, ...others.slice(0, Math.max(0, MOST_COLUMNS - known.length))];
  return offered.toSorted((one, other) => one.index - other.index);
}

export function parseChoices(
  fields: Fields,
  how: Pick<HowRead, 'encoding' | 'isPlain' | 'delimiter' | 'columns'> | undefined,
  before: Pick<Choices, 'fields' | 'names'>,
): Choices {
  const choices = Object.fromEntries(
    Object.entries(schema.parse(fields)).filter(([, value]) => value !== undefined),
  ) as Choices;
  const typed = how?.columns.map((_, index) => fields[columnName(index)]) ?? [];
  // Apart by something else, they are other columns, in which names are written as before.
  const isSame = choices.encoding === how?.encoding && choices.delimiter === how?.delimiter;
  if (!how || !isSame) return { ...namesOf(typed, before), ...choices };
  // What was shown may turn out to be another one: that it stays as it is nobody has said.
  if (how.isPlain) delete choices.encoding;
  // Of a form without the columns nobody has said which is which.
  if (typed.every((one) => one === undefined))
    return before.fields ? { ...choices, fields: before.fields } : choices;
  return { ...choices, fields: how.columns.map((column, index) => chosen(column, typed[index])) };
}

export function columnName(index: number): string {
  return `column.${index}`;
}

function namesOf(
  typed: readonly (string | undefined)[],
  { names }: Pick<Choices, 'names'>,
): Pick<Choices, 'names'> {
  if (typed.includes('reversed_name')) return { names: 'reversed' };
  return names === undefined || typed.includes('full_name') ? {} : { names };
}

function chosen(column: Column, typed: string | undefined): Field | undefined {
  return typed === undefined ? column.field : field.parse(typed);
}
