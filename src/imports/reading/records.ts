/** The rows of a file, cut into cells (https://www.rfc-editor.org/rfc/rfc4180), one after the other. */
import { compose } from 'node:stream';
import { CsvError, type Info, type Parser, parse } from 'csv-parse';
import { type Delimiter, UnreadableError } from './reading.ts';

/** The lines on which it begins and ends, as an editor of text counts them. */
export type CsvRecord = { line: number; end: number; cells: string[] };

/** Of a row. Nobody’s is as long; what comes of a quote that is never closed would be. */
const MOST_BYTES = 100_000;
/** Some more than a row and what waits to be parsed. */
const MOST_WITHOUT_ROW = 500_000;

/** Without empty lines. @throws UnreadableError */
export async function* recordsOf(
  text: AsyncIterable<string>,
  delimiter: Delimiter,
): AsyncGenerator<CsvRecord> {
  const parser = parserFor(delimiter);
  let end = 0;
  try {
    const records = compose(bounded(text, parser), parser);
    for await (const { record, info } of records as AsyncIterable<{ record: string[]; info: Info }>) {
      end = info.lines;
      yield { line: end - lineBreaksIn(record), end, cells: record };
    }
  } catch (error) {
    throw error instanceof CsvError || error instanceof TooLongError ? unreadable(error, end + 1) : error;
  }
}

function parserFor(delimiter: Delimiter): Parser {
  return parse({
    delimiter,
    record_delimiter: '\n',
    info: true,
    skip_empty_lines: true,
    // How many cells a row has is judged with the rest of it.
    relax_column_count: true,
    // As spreadsheets do: in a cell that does not begin with a quote, a quote is a letter like any other.
    relax_quotes: true,
    max_record_size: MOST_BYTES,
  });
}

class TooLongError extends Error {}

/** `max_record_size` counts what is in cells, and a row may be of millions that are empty. */
async function* bounded(text: AsyncIterable<string>, { info }: Parser): AsyncGenerator<string> {
  let [rows, length] = [0, 0];
  for await (const piece of text) {
    const parsed = info.records + info.empty_lines;
    length = parsed === rows ? length + piece.length : piece.length;
    rows = parsed;
    if (length > MOST_WITHOUT_ROW) throw new TooLongError();
    yield piece;
  }
}

function unreadable(error: Error, line: number): UnreadableError {
  const row = `The row that begins on line ${line}`;
  return new UnreadableError(
    error instanceof CsvError && error.code === 'CSV_QUOTE_NOT_CLOSED'
      ? `${row} has a quote (") that is not closed before the file ends. Close it, or take it out.`
      : `${row} is longer than 100 KB: perhaps a cell begins with a quote (") that is never closed.`,
  );
}

function lineBreaksIn(cells: readonly string[]): number {
  let count = 0;
  for (const cell of cells)
    for (let at = cell.indexOf('\n'); at >= 0; at = cell.indexOf('\n', at + 1)) count++;
  return count;
}
