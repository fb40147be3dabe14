/** How many characters of a text nobody could guess from those before them. */

/** Rows of keyboards, and their columns, along which fingers slide. */
const ROWS = [
  '`1234567890-=',
  '~!@#$%^&*()_+',
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

export function unpredictableCharacters(text: string): number {
  const characters = Array.from(text);
  return characters.filter((_, index) => {
    return !follows(characters, index, 1) && !isInterleaved(characters, index) && !repeats(characters, index);
  }).length;
}

/** Whether two rows go on in turns, as in `1q2w3e` and `a1b2c3`, for six characters: fewer are there by chance. */
function isInterleaved(characters: readonly string[], index: number): boolean {
  return [0, 1, 2, 3].every((back) => follows(characters, index - back, 2));
}

/** Whether the character is the next one, or the same, in the alphabet or on a keyboard as the one so many before it. */
function follows(characters: readonly string[], index: number, distance: number): boolean {
  const before = characters[index - distance];
  const character = characters[index];
  if (before === undefined || character === undefined) return false;
  if (NEIGHBOURS.has(before + character)) return true;
  return Math.abs((character.codePointAt(0) ?? 0) - (before.codePointAt(0) ?? 0)) <= 1;
}

function repeats(characters: readonly string[], index: number): boolean {
  const earlier = characters.slice(0, index).join('');
  return earlier.includes(`${characters[index - 1]}${characters[index]}`);
}

function pairsOf(row: string): string[] {
  return Array.from({ length: row.length - 1 }, (_, index) => row.slice(index, index + 2));
}
