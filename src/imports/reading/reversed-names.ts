/** Full names that have the last name first, as lists of staff do. */
import { firstNameFirst, trim } from '../../lib/text.ts';
import { type Reading, UnreadableError } from './reading.ts';
import { readRecords } from './records.ts';
import { textIn } from './values.ts';

const MOST_NAMES = 100;
const HEAD_BYTES = 2 ** 17;

/** @returns the first of them, among the first names of the file */
export async function findReversedName(path: string, reading: Reading): Promise<string | undefined> {
  const names = await sampleNames(path, reading);
  return names.find((name) => firstNameFirst(name) !== name);
}

async function sampleNames(path: string, reading: Reading): Promise<string[]> {
  const index = reading.columns.findIndex(({ field }) => field === 'full_name');
  const names: string[] = [];
  if (index < 0) return names;
  try {
    for await (const records of readRecords(path, reading, HEAD_BYTES)) {
      const rows = records.filter(({ line }) => line > reading.above);
      names.push(...rows.map(({ cells }) => trim(textIn(cells[index] ?? ''))));
    }
  } catch (error) {
    // Whatever is cut off at its end, or wrong with it, is told where all of it is read.
    if (!(error instanceof UnreadableError)) throw error;
  }
  // The first is what the column is called.
  return names
    .slice(1)
    .filter((name) => name !== '')
    .slice(0, MOST_NAMES);
}
