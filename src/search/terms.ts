/** What people search for, and the text that it is found in. */
import { clean, trim } from '../lib/text.ts';
import { fold } from './folding.ts';

/** In code points. */
export const LONGEST_SEARCH = 256;

/** With one letter it makes the three that are indexed. */
const FIELD_START = '\n\n';
const SHORTEST_ANYWHERE = 3;
const WORDS = /"([^"]*)"?|[^\s"]+/g;
const SPACES = /[\s\p{Cc}\p{Cs}]+/gu;

/** `text` is folded; a prefix is looked for at the start of fields alone. */
export type Term = { text: string; typed: string; isPrefix: boolean };

export function joinFields(fields: readonly (string | null | undefined)[]): string {
  return fields.map((field) => (field ? FIELD_START + fold(field) : '')).join('');
}

export function textToFind({ text, isPrefix }: Term): string {
  return isPrefix ? FIELD_START + text : text;
}

export function cleanSearch(typed: string): string {
  // Normalising a huge text would take time that grows with the square of its length.
  const text = clean(typed.slice(0, 4 * LONGEST_SEARCH).replaceAll(SPACES, ' '));
  return trim(Array.from(text).slice(0, LONGEST_SEARCH).join(''));
}

/** A user must have all of them. */
export function parseSearch(search: string): Term[] {
  // Phones type curly quotes.
  const words = search.replaceAll(/[“”„‟«»]/g, '"').matchAll(WORDS);
  const terms = new Map<string, Term>();
  for (const [whole, quoted] of words) {
    const typed = trim(quoted ?? whole);
    const text = trim(fold(typed));
    if (text !== '') terms.set(text, { text, typed, isPrefix: Array.from(text).length < SHORTEST_ANYWHERE });
  }
  return [...terms.values()];
}

export function asPrefixes(terms: readonly Term[]): Term[] {
  return terms.map((term) => ({ ...term, isPrefix: true }));
}
