/** The records of a file that say something: a title perhaps, the names of columns, then the users. */

import { type CsvRecord, parseCsv } from './csv-parser.ts';
import type { Delimiter, Listener, Reading } from './reading.ts';
import { type Encoded, readText } from './text.ts';

export type CsvFormat = Encoded & Pick<Reading, 'delimiter'>;

/** Some at a time. @param end of bytes that are read @throws UnreadableError */
export async function* readRecords(path: string, how: CsvFormat, end?: number): AsyncGenerator<CsvRecord[]> {
  for await (const records of readAllRecords(path, how, end)) yield records.filter((one) => !isEmpty(one));
}

/** With those that say nothing. A line with nothing on it at all is none. */
export async function* readAllRecords(
  path: string,
  how: CsvFormat,
  end?: number,
  listener?: Listener,
): AsyncGenerator<CsvRecord[]> {
  const { delimiter } = how;
  for await (const records of parseCsv(readText(path, how, end, listener), delimiter))
    yield records.filter((record) => !isDelimiterTold(record, delimiter));
}

export function isEmpty({ cells }: CsvRecord): boolean {
  return cells.every((cell) => cell === '' || cell.trim() === '');
}

function isDelimiterTold({ line, cells }: CsvRecord, delimiter: Delimiter): boolean {
  return line === 1 && /^sep=.$/i.test(cells.join(delimiter));
}
