/** Other ways to write a name, by which it is found as well. */
import { domainToUnicode } from 'node:url';
import { fold, foldSpelled } from './folding.ts';
import { splitWords } from './words.ts';

const ASCII = /^[ -~]*$/;
const JOINED = /[^\s]['-]\S/;
const MOST_PLAIN_WORDS = 2;
const NO_LETTERS = /[^\p{L}\p{M}\p{N}]+/gu;

/** `obrien` for O’Brien, `jeanluc`, `janvandenberg`: what is written together where a name is not. */
export function squeeze(folded: string): string {
  return folded.replaceAll(NO_LETTERS, '');
}

/** Whether people write a name together, too: that with a hyphen or an apostrophe in it, or of three words and more. */
export function isSqueezed(folded: string): boolean {
  return JOINED.test(folded) || splitWords(folded).length > MOST_PLAIN_WORDS;
}

/** Of a username or a full name: in folded words. */
export function spellingsOfName(name: string): string[] {
  const folded = fold(name);
  const squeezed = isSqueezed(folded) ? [squeeze(folded)] : [];
  if (ASCII.test(name)) return squeezed;
  const words = splitWords(folded);
  return [...splitWords(foldSpelled(name)).filter((word) => !words.includes(word)), ...squeezed];
}

/** An international domain is stored in ASCII (RFC 3490), and searched for as it is read, too. */
export function spellingsOfEmail(email: string): string[] {
  const domain = email.slice(email.indexOf('@') + 1);
  return /\bxn--/i.test(domain) ? [fold(domainToUnicode(domain))] : [];
}
