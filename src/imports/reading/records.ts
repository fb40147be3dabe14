/** The rows of a file, cut into cells (https://www.rfc-editor.org/rfc/rfc4180), one after the other. */
import { promisify } from 'node:util';
import { CsvError, type Parser, parse } from 'csv-parse';
import { type Delimiter, UnreadableError } from './reading.ts';

/** The lines on which it begins and ends, as an editor of text counts them. */
export type CsvRecord = { line: number; end: number; cells: string[] };

/** Of a row. Nobody’s is as long; what comes of a quote that is never closed would be. */
const MOST_BYTES = 100_000;
/** Some more than a row and what waits to be parsed. */
const MOST_WITHOUT_ROW = 500_000;

type Written = (error?: Error | null) => void;

/** Those that each piece of the text ends; without empty lines. @throws UnreadableError */
export async function* recordsOf(
  text: AsyncIterable<string>,
  delimiter: Delimiter,
): AsyncGenerator<CsvRecord[]> {
  let [records, line]: [CsvRecord[], number] = [[], 0];
  const parser = parserFor(delimiter, (record) => {
    records.push(record);
    line = record.end;
  });
  // Whoever writes to it hears of it, too.
  parser.on('error', () => {});
  const write = promisify((piece: string, written: Written) => parser.write(piece, written));
  const end = promisify((ended: Written) => parser.end(ended));
  try {
    for await (const piece of bounded(text, parser)) {
      const error = await write(piece).catch((reason: unknown) => reason);
      yield records;
      records = [];
      if (error) throw error;
    }
    await end();
    yield records;
  } catch (error) {
    throw error instanceof CsvError || error instanceof TooLongError ? unreadable(error, line + 1) : error;
  }
}

/** @param take given each at once: from the other end of a stream they would come one by one, each after a wait */
function parserFor(delimiter: Delimiter, take: (record: CsvRecord) => void): Parser {
  return parse({
    on_record(cells: string[], { lines }) {
      take({ line: lines - lineBreaksIn(cells), end: lines, cells });
    },
    delimiter,
    record_delimiter: '\n',
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
