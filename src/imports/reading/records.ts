/** The records of a file that say something: a title perhaps, the names of columns, then the users. */

import { type CsvRecord, parseCsv } from './csv-parser.ts';
import type { Delimiter, Reading } from './reading.ts';
import { readText } from './text.ts';

export type CsvFormat = Pick<Reading, 'encoding' | 'delimiter'>;

/** Some at a time. @param end of bytes that are read @throws UnreadableError */
export async function* readRecords(
  path: string,
  { encoding, delimiter }: CsvFormat,
  end?: number,
): AsyncGenerator<CsvRecord[]> {
  for await (const records of parseCsv(readText(path, encoding, end), delimiter))
    yield records.filter((record) => !isBlank(record) && !isDelimiterTold(record, delimiter));
}

function isBlank({ cells }: CsvRecord): boolean {
  return cells.every((cell) => cell === '' || cell.trim() === '');
}

function isDelimiterTold({ line, cells }: CsvRecord, delimiter: Delimiter): boolean {
  return line === 1 && /^sep=.$/i.test(cells.join(delimiter));
}
