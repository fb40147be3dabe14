/** The rows that are refused, as a file to correct and to bring back: before each, its line and why. */
import { Readable } from 'node:stream';
import { stringify } from 'csv-stringify/sync';
import { plain } from '../lib/text.ts';
import { toCell } from '../transfer/cells.ts';
import { REFUSED_COLUMNS } from './reading/columns.ts';
import { textIn } from './reading/values.ts';
import type { HowRead, Reason, RefusedRow } from './types.ts';

const BATCH = 500;
const BYTE_ORDER_MARK = '\uFEFF';

/** @param read gives those after one, so many at most */
export function* refusedRows(
  { columns }: Pick<HowRead, 'columns'>,
  read: (after: number, limit: number) => readonly RefusedRow[],
): Generator<string> {
  // They come first: what a row has too much, or too little, stays at its end.
  yield BYTE_ORDER_MARK + lineOf([...REFUSED_COLUMNS, ...columns.map(({ header }) => header)]);
  for (let after = 0, rows = read(after, BATCH); rows.length > 0; rows = read(after, BATCH)) {
    yield rows.map(({ line, reasons, cells }) => lineOf([`${line}`, whyOf(reasons), ...cells])).join('');
    after = rows.at(-1)?.row ?? Number.POSITIVE_INFINITY;
  }
}

/** Somebody may read slowly. */
export function streamOf(lines: Iterable<string>): Readable {
  return Readable.from(lines, { objectMode: false });
}

export function whyOf(reasons: readonly Reason[]): string {
  return reasons.map(({ message }) => plain(message)).join(' ');
}

/** What an export has made of a cell is made of it once. */
function lineOf(cells: readonly string[]): string {
  const safe = cells.map((cell) => toCell(textIn(cell)));
  return stringify([safe], { record_delimiter: 'windows', quoted_match: /[;\t]/ });
}
