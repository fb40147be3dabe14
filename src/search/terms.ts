/** What people search for. */
import { clean, codePoints, trim } from '../lib/text.ts';
import { fold } from './folding.ts';
import { joinWords, PART_STARTS, splitWords, WORD_START } from './words.ts';

/** In code points. */
export const LONGEST_SEARCH = 256;
/** Of what is typed, in UTF-16 units: a code point has two at most, and there may be spaces to leave out. */
export const MOST_TYPED = 4 * LONGEST_SEARCH;

/** In letters, of what an index of three in a row finds. */
const SHORTEST_INDEXED = 3;
/** Around a word that was copied from a text. */
const EDGES = /^[.']+|[.']+$/g;
const QUOTED_OR_NOT = /"([^"]*)"?|[^\s"]+/g;
const SPACES = /[\s\p{Cc}\p{Cs}]+/gu;

/** A word, or several that follow on each other: as a search text has them, as typed, and where they are looked for. */
export type Term = { text: string; typed: string; at: 'anywhere' | 'word start' | 'field start' };

/** What is in the search text of those who have the term, wherever it is looked for: one of these. */
export function textsToFind({ text, at }: Term): string[] {
  if (at === 'anywhere') return [text];
  if (at === 'field start' || codePoints(text) === 1) return [WORD_START + text];
  return PART_STARTS.map((start) => start + text);
}

export function hasTerm(searchText: string, term: Term): boolean {
  return textsToFind(term).some((text) => searchText.includes(text));
}

export function cleanSearch(typed: string): string {
  // Normalising a huge text would take time that grows with the square of its length.
  const text = clean(typed.slice(0, MOST_TYPED).replaceAll(SPACES, ' '));
  return trim(Array.from(text).slice(0, LONGEST_SEARCH).join(''));
}

/** A user must have all of them. Short ones are looked for where words start, unless longer ones tell of whom they are asked. */
export function parseSearch(search: string): Term[] {
  const terms = new Map<string, Term>();
  // Phones type curly quotes.
  for (const [whole, quoted] of search.replaceAll(/[“”„‟«»]/g, '"').matchAll(QUOTED_OR_NOT))
    for (const typed of isPhrase(quoted) ? [trim(quoted)] : splitWords(quoted ?? whole)) {
      const folded = joinWords(fold(typed));
      const text = folded.replaceAll(EDGES, '') || folded;
      if (text !== '') terms.set(text, { text, typed, at: 'anywhere' });
    }
  const all = [...terms.values()];
  return all.some(isIndexedTerm) ? all : all.map((term) => ({ ...term, at: 'word start' }));
}

/** Mail programs put names in quotes that have a comma in them, the last name first. */
function isPhrase(quoted: string | undefined): quoted is string {
  return quoted !== undefined && !quoted.includes(',');
}

/** Whether the index knows who has it; else it is asked of those whom others have found. */
export function isIndexedTerm(term: Term): boolean {
  return textsToFind(term).every((text) => codePoints(text) >= SHORTEST_INDEXED);
}

/** Where nothing finds any part of a text: the others are asked of those whom the first has found. */
export function firstAtFieldStart(terms: readonly Term[]): Term[] {
  return terms.map((term, index) => (index === 0 ? { ...term, at: 'field start' } : term));
}
