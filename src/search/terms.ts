/** What people search for, the text that it is found in, and where in a name it was found. */
import { clean, trim } from '../text.ts';
import { clustersOf, fold } from './folding.ts';

/** Code points of a search that are read: enough for any email address in quotes. */
export const LONGEST_SEARCH = 256;

/** Begins each field in a user's search text; twice, so that with one letter it makes the three that are indexed. */
const START = '\n\n';
/** A word shorter than this, in code points, is looked for at the start of a field alone. */
const SHORT = 3;
const WORDS = /"([^"]*)"?|[^\s"]+/g;
const SPACES = /[\s\p{Cc}\p{Cs}]+/gu;

/** One thing to look for, a word or what is in quotes: folded, and as it was typed. */
export type Term = { text: string; typed: string; isPrefix: boolean };

type Searched = { username: string; email: string; full_name: string | null };

/** The text that a user is found by: every field, folded, each after its `START`. */
export function searchTextOf({ username, email, full_name }: Searched): string {
  const fields = full_name === null ? [username, email] : [username, email, full_name];
  return fields.map((field) => START + fold(field)).join('');
}

/** What a search text contains if its user has the piece. */
export function patternOf({ text, isPrefix }: Term): string {
  return isPrefix ? START + text : text;
}

/** A search as its address and its box show it, without what says nothing. */
export function cleanSearch(typed: string): string {
  // Normalising a huge text would take time that grows with the square of its length.
  const text = clean(typed.slice(0, 4 * LONGEST_SEARCH).replaceAll(SPACES, ' '));
  return trim(Array.from(text).slice(0, LONGEST_SEARCH).join(''));
}

/**
 * The pieces of a search, all of which a user must have.
 * @param isByStart whether every piece, not just a short one, is looked for at the start of a field alone.
 */
export function parseSearch(search: string, { prefixOnly } = { prefixOnly: false }): Term[] {
  // Phones type curly quotes.
  const words = search.replaceAll(/[“”„‟«»]/g, '"').matchAll(WORDS);
  const terms = new Map<string, Term>();
  for (const [whole, quoted] of words) {
    const typed = trim(quoted ?? whole);
    const text = trim(fold(typed));
    if (text !== '')
      terms.set(text, { text, typed, isPrefix: prefixOnly || Array.from(text).length < SHORT });
  }
  return [...terms.values()];
}

/** A field in parts, in their order: those that a search has found, and those between them. */
export function highlight(field: string, terms: readonly Term[]): { part: string; isMatch: boolean }[] {
  const clusters = clustersOf(field);
  const folded = clusters.map(fold);
  const whole = folded.join('');
  const ranges = terms.flatMap((term) => rangesOf(whole, term));
  const parts: { part: string; isMatch: boolean }[] = [];
  let end = 0;
  for (const [index, cluster] of clusters.entries()) {
    const start = end;
    end += folded[index]?.length ?? 0;
    const isMatch = ranges.some(([from, to]) => start < to && end > from);
    const last = parts.at(-1);
    if (last?.isMatch === isMatch) last.part += cluster;
    else parts.push({ part: cluster, isMatch });
  }
  return parts;
}

/** Where a folded field has a piece. */
function rangesOf(field: string, { text, isPrefix }: Term): [from: number, to: number][] {
  if (isPrefix) return field.startsWith(text) ? [[0, text.length]] : [];
  const ranges: [number, number][] = [];
  for (let at = field.indexOf(text); at >= 0; at = field.indexOf(text, at + 1)) {
    ranges.push([at, at + text.length]);
  }
  return ranges;
}
