/** What people search for, and the text that it is found in. */
import { clean, trim } from '../text.ts';
import { fold } from './folding.ts';

/** Code points of a search that are read: enough for any email address in quotes. */
export const LONGEST_SEARCH = 256;

/** Begins each field in a user's search text; twice, so that with one letter it makes the three that are indexed. */
const START = '\n\n';
/** A word shorter than this, in code points, is looked for at the start of a field alone. */
const SHORT = 3;
const WORDS = /"([^"]*)"?|[^\s"]+/g;
const SPACES = /[\s\p{Cc}\p{Cs}]+/gu;

/** A word or what is in quotes: folded, and as it was typed. As a prefix it is looked for at the start of a field alone. */
export type Term = { text: string; typed: string; isPrefix: boolean };

type Searched = { username: string; email: string; full_name: string | null };

/** The text that a user is found by: every field, folded, each after its `START`. */
export function searchTextOf({ username, email, full_name }: Searched): string {
  const fields = full_name === null ? [username, email] : [username, email, full_name];
  return fields.map((field) => START + fold(field)).join('');
}

/** What a search text contains if its user has the term. */
export function patternOf({ text, isPrefix }: Term): string {
  return isPrefix ? START + text : text;
}

/** A search as its address and its box show it, without what says nothing. */
export function cleanSearch(typed: string): string {
  // Normalising a huge text would take time that grows with the square of its length.
  const text = clean(typed.slice(0, 4 * LONGEST_SEARCH).replaceAll(SPACES, ' '));
  return trim(Array.from(text).slice(0, LONGEST_SEARCH).join(''));
}

/** The terms of a search, all of which a user must have. */
export function parseSearch(search: string): Term[] {
  // Phones type curly quotes.
  const words = search.replaceAll(/[“”„‟«»]/g, '"').matchAll(WORDS);
  const terms = new Map<string, Term>();
  for (const [whole, quoted] of words) {
    const typed = trim(quoted ?? whole);
    const text = trim(fold(typed));
    if (text !== '') terms.set(text, { text, typed, isPrefix: Array.from(text).length < SHORT });
  }
  return [...terms.values()];
}

/** The same terms, each looked for at the start of a field alone. */
export function asPrefixes(terms: readonly Term[]): Term[] {
  return terms.map((term) => ({ ...term, isPrefix: true }));
}
