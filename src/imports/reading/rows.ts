/** The rows of a file of users: what each says, by the rules of the form, and what is wrong with it. */
import type { Empty } from '../types.ts';
import type { CsvRecord } from './csv-parser.ts';
import type { Listener, Reading, Row } from './reading.ts';
import { isEmpty, readAllRecords } from './records.ts';
import { valuesReader } from './values.ts';

/** Found in the directory at once, and the first of them within a moment. */
const BATCH_ROWS = 1_000;
/** Of all its cells: rows may be long. */
const BATCH_CHARACTERS = 1_000_000;

/** Some at a time. @param empty what an empty cell does to a full name @throws UnreadableError */
export async function* readRows(
  path: string,
  reading: Reading,
  empty: Empty,
  listener?: Listener,
): AsyncGenerator<Row[]> {
  const read = rowReader(reading, empty);
  let [rows, characters]: [Row[], number] = [[], 0];
  let isBelow = false;
  for await (const records of readAllRecords(path, reading, undefined, listener))
    for (const record of records) {
      if (isEmpty(record)) {
        if (isBelow) listener?.onEmptyRow();
        continue;
      }
      if (!isBelow) {
        // What stands above the names of the columns, and themselves.
        isBelow = record.line > reading.above;
        continue;
      }
      rows.push(read(record));
      characters += sizeOf(record.cells);
      if (rows.length < BATCH_ROWS && characters < BATCH_CHARACTERS) continue;
      yield rows;
      [rows, characters] = [[], 0];
    }
  if (rows.length > 0) yield rows;
}

function rowReader(reading: Reading, empty: Empty): (record: CsvRecord) => Row {
  const read = valuesReader(reading.columns, empty);
  return (record) => {
    const { line, cells } = record;
    const message = recordProblem(record, reading);
    if (message !== undefined)
      return { line, cells, id: undefined, values: {}, problems: [{ field: undefined, message }] };
    const { id, values, name, problems } = read(cells);
    return { line, cells, id, values, name, problems };
  };
}

function sizeOf(cells: readonly string[]): number {
  let size = cells.length;
  for (const cell of cells) size += cell.length;
  return size;
}

function recordProblem(
  { line, lastLine, cells, isTorn }: CsvRecord,
  { above, columns }: Reading,
): string | undefined {
  // The quote that should have opened the next cell has closed this one.
  if (isTorn)
    return `The quotes (") on lines ${line} to ${lastLine} do not match: one is not closed, or stands inside of a cell and has to be written twice.`;
  while (cells.length > columns.length && cells.at(-1)?.trim() === '') cells.pop();
  if (cells.length === columns.length) return undefined;
  const names = above === 0 ? 'the first line' : 'the line with the names';
  const has = cells.length === 1 ? '1 cell' : `${cells.length} cells`;
  return `The row has ${has}, ${names} has ${columns.length}.`;
}
