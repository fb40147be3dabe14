/** Text as people type it: what is stored, what is compared, and what is never accepted. */

// Spaces of any width and what shows as nothing, but not what changes the letter before it (variation selectors, fillers).
const EDGE = /[\s\p{Z}[\p{DI}&&\p{Cf}]]/v;
// Some scripts write joiners behind the mark of a letter, also in its last place.
const JOINED = /\p{M}[\u200C\u200D]$/u;

export function trim(text: string): string {
  let [start, end] = [0, text.length];
  while (start < end && EDGE.test(text.charAt(start))) start++;
  while (end > start && EDGE.test(text.charAt(end - 1)) && !JOINED.test(text.slice(end - 2, end))) end--;
  return text.slice(start, end);
}

// What stands behind a name in the order in which it is said: `Sammy Davis, Jr.` As written, for Vi, Xi, Ma and Md are first names.
const BEHIND_NAME = /^(?:[Jj][Rr]|[Ss][Rr]|I{2,3}|IV|P[Hh]\.?D|MD|M\.[BD]|M\.?S[Cc]|MBA|E(?:sq|SQ)|CPA)\.?$/;

/** Of “Lovelace, Ada” Ada Lovelace; of more parts it is not known which is which. */
export function firstNameFirst(name: string): string {
  const [last, first, ...others] = name.split(',').map(trim);
  const isTurned = last && first && others.length === 0 && !BEHIND_NAME.test(first);
  return isTurned ? `${first} ${last}` : name;
}

/** As text is stored: trimmed, and in NFC. */
export function clean(text: string): string {
  return trim(text.normalize('NFC'));
}

/** As names are compared: NFKC and full case folding (Unicode 3.13, D145–D147). */
export function textKey(text: string): string {
  if (isAscii(text)) return trim(text.toLowerCase());
  // Lowering, raising and lowering again meets every fold (`ẞ` → `ß` → `SS` → `ss`), but not that of the final sigma.
  const folded = text.normalize('NFKC').toLowerCase().toUpperCase().toLowerCase();
  return trim(folded.replaceAll('ς', 'σ').normalize('NFKC'));
}

/** Every decimal digit of any script (Unicode Nd) as its ASCII one: `٠١٢` and `０１２` are `012`. */
export function foldDigits(text: string): string {
  return text.replaceAll(/\P{ASCII}/gu, (character) => (isDigit(character) ? digitOf(character) : character));
}

// Thousands set apart as somewhere in the world, all by the same sign: `1,200`, `1 200`, `1’200`, `12,00,000`.
const GROUPED = /^[-−－]?\d{1,3}(?=([,.'’٬，．_\p{Z}]))(?:\1\d{2,3})*\1\d{3}$/u;

/** As Roster itself writes it in an address or a form, from 1 on; undefined for anything else. */
export function plainNumber(typed: string): number | undefined {
  return /^[1-9]\d{0,14}$/.test(typed) ? Number(typed) : undefined;
}

export function wholeNumber(typed: string): number | undefined {
  const text = foldDigits(trim(typed));
  if (!GROUPED.test(text) && !/^[-−－]?\d+$/.test(text)) return undefined;
  const number = Number(text.replaceAll(/\D/g, ''));
  return /^\d/.test(text) ? number : -number;
}

// Decimal digits come in runs of ten, 0 to 9 (Unicode 17, 4.6), of which some follow on each other.
function digitOf(digit: string): string {
  const end = digit.codePointAt(0) ?? 0;
  let start = end;
  while (isDigit(String.fromCodePoint(start - 1))) start--;
  return String((end - start) % 10);
}

function isDigit(character: string): boolean {
  return /^\p{Nd}$/u.test(character);
}

export function isAscii(text: string): boolean {
  return /^\p{ASCII}*$/u.test(text);
}

export function codePoints(text: string): number {
  return text.length - (text.match(/[\u{10000}-\u{10FFFF}]/gu)?.length ?? 0);
}

/** About how wide text is, in small letters: capitals, "m", "w" and the signs of other scripts take up to two of them. */
export function widthOf(text: string): number {
  return text.length + (text.match(/[mw\p{Lu}]|[^\p{ASCII}\p{Script=Latin}]/gu)?.length ?? 0);
}

/** No sign is wider than two letters, so that most text need not be looked at. */
export function isWiderThan(most: number, text: string): boolean {
  return text.length > most || (2 * text.length > most && widthOf(text) > most);
}

export function withoutUnseen(text: string): string {
  return text.replaceAll(/[\p{C}\p{DI}]/gu, '');
}

/** Fit to stand in a sentence of ours: short, and without what hides or reorders. */
export function quotable(text: string, most = 60): string {
  const shown = text.replaceAll(/[\p{Cc}\p{Cs}\u2028\u2029\u202A-\u202E\u2066-\u2069]/gu, '\uFFFD');
  const characters = Array.from(shown.slice(0, 4 * most));
  return characters.length > most ? `${characters.slice(0, most).join('')}…` : shown;
}

const NAME = /\u2068([^\u2069]*)\u2069/;

export function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** Set apart by an isolate (Unicode Annex 9, 2.7), which no name has in it; on a page by `<bdi>`, not translated. */
export function named(name: string): string {
  return `\u2068${name}\u2069`;
}

export function quoted(typed: string): string {
  return `“${named(quotable(typed))}”`;
}

/** The parts of a sentence, of which every second one is a name. */
export function partsOf(sentence: string): string[] {
  return sentence.split(NAME);
}

export function plain(sentence: string): string {
  return partsOf(sentence).join('');
}

// What can make a name show as another (Unicode TR 36, 2.3); plain directional marks and joiners are in real names.
const HIDDEN: readonly [RegExp, string][] = [
  [/\0/, 'contains a NUL character'],
  [/\p{Cs}|\uFFFD/u, 'contains a broken character (half of a surrogate pair, or bytes that are not UTF-8)'],
  [/[\u202A-\u202E\u2066-\u2069]/, 'contains an invisible character that reverses the direction of text'],
  [/[\p{Cc}\u2028\u2029]/u, 'contains a control character, such as a tab or a line break'],
  [/[\p{NChar}\uFFF9-\uFFFB]/u, 'contains a character that is none, by Unicode'],
];

/** What is wrong with text, to follow the field's name in a sentence; undefined if nothing. */
export function forbiddenCharacter(text: string): string | undefined {
  if (/^[ -~]*$/.test(text)) return undefined;
  return HIDDEN.find(([pattern]) => pattern.test(text))?.[1];
}

/** The same of what shows as nothing, and where it is. */
export function invisibleCharacter(text: string): string | undefined {
  const at = text.search(/[\p{DI}\p{Cf}[\p{Z}--\x20]]/v);
  if (at < 0) return undefined;
  return `contains an invisible character ${at === 0 ? 'at its start' : `after “${named(lastOf(text.slice(0, at)))}”`}`;
}

function lastOf(text: string): string {
  const characters = Array.from(text.slice(-100));
  return quotable(characters.length > 20 ? `…${characters.slice(-20).join('')}` : text);
}

const MOST_MARKS = 4;

/** That a letter has more marks than any writing needs (Unicode TS 39, 5.4), to follow the text's name; else undefined. */
export function tooManyMarks(text: string): string | undefined {
  // A letter that is a character of its own has few enough, whatever it is made of.
  if (!/[\p{Mn}\p{Me}]/u.test(text)) return undefined;
  // Composed letters count as what they are made of; joiners between marks keep them on the same letter.
  const decomposed = text.normalize('NFD').replaceAll(/\p{DI}/gu, '');
  for (const [, letter = '', marks = ''] of decomposed.matchAll(/([^\p{Mn}\p{Me}]?)([\p{Mn}\p{Me}]+)/gu)) {
    const on = letter.trim() ? ` on “${named(letter)}”` : '';
    const count = codePoints(marks);
    if (count > MOST_MARKS) return `has ${count} marks in a row${on}, at most ${MOST_MARKS} are taken`;
    if (/(.)\1/u.test(marks)) return `has the same mark twice in a row${on}`;
  }
  return undefined;
}
