/** Letters that were lost when a file was saved: a spreadsheet writes a sign for each that its encoding does not have. */

import type { ShownRow } from './types.ts';

/** Excel on a Mac writes “_”. */
const SIGNS = ['?', '_', '\ufffd'];

/** Whether a cell says what is there already, but for lost letters: “Ay?e” of “Ayşe”. */
export function isSameButForLost(cell: string, there: string): boolean {
  if (cell === there || !SIGNS.some((sign) => cell.includes(sign))) return false;
  // Of a letter past U+FFFF some write two signs.
  return isLostFrom([...cell], [...there]) || isLostFrom(cell.split(''), there.split(''));
}

/** Of a name that nobody has yet: no name has a “?” in it, and “_” many a one. */
export function mayHaveLost(name: string): boolean {
  return name.includes('?');
}

/** What is written as the full name of a row, where that may have lost letters. */
export function doubtfulName({ verdict, values, fields }: ShownRow): string | undefined {
  const name = verdict === 'created' ? values.full_name : fields.full_name?.became;
  return typeof name === 'string' && mayHaveLost(name) ? name : undefined;
}

function isLostFrom(cell: readonly string[], there: readonly string[]): boolean {
  const isLost = (sign: string, letter = '') => SIGNS.includes(sign) && letter > '\x7f';
  return (
    cell.length === there.length &&
    cell.every((letter, index) => letter === there[index] || isLost(letter, there[index]))
  );
}
