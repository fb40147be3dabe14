/** How `import` is told to read a file: the words that its options take. */
import { StartError } from '../errors.ts';
import { DELIMITERS, ENCODINGS, NAME_ORDERS } from '../imports/reading/reading.ts';
import { type Choices, EMPTIES, MATCHES } from '../imports/types.ts';
import { named, quotable } from '../lib/text.ts';

const WORDS = {
  match: Object.fromEntries(MATCHES.map((match) => [match, match])),
  empty: Object.fromEntries(EMPTIES.map((empty) => [empty, empty])),
  names: Object.fromEntries(NAME_ORDERS.map((order) => [order, order])),
  encoding: Object.fromEntries(Object.keys(ENCODINGS).map((name) => [name, name])),
  delimiter: Object.fromEntries(Object.entries(DELIMITERS).map(([sign, name]) => [name.toLowerCase(), sign])),
};
export const READ_AS = Object.keys(WORDS) as (keyof typeof WORDS)[];

/** @throws StartError */
export function readChoices(typed: Partial<Record<keyof typeof WORDS, string>>): Choices {
  const given = READ_AS.flatMap((option) => {
    const value = typed[option];
    return value === undefined ? [] : [[option, readWord(option, value)] as const];
  });
  return Object.fromEntries(given) as Choices;
}

function readWord(option: keyof typeof WORDS, typed: string): string | undefined {
  const words = WORDS[option];
  const word = typed.toLowerCase();
  if (Object.hasOwn(words, word)) return words[word];
  throw new StartError(
    `--${option} cannot be ${named(quotable(typed))}, but ${Object.keys(words).join(', ')}.`,
  );
}
