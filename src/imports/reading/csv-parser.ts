/** The rows of a file, cut into cells, one after the other. */
import { parseRow } from './csv-row.ts';
import { type Delimiter, UnreadableError } from './reading.ts';

/** The lines on which it begins and ends, as an editor of text counts them; `isTorn`: a quote closes a cell of several lines amid it. */
export type CsvRecord = { line: number; lastLine: number; cells: string[]; isTorn: boolean };

/** Of a row. Nobody’s is as long; what comes of a quote that is never closed would be. */
const MOST_BYTES = 100_000;

/** Those that each piece of the text ends; without empty lines. @throws UnreadableError */
export async function* parseCsv(
  text: AsyncIterable<string>,
  delimiter: Delimiter,
): AsyncGenerator<CsvRecord[]> {
  const parser = new Parser(delimiter);
  for await (const piece of text) {
    yield parser.parse(piece);
    parser.refuseLong();
  }
  // The end of the file is that of a line.
  yield parser.parse('\n');
  parser.refuseOpen();
}

class Parser {
  readonly #delimiter: number;
  /** Of the row whose end has not come, and on which line it begins. */
  #rest = Buffer.alloc(0);
  #line = 1;

  constructor(delimiter: Delimiter) {
    this.#delimiter = delimiter.charCodeAt(0);
  }

  parse(piece: string): CsvRecord[] {
    const bytes = Buffer.concat([this.#rest, Buffer.from(piece)]);
    const records: CsvRecord[] = [];
    let start = 0;
    for (;;) {
      const row = parseRow(bytes, start, this.#delimiter);
      if (row === undefined || row.end - start > MOST_BYTES) break;
      const { cells, isTorn } = row;
      const lastLine = this.#line + lineBreaksIn(cells);
      if (row.end > start) records.push({ line: this.#line, lastLine, cells, isTorn });
      this.#line = lastLine + 1;
      start = row.end + 1;
    }
    this.#rest = bytes.subarray(start);
    return records;
  }

  refuseLong(): void {
    if (this.#rest.length > MOST_BYTES)
      throw this.#unreadable(
        'is longer than 100 KB: perhaps a cell begins with a quote (") that is never closed.',
      );
  }

  /** Of a file that is over. @throws UnreadableError */
  refuseOpen(): void {
    this.refuseLong();
    if (this.#rest.length > 0)
      throw this.#unreadable(
        'has a quote (") that is not closed before the file ends. Close it, or take it out.',
      );
  }

  #unreadable(why: string): UnreadableError {
    return new UnreadableError(`The row that begins on line ${this.#line} ${why}`);
  }
}

function lineBreaksIn(cells: readonly string[]): number {
  let count = 0;
  for (const cell of cells)
    for (let at = cell.indexOf('\n'); at >= 0; at = cell.indexOf('\n', at + 1)) count++;
  return count;
}
