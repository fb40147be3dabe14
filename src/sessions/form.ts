/** What a password may be: the rules that one can be checked against alone (NIST SP 800-63B-4, 3.1.1.2). */
import { codePoints, textKey } from '../text.ts';

const SHORTEST = 15;
const LONGEST = 256;
/** UTF-16 units, beyond which nobody counts. */
const HUGE = 4_000;
/** Characters that do not follow from those before them, of which a password needs some. */
const FEWEST_SURPRISES = 8;
/** A name shorter than this is in too many words to be left out of all. */
const SHORTEST_NAME = 3;

/** Rows of keyboards, and their columns, along which fingers slide. */
const ROWS = [
  '`1234567890-=',
  'qwertyuiop[]',
  'asdfghjkl;',
  'zxcvbnm,./',
  'qwertzuiop',
  'yxcvbnm',
  'azertyuiop',
  'qsdfghjklm',
  'wxcvbn',
  '1qaz',
  '2wsx',
  '3edc',
  '4rfv',
  '5tgb',
  '6yhn',
  '7ujm',
  '8ik,',
  '9ol.',
  '0p;/',
];
const NEIGHBOURS = new Set(ROWS.flatMap((row) => [row, [...row].reverse().join('')]).flatMap(pairsOf));

/** What is wrong with a new password, in a sentence; undefined if nothing. */
export function passwordProblem(
  password: string,
  { username, email }: { username: string; email: string },
): string | undefined {
  if (password === '') return 'Enter a password.';
  if (password.length > HUGE) return `The password is far too long; at most ${LONGEST} characters.`;
  const length = codePoints(password.normalize('NFC'));
  if (length < SHORTEST)
    return `The password is too short: ${length} ${length === 1 ? 'character' : 'characters'}, at least ${SHORTEST}.`;
  if (length > LONGEST) return `The password is too long: ${length} characters, at most ${LONGEST}.`;
  if (/\p{Cs}|\uFFFD|\0/u.test(password)) return 'The password contains a broken character.';
  const key = textKey(password);
  // Twice in a row, it is found a second time before its end.
  const isRepeated = `${key}${key}`.indexOf(key, 1) < key.length;
  if (isRepeated || surprises(key) < FEWEST_SURPRISES)
    return 'The password is too easy to guess: it repeats itself, or goes along the alphabet or the keyboard.';
  const names = [username, email, email.split('@')[0] ?? ''].map(textKey);
  if (names.some((name) => codePoints(name) >= SHORTEST_NAME && key.includes(name)))
    return 'The password must not contain the username or the email.';
  return undefined;
}

/** How many characters follow from none of those before them. */
function surprises(text: string): number {
  const characters = Array.from(text);
  return characters.filter((character, index) => {
    const before = characters[index - 1];
    if (before === undefined) return true;
    if (NEIGHBOURS.has(before + character)) return false;
    const step = (character.codePointAt(0) ?? 0) - (before.codePointAt(0) ?? 0);
    return Math.abs(step) > 1 && !repeats(characters, index);
  }).length;
}

/** Whether the character, and the one before it, stand one after the other earlier on. */
function repeats(characters: readonly string[], index: number): boolean {
  const earlier = characters.slice(0, index).join('');
  return earlier.includes(`${characters[index - 1]}${characters[index]}`);
}

function pairsOf(row: string): string[] {
  return Array.from({ length: row.length - 1 }, (_, index) => row.slice(index, index + 2));
}

/** The fields in which a password is chosen: twice, since nobody sees what is typed. */
export const NEW_PASSWORD_FIELDS = ['new_password', 'new_password_again'] as const;

/** One sentence for each of these fields that is wrong. */
export function newPasswordProblems(
  { new_password = '', new_password_again = '' }: Readonly<Record<string, string>>,
  names: { username: string; email: string },
): Record<string, string> {
  const problem = passwordProblem(new_password, names);
  if (problem !== undefined) return { new_password: problem };
  const isSame = new_password.normalize('NFC') === new_password_again.slice(0, HUGE).normalize('NFC');
  return isSame ? {} : { new_password_again: 'That is not what you have typed above.' };
}
