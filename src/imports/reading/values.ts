/** What the cells of one row say of a user. */
import { ROLE_NAMES } from '../../auth/policy.ts';
import { ROLES } from '../../db/schema.ts';
import { named, quotable, trim, wholeNumber } from '../../lib/text.ts';
import { fromCell } from '../../transfer/cells.ts';
import { type UserChanges, userChangesSchema } from '../../users/validation.ts';
import type { Column, Field, Problem, Row } from './reading.ts';

export type Empty = 'leave' | 'clear';

type Said = Pick<Row, 'id' | 'values' | 'problems'>;
/** Without those that are empty. */
type Texts = { [field in Field]?: string };

const ROLE_WORDS = new Map<string, string>(ROLES.map((role) => [ROLE_NAMES[role].one.toLowerCase(), role]));
const STATUS_WORDS = new Map<string, string>([
  ...['active', 'enabled', 'y', 't'].map((word) => [word, 'yes'] as const),
  ...['inactive', 'disabled', 'deactivated', 'n', 'f'].map((word) => [word, 'no'] as const),
]);

/** What a word is where it is no choice. */
const NO_CHOICE: { readonly [field in Field]?: string } = {
  role: 'none of Roster’s roles',
  is_active: 'neither active nor inactive',
};

export function valuesReader(columns: readonly Column[], empty: Empty): (cells: readonly string[]) => Said {
  const known = columns.flatMap(({ field }, index) => (field ? [{ field, index }] : []));
  const isNamed = known.some(({ field }) => /_name$/.test(field));
  const cleared = isNamed && empty === 'clear' ? '' : undefined;
  return (cells) => {
    const texts: Texts = {};
    for (const { field, index } of known) {
      const text = textIn(cells[index] ?? '');
      if (text !== '' && trim(text) !== '') texts[field] = text;
    }
    const { values, problems } = valuesOf(typedFrom(texts, cleared), texts);
    const id = texts.id === undefined ? undefined : numberFrom(texts.id);
    if (texts.id === undefined || id !== undefined) return { id, values, problems };
    const message = `“${named(quotable(trim(texts.id)))}” is no number that a user can have.`;
    return { id, values, problems: [{ field: 'id', message }, ...problems] };
  };
}

/** What a cell says. Excel writes `="007"`, which it does not take for a number. */
export function textIn(cell: string): string {
  const [, text] = cell.startsWith('="') ? (/^="(.*)"\s*$/s.exec(cell) ?? []) : [];
  return text === undefined ? fromCell(cell) : text.replaceAll('""', '"');
}

/** What the form would send. */
function typedFrom(texts: Texts, cleared: string | undefined): Texts {
  const { username, email, full_name, first_name, last_name, is_active, role } = texts;
  const typed: Texts = {};
  if (username !== undefined) typed.username = username;
  if (email !== undefined) typed.email = email;
  const name = full_name ?? joined(first_name, last_name) ?? cleared;
  if (name !== undefined) typed.full_name = name;
  if (is_active !== undefined) typed.is_active = wordFrom(STATUS_WORDS, is_active);
  if (role !== undefined) typed.role = wordFrom(ROLE_WORDS, role);
  return typed;
}

function joined(first: string | undefined, last: string | undefined): string | undefined {
  return first === undefined || last === undefined ? (first ?? last) : `${trim(first)} ${trim(last)}`;
}

function wordFrom(words: ReadonlyMap<string, string>, text: string): string {
  const word = trim(text).toLowerCase();
  return words.get(word) ?? word;
}

function valuesOf(typed: Texts, texts: Texts): { values: UserChanges; problems: readonly Problem[] } {
  const { success, data, error } = userChangesSchema.safeParse(typed);
  if (success) return { values: data, problems: [] };
  const right = { ...typed };
  const problems = error.issues.map(({ path: [name], message }) => {
    const field = name as Field;
    delete right[field];
    const choice = NO_CHOICE[field];
    const word = named(quotable(trim(texts[field] ?? '')));
    return { field, message: choice === undefined ? message : `“${word}” is ${choice}.` };
  });
  // What is right is judged further: whoever corrects the row sees all of it at once.
  return { values: userChangesSchema.parse(right), problems };
}

function numberFrom(text: string): number | undefined {
  const number = wholeNumber(text);
  return number !== undefined && number > 0 && Number.isSafeInteger(number) ? number : undefined;
}
