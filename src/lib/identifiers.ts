/** Which letters and digits a name may be made of that tells one from another (Unicode TS 39). */
import { ALLOWED_LETTERS } from './allowed-letters.ts';
import { lazily } from './lazily.ts';
import { foldDigits, isAscii, named, textKey } from './text.ts';

// The scripts recommended for identifiers (Unicode Standard Annex 31, table 5).
const SCRIPTS =
  'Arab Armn Beng Bopo Cyrl Deva Ethi Geor Grek Gujr Guru Hang Hani Hebr Hira Kana Khmr Knda Laoo Latn Mlym Mymr Orya Sinh Taml Telu Thaa Thai Tibt'.split(
    ' ',
  );
// Those of today's languages that are not (table 7).
const LIMITED_SCRIPTS =
  'Adlm Bali Bamu Batk Cakm Cans Cham Cher Hmnp Java Kali Lana Lepc Limb Lisu Mand Mtei Newa Nkoo Olck Osge Plrd Rohg Saur Sund Sylo Syrc Tale Talu Tavt Tfng Vaii Wcho Yiii'.split(
    ' ',
  );

const ANY_SCRIPT = '\\p{sc=Zyyy}\\p{sc=Zinh}';
const classOf = (scripts: readonly string[]) => scripts.map((script) => `\\p{scx=${script}}`).join('');
// Patterns of so many letters take milliseconds to make, which are no part of a start.
const foreign = lazily(() => new RegExp(`[^${classOf(SCRIPTS)}${ANY_SCRIPT}]`, 'u'));

// TS 39, 5.2, "Highly Restrictive": one script, or one of three combinations with Latin.
const COMBINATIONS = [
  ...SCRIPTS.map((script) => [script]),
  ['Latn', 'Hani', 'Hira', 'Kana'],
  ['Latn', 'Hani', 'Bopo'],
  ['Latn', 'Hani', 'Hang'],
];
const combinations = lazily(() =>
  COMBINATIONS.map((scripts) => new RegExp(`^[${classOf(scripts)}${ANY_SCRIPT}]*$`, 'u')),
);

/** What Latin, Greek and Cyrillic have for phonetics, for what nobody writes any more, and the like (TS 39, 3.1). */
const restrictedLetters = lazily(
  () => new RegExp(Object.entries(ALLOWED_LETTERS).map(restrictedIn).join('|'), 'v'),
);
const TATWEEL = '\u0640';

/** Whether all of the text may be from one writing system: `раураl` in Cyrillic and Latin may not. */
export function isOneScript(text: string): boolean {
  return combinations().some((pattern) => pattern.test(text));
}

/** The first thing wrong with the letters and digits of a username, in a sentence; undefined if nothing. */
export function identifierProblem(typed: string): string | undefined {
  if (isAscii(typed)) return undefined;
  const text = typed.normalize('NFKC');
  const [stranger] = foreign().exec(typed) ?? foreign().exec(text) ?? [];
  if (stranger !== undefined) return `A username cannot be written in ${scriptOf(stranger)}.`;
  const [foreignDigit] = /[\p{Nd}--\d]/v.exec(text) ?? [];
  if (foreignDigit && !isOneScript(text) && isOneScript(text.replaceAll(/\p{Nd}/gu, '')))
    return `The username has a digit of another script than its letters: “${named(foreignDigit)}”.`;
  if (!isOneScript(typed) || !isOneScript(text))
    return 'The username mixes letters of different scripts, such as Latin and Cyrillic.';
  // A capital that looks like another's may have a small letter that is rare: `Ɪ`.
  const [restricted] = restrictedLetters().exec(text) ?? restrictedLetters().exec(textKey(text)) ?? [];
  if (restricted !== undefined)
    return notTaken(restricted, 'it is a rare letter, which Unicode advises against in names like these');
  if (text.includes(TATWEEL)) return notTaken(TATWEEL, 'it only makes a word longer');
  const [first, other] = digitsOfTwoScripts(text).map(named);
  return other && `The username mixes digits of different scripts: “${first}” and “${other}”.`;
}

function notTaken(character: string, reason: string): string {
  return `“${named(withCircleForMark(character))}” is not taken in usernames: ${reason}.`;
}

function withCircleForMark(character: string): string {
  return /\p{M}/u.test(character) ? `\u25CC${character}` : character;
}

function scriptOf(character: string): string {
  const script = LIMITED_SCRIPTS.find((code) => new RegExp(`\\p{sc=${code}}`, 'u').test(character));
  const name = script && new Intl.DisplayNames('en', { type: 'script' }).of(script);
  const shown = `“${named(withCircleForMark(character))}”`;
  return name ? `${name}, as ${shown} is` : `the script of ${shown}`;
}

/** The first digit, and the first of another script (TS 39, 5.3); nothing where all are of one. */
function digitsOfTwoScripts(text: string): string[] {
  const [first, ...others] = text.match(/\p{Nd}/gu) ?? [];
  const other = first && others.find((digit) => codePointOfZero(digit) !== codePointOfZero(first));
  return first && other ? [first, other] : [];
}

function codePointOfZero(digit: string): number {
  return Number(digit.codePointAt(0)) - Number(foldDigits(digit));
}

function restrictedIn([script, ranges]: [string, string]): string {
  const allowed = ranges.replaceAll(/[\dA-F]+/g, '\\u{$&}').replaceAll(/\s/g, '');
  return `[[\\p{sc=${script}}&&[\\p{L}\\p{M}]]--[${allowed}]]`;
}
