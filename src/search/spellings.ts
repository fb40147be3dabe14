/** Other ways to write a name, by which it is found as well. */
import { domainToUnicode } from 'node:url';
import { ASCII, fold, foldCluster, foldEach, lettersOf } from './folding.ts';
import { splitWords } from './words.ts';

/** What people write for these letters where a keyboard lacks them. */
const SPELLINGS = lettersOf({ ae: 'ä', oe: 'ö ø', ue: 'ü', aa: 'å' });

const JOINED = /\S['·-]\S|(?<!\p{L})\p{L}\.\p{L}\./u;
const MOST_PLAIN_WORDS = 2;
/** Of names such as Le Pen, Van Dyke and Mc Donald, which people write as one word, too. */
const SHORT_FIRST_WORD =
  /^(\S{1,2}|mac|van|von|del|der|dos|das|san|abd|abdel|abu|ben|bin|ibn|ter|ten|st\.?) /;
const NO_LETTERS = /[^\p{L}\p{M}\p{N}]+/gu;

/** `obrien` for O’Brien, `jeanluc`, `janvandenberg`: what is written together where a name is not. */
export function squeeze(folded: string): string {
  return folded.replaceAll(NO_LETTERS, '');
}

/** Whether people write a name together, too: that with a sign inside of a word, a short first one, or three words and more. */
export function isSqueezed(folded: string): boolean {
  const words = splitWords(folded);
  return JOINED.test(folded) || words.length > MOST_PLAIN_WORDS || SHORT_FIRST_WORD.test(words.join(' '));
}

/** `ö` is `oe`. */
export function spellCluster(cluster: string): string {
  return SPELLINGS.get(cluster.toLowerCase().normalize('NFC')) ?? foldCluster(cluster);
}

export function spellingsOfName(name: string, folded: string): string[] {
  const spelled = ASCII.test(name) ? folded : foldEach(name, spellCluster);
  const squeezed = isSqueezed(folded) ? [squeeze(folded), squeeze(spelled)] : [];
  return spelled === folded ? squeezed : [spelled, ...squeezed];
}

/** An international domain is stored in ASCII (RFC 3490), and searched for as it is read, too. */
export function spellingsOfEmail(email: string): string[] {
  const start = email.indexOf('@') + 1;
  const domain = email.slice(start);
  return /\bxn--/i.test(domain) ? [fold(email.slice(0, start) + domainToUnicode(domain))] : [];
}
