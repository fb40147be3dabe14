/** The rows that are refused, as a file to correct and to bring back: before each, its line and why. */
import { Readable } from 'node:stream';
import { BYTE_ORDER_MARK, csvOf } from '../lib/csv.ts';
import { plain } from '../lib/text.ts';
import { REFUSED_COLUMNS } from './reading/columns.ts';
import type { Delimiter } from './reading/reading.ts';
import { textIn } from './reading/values.ts';
import type { HowRead, Reason, RefusedRow } from './types.ts';

/** A row may be as long as 100 KB, and nobody else is answered while some are made. */
const BATCH = 20;
/** In names of files, somewhere; `%` some browsers take for the beginning of a code. */
const UNFIT = /[\p{Cc}\p{Cf}"%*/:<>?\\|]/gu;

export function* refusedRows(
  { columns, delimiter }: Pick<HowRead, 'columns' | 'delimiter'>,
  read: (after: number, limit: number) => readonly RefusedRow[],
): Generator<string> {
  // They come first: what a row has too much, or too little, stays at its end.
  yield BYTE_ORDER_MARK + lineOf([...REFUSED_COLUMNS, ...columns.map(({ header }) => header)], delimiter);
  for (let after = 0, rows = read(after, BATCH); rows.length > 0; rows = read(after, BATCH)) {
    const lines = rows.map(({ line, reasons, cells }) =>
      lineOf([`${line}`, reasonsInWords(reasons), ...cells], delimiter),
    );
    yield lines.join('');
    after = rows.at(-1)?.row ?? Number.POSITIVE_INFINITY;
  }
}

/** Somebody may read slowly. */
export function streamOf(lines: Iterable<string>): Readable {
  return Readable.from(lines, { objectMode: false });
}

export function reasonsInWords(reasons: readonly Reason[]): string {
  return reasons.map(({ message }) => plain(message)).join(' ');
}

/** "Staff list.refused.csv", after the file that came in (RFC 6266, 4.3, and RFC 8187, 3.2.1). */
export function dispositionOf(fileName: string): string {
  const stem = fileName.replace(/(\.refused)?\.\w{1,5}$/, '').replaceAll(UNFIT, '_');
  const name = `${stem.trim() || 'users'}.refused.csv`.toWellFormed();
  const encoded = encodeURIComponent(name).replaceAll(/['()*]/g, (sign) => `%${hexOf(sign)}`);
  return `attachment; filename="${name.replaceAll(/[^ -~]/g, '_')}"; filename*=UTF-8''${encoded}`;
}

function hexOf(sign: string): string {
  return sign.charCodeAt(0).toString(16).toUpperCase();
}

/** As the file that came in has them. What an export has made of a cell is made of it once. */
function lineOf(cells: readonly string[], delimiter: Delimiter): string {
  return csvOf([cells.map(textIn)], delimiter);
}
