/** What the cells of one row say of a user. */
import { ROLE_NAMES } from '../../auth/policy.ts';
import { ROLES } from '../../db/schema.ts';
import { fromCell } from '../../lib/csv.ts';
import { parseMailbox } from '../../lib/email.ts';
import { firstNameFirst, quoted, trim, wholeNumber } from '../../lib/text.ts';
import { type UserChanges, userChangesSchema, yesOrNo } from '../../users/validation.ts';
import type { Empty } from '../types.ts';
import { fieldNamed } from './columns.ts';
import type { Column, Field, Problem, Row } from './reading.ts';

type Said = Pick<Row, 'id' | 'values' | 'name' | 'problems'>;
/** Without those that are empty. */
type Texts = { [field in Field]?: string };

const ROLE_WORDS = new Map<string, string>(ROLES.map((role) => [ROLE_NAMES[role].one.toLowerCase(), role]));
const STATUS_WORDS = new Map<string, string>([
  ...['active', 'enabled', 'aktiv'].map((word) => [word, 'yes'] as const),
  ...['inactive', 'disabled', 'deactivated', 'inaktiv'].map((word) => [word, 'no'] as const),
]);
/** Answers to what the name of a column asks: of one that is called Left, yes is no. */
const ANSWERS: Readonly<Record<string, string>> = {
  y: 'yes',
  t: 'yes',
  n: 'no',
  f: 'no',
  ja: 'yes',
  nein: 'no',
};

export function valuesReader(columns: readonly Column[], empty: Empty): (cells: readonly string[]) => Said {
  const known = columns.flatMap(({ field }, index) => (field ? [{ field, index }] : []));
  const isNamed = known.some(({ field }) => /_name$/.test(field));
  const cleared = isNamed && empty === 'clear' ? '' : undefined;
  // The half that a column says to be none is taken out; one without a column is not known.
  const isHalfWhole =
    empty === 'clear' &&
    ['first_name', 'last_name'].every((name) => known.some(({ field }) => field === name));
  const status = columns.find(({ field }) => field === 'is_active')?.header ?? '';
  const asks = fieldNamed(status) === 'is_active' ? undefined : status;
  return (cells) => {
    const texts: Texts = {};
    for (const { field, index } of known) {
      const text = textIn(cells[index] ?? '');
      if (text !== '' && trim(text) !== '') texts[field] = text;
    }
    if (texts.reversed_name !== undefined) texts.full_name = firstNameFirst(texts.reversed_name);
    const { values, problems } = valuesOf(typedFrom(texts, cleared, asks), texts, asks);
    const id = texts.id === undefined ? undefined : numberFrom(texts.id);
    const { name, ...said } = withoutHalf(values, texts, isHalfWhole);
    if (texts.id === undefined || id !== undefined) return { id, ...said, name, problems };
    const message = `${quoted(trim(texts.id))} is no number that a user can have.`;
    return { id, ...said, name, problems: [{ field: 'id', message }, ...problems] };
  };
}

/** What a cell says. Excel writes `="007"`, which it does not take for a number. */
export function textIn(cell: string): string {
  const [, text] = cell.startsWith('="') ? (/^="(.*)"\s*$/s.exec(cell) ?? []) : [];
  return text === undefined ? fromCell(cell) : text.replaceAll('""', '"');
}

/** What the form would send. @param asks the name of the column of the status, where it may ask something else */
function typedFrom(texts: Texts, cleared: string | undefined, asks: string | undefined): Texts {
  const { username, email, full_name, first_name, last_name, is_active, role } = texts;
  const typed: Texts = {};
  if (username !== undefined) typed.username = username;
  if (email !== undefined) typed.email = email;
  const name = full_name ?? joined(first_name, last_name) ?? cleared;
  if (name !== undefined) typed.full_name = name;
  if (is_active !== undefined) typed.is_active = statusFrom(is_active, asks);
  if (role !== undefined) typed.role = wordFrom(ROLE_WORDS, role);
  return typed;
}

function joined(first: string | undefined, last: string | undefined): string | undefined {
  return first === undefined || last === undefined ? (first ?? last) : `${trim(first)} ${trim(last)}`;
}

/** One half of a name is for who is new: somebody who has a whole one keeps it. */
function withoutHalf(values: UserChanges, texts: Texts, isHalfWhole: boolean): Pick<Row, 'values' | 'name'> {
  const { first_name, last_name } = texts;
  const isHalf = texts.full_name === undefined && (first_name === undefined) !== (last_name === undefined);
  if (isHalf && !isHalfWhole) {
    const { full_name, ...others } = values;
    return { values: others, name: full_name ?? undefined };
  }
  return { values, name: texts.email?.includes('<') ? nameBeside(texts.email) : undefined };
}

/** Where it can be one. */
function nameBeside(email: string): string | undefined {
  const { success, data } = userChangesSchema.safeParse({ full_name: parseMailbox(email).name });
  return success ? (data.full_name ?? undefined) : undefined;
}

function statusFrom(text: string, asks: string | undefined): string {
  const word = wordFrom(STATUS_WORDS, text);
  const isAnswer = word === trim(text).toLowerCase();
  return isAnswer && asks !== undefined ? '' : (ANSWERS[word] ?? word);
}

function wordFrom(words: ReadonlyMap<string, string>, text: string): string {
  const word = trim(text).toLowerCase();
  return words.get(word) ?? word;
}

function valuesOf(
  typed: Texts,
  texts: Texts,
  asks: string | undefined,
): { values: UserChanges; problems: readonly Problem[] } {
  const { success, data, error } = userChangesSchema.safeParse(typed);
  if (success) return { values: data, problems: [] };
  const right = { ...typed };
  const problems = error.issues.map(({ path: [name], message }) => {
    const field = name as Field;
    delete right[field];
    const word = trim(texts[field] ?? '');
    if (field === 'is_active') return { field, message: statusProblem(word, asks) };
    return { field, message: field === 'role' ? roleProblem(word) : message };
  });
  // What is right is judged further: whoever corrects the row sees all of it at once.
  return { values: userChangesSchema.parse(right), problems };
}

function roleProblem(word: string): string {
  const words = [...ROLE_WORDS.keys()];
  return `${quoted(word)} is no role. Write ${words.slice(0, -1).join(', ')} or ${words.at(-1)}.`;
}

function statusProblem(word: string, asks: string | undefined): string {
  const lower = word.toLowerCase();
  if (asks !== undefined && yesOrNo(ANSWERS[lower] ?? lower) !== undefined)
    return `${quoted(word)} under ${quoted(asks)} may mean either. Write active or inactive.`;
  return `${quoted(word)} is neither active nor inactive.${lower === 'left' ? ' Write inactive for who has left.' : ''}`;
}

function numberFrom(text: string): number | undefined {
  const number = wholeNumber(text);
  return number !== undefined && number > 0 && Number.isSafeInteger(number) ? number : undefined;
}
