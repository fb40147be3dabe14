/** Folded text as words, each with a mark before it, so that a search can ask for the start of a word. */
import { ASCII } from './folding.ts';

/** With one letter it makes the three that are indexed. */
export const WORD_START = '\n\n';
/** What stands before a word, or before a part of one: with two letters each makes three, and is found by itself. */
export const PART_STARTS = ['\n', '-'];

/** Between words: spaces, and signs that belong to none. */
const SEPARATOR = /[\s\p{Z}\p{Cc}()[\]{}<>,;"（）、，；「」『』]/u;
const SEPARATORS = new RegExp(`${SEPARATOR.source}+`, 'u');
/** Of scripts without spaces each letter begins a word. */
const UNSPACED = /[[\p{scx=Hani}\p{scx=Hira}\p{scx=Kana}\p{scx=Hang}]&&\p{L}]/v;
const UNSPACED_INSIDE = new RegExp(`(?<!^)${UNSPACED.source}`, 'gv');

export function splitWords(text: string): string[] {
  return text.split(SEPARATORS).filter((word) => word !== '');
}

export function joinWords(folded: string): string {
  return splitWords(folded)
    .map((word) => (ASCII.test(word) ? word : word.replaceAll(UNSPACED_INSIDE, `${WORD_START}$&`)))
    .join(WORD_START);
}

export function markWords(folded: string): string {
  const words = joinWords(folded);
  return words && WORD_START + words;
}

export type MarkedParts = { text: string; ends: number[] };

/** Told apart first, since most letters are: the other patterns take longer. */
const PLAIN = /[a-z0-9.@_-]/;

/** @param folded each by itself. */
export function markParts(folded: readonly string[]): MarkedParts {
  const ends: number[] = [];
  let text = '';
  let isStart = true;
  for (const part of folded) {
    for (const letter of part) {
      const isPlain = PLAIN.test(letter);
      const isBetween = !isPlain && SEPARATOR.test(letter);
      if (!isBetween) text += (isStart || (!isPlain && UNSPACED.test(letter)) ? WORD_START : '') + letter;
      isStart = isBetween;
    }
    ends.push(text.length);
  }
  return { text, ends };
}
