/** What a password may be: the rules that one can be checked against alone (NIST SP 800-63B-4, 3.1.1.2). */
import { codePoints, textKey } from '../lib/text.ts';
import { isCommonPassword } from './common-passwords.ts';
import { unpredictableCharacters } from './predictability.ts';

export const PASSWORDS_DIFFER = 'The two passwords differ.';

const SHORTEST = 15;
const LONGEST = 256;
const LONGEST_COUNTED = 4_000;
const FEWEST_UNPREDICTABLE = 8;
/** A name shorter than this is in too many words to be left out of all. */
const SHORTEST_NAME = 3;

export function passwordProblem(
  password: string,
  { username, email }: { username: string; email: string },
): string | undefined {
  if (password === '') return 'Enter a password.';
  if (password.length > LONGEST_COUNTED)
    return `The password is far too long; at most ${LONGEST} characters.`;
  const length = codePoints(password.normalize('NFC'));
  if (length < SHORTEST)
    return `The password is too short: ${length} ${length === 1 ? 'character' : 'characters'}, at least ${SHORTEST}.`;
  if (length > LONGEST) return `The password is too long: ${length} characters, at most ${LONGEST}.`;
  if (/\p{Cs}|\uFFFD|\0/u.test(password)) return 'The password contains a broken character.';
  const key = textKey(password);
  const names = [username, email, email.split('@')[0] ?? ''].map(textKey);
  if (names.some((name) => codePoints(name) >= SHORTEST_NAME && key.includes(name)))
    return 'The password must not contain the username or the email.';
  if (isRepeated(key) || unpredictableCharacters(key) < FEWEST_UNPREDICTABLE)
    return 'The password is too easy to guess: it repeats itself, or goes along the alphabet or the keyboard.';
  if (isCommonPassword(password))
    return 'The password is well known: as it is, or without the digits around it, it is on lists of common passwords.';
  return undefined;
}

/** Whether it is one text again and again, or its letters are: `Winter2024Winter2025!`. */
function isRepeated(key: string): boolean {
  const letters = key.replaceAll(/[^\p{L}\p{M}]/gu, '');
  // A few letters among many digits repeat by chance.
  return isTwice(key) || (letters.length * 2 > key.length && isTwice(letters));
}

function isTwice(text: string): boolean {
  // Twice in a row, it is found a second time before its end.
  return `${text}${text}`.indexOf(text, 1) < text.length;
}

export const NEW_PASSWORD_FIELDS = ['new_password', 'new_password_again'] as const;

export function newPasswordProblems(
  { new_password = '', new_password_again = '' }: Readonly<Record<string, string>>,
  names: { username: string; email: string },
): Record<string, string> {
  const problem = passwordProblem(new_password, names);
  if (problem !== undefined) return { new_password: problem };
  const isSame =
    new_password.normalize('NFC') === new_password_again.slice(0, LONGEST_COUNTED).normalize('NFC');
  return isSame ? {} : { new_password_again: PASSWORDS_DIFFER };
}
