/** The text that a user is found in, of all fields, and the keys that users are sorted by. */
import { codePoints } from '../lib/text.ts';
import { fold } from './folding.ts';
import { spellingsOfEmail, spellingsOfName } from './spellings.ts';
import { markWords, splitWords } from './words.ts';

export const FIELD_START = '\r';
/** Before each other way to write something of them. */
const SPELLING_START = '\v';

/** In code points, since folding can make one letter eighteen. */
const LONGEST_KEY = 64;

/** @param fields in the order in which they are searched; what is not there takes no place. */
export function searchTextOf(fields: Readonly<Record<string, string | null | undefined>>): string {
  let text = '';
  const spellings: string[] = [];
  for (const [name, value] of Object.entries(fields)) {
    if (!value) continue;
    const folded = fold(value);
    text += FIELD_START + markWords(folded);
    spellings.push(...(name === 'email' ? spellingsOfEmail(value) : spellingsOfName(value, folded)));
  }
  const others = [...new Set(spellings)].map(markWords).filter((spelling) => !text.includes(spelling));
  return others.reduce((all, spelling) => all + SPELLING_START + spelling, text);
}

/** What names are sorted by, in the order of code points, so on every database alike. A key is its own key, since links carry it. */
export function sortKeyOf(name: string): string {
  const folded = fold(name);
  const key = splitWords(folded).join(' ') || folded;
  return codePoints(key) > LONGEST_KEY ? Array.from(key).slice(0, LONGEST_KEY).join('').trimEnd() : key;
}
