/** How a file of users is to be read: its encoding, what its cells are apart by, and its columns. */
import { open } from 'node:fs/promises';
import { quoted } from '../../lib/text.ts';
import { columnsOf, columnsProblem, namesColumns } from './columns.ts';
import type { CsvRecord } from './csv-parser.ts';
import { recogniseEncoding } from './encoding.ts';
import {
  type Choice,
  type Column,
  DELIMITERS,
  type Delimiter,
  type LineEnd,
  type Reading,
  UnreadableError,
} from './reading.ts';
import { type CsvFormat, readRecords } from './records.ts';
import { findReversedName } from './reversed-names.ts';
import { type Encoded, readText } from './text.ts';
import { refuseUnsupportedFiles, refuseUnsupportedTexts } from './unsupported-files.ts';

/** More than the longest row. */
const HEAD_BYTES = 2 ** 20;
const MOST_COLUMNS = 1_000;
/** A title may stand above the names of the columns, and whom it is from. */
const MOST_ABOVE = 9;

const TOLD = /^"?sep=(.)"?$/i;

/** @throws UnreadableError */
export async function recognise(path: string, choice: Choice = {}): Promise<Reading> {
  const head = await headOf(path);
  refuseUnsupportedFiles(head);
  const known = choice.encoding ?? (await recogniseEncoding(path, head));
  const encoded = known ? { encoding: known } : ({ encoding: 'utf-8', isPlain: true } as const);
  const told = await toldDelimiter(path, encoded);
  const delimiter = choice.delimiter ?? told ?? (await bestDelimiter(path, encoded, choice));
  const { above, headers, row } = topOf(await Array.fromAsync(firstRecords(path, { ...encoded, delimiter })));
  if (!headers) throw new UnreadableError('The file is empty.');
  refuseManyColumns(headers.length);
  const lineEnds = lineEndsIn(new TextDecoder(encoded.encoding).decode(head));
  const columns = withNames(columnsOf(headers, choice.fields), choice);
  const reading = { ...encoded, delimiter, lineEnds, above, columns };
  const problem = columnsProblem(reading.columns);
  if (problem !== undefined) throw new UnreadableError(problem, reading);
  if (!row) throw new UnreadableError('There are names of columns in the file, and no row below them.');
  return { ...reading, reversed: await findReversedName(path, reading) };
}

function withNames(columns: readonly Column[], { names }: Choice): readonly Column[] {
  if (names === undefined) return columns;
  return columns.map((column) =>
    column.field === 'full_name' ? { ...column, field: 'reversed_name' } : column,
  );
}

async function headOf(path: string): Promise<Buffer> {
  await using file = await open(path);
  const { buffer, bytesRead } = await file.read(Buffer.alloc(HEAD_BYTES));
  return buffer.subarray(0, bytesRead);
}

/** One that is cut in two at its end is not told. */
function lineEndsIn(text: string): LineEnd[] {
  return [...new Set(text.match(/\r\n|\r(?!$)|\n/g))] as LineEnd[];
}

/** As Excel writes it in some countries. @throws UnreadableError where nothing of ours can be in the file */
async function toldDelimiter(path: string, encoded: Encoded): Promise<Delimiter | undefined> {
  let text = '';
  for await (const piece of readText(path, encoded, HEAD_BYTES)) text += piece;
  refuseUnsupportedTexts(text);
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  const [, told] = TOLD.exec(lines[0] ?? '') ?? [];
  const first = lines[told === undefined ? 0 : 1] ?? '';
  for (const delimiter of Object.keys(DELIMITERS)) refuseManyColumns(first.split(delimiter).length);
  if (told === undefined || told in DELIMITERS) return told as Delimiter | undefined;
  throw new UnreadableError(
    `Its first line says that cells are apart by ${quoted(told)}: save it with commas, semicolons or tabs.`,
  );
}

/** Also before a line is parsed, which may be too long for that. */
function refuseManyColumns(count: number): void {
  if (count > MOST_COLUMNS)
    throw new UnreadableError('The file has more than 1,000 columns: take out those that are not needed.');
}

/** With which most columns are known; else with which the first row has as many cells; else with which there are most. */
async function bestDelimiter(path: string, encoded: Encoded, { fields }: Choice): Promise<Delimiter> {
  const tried = [];
  for (const delimiter of Object.keys(DELIMITERS) as Delimiter[]) {
    const { headers = [], row = [] } = topOf(await triedRecords(path, { ...encoded, delimiter }));
    const known = fields ? 0 : columnsOf(headers).filter(({ field }) => field !== undefined).length;
    const fits = headers.length > 1 && headers.length === row.length;
    tried.push({ delimiter, score: (2 * known + Number(fits)) * MOST_COLUMNS + headers.length });
  }
  return tried.reduce((best, other) => (other.score > best.score ? other : best)).delimiter;
}

async function triedRecords(path: string, how: CsvFormat): Promise<CsvRecord[]> {
  const records: CsvRecord[] = [];
  try {
    for await (const record of firstRecords(path, how, HEAD_BYTES)) records.push(record);
  } catch (error) {
    // With another delimiter than its own a file may look as if a quote were never closed.
    if (!(error instanceof UnreadableError)) throw error;
  }
  return records;
}

/** As far as the row below the names of the columns. @param end of bytes that are read */
async function* firstRecords(path: string, how: CsvFormat, end?: number): AsyncGenerator<CsvRecord> {
  let [count, isFound] = [0, false];
  for await (const records of readRecords(path, how, end))
    for (const record of records) {
      yield record;
      if (isFound || count > MOST_ABOVE) return;
      isFound = namesColumns(record.cells, count++ === 0);
    }
}

/** Without a name that is known it is the first line with more than a title, which a spreadsheet makes as wide as the others. */
function topOf(records: readonly CsvRecord[]) {
  const known = records.findIndex(({ cells }, index) => namesColumns(cells, index === 0));
  const wide = records.findIndex(
    ({ cells }) => withoutEmptyEnd(cells).length > 1 && cells.length === records[0]?.cells.length,
  );
  const index = Math.max(known < 0 ? wide : known, 0);
  const [headers, row] = records.slice(index).map(({ cells }) => withoutEmptyEnd(cells));
  return { above: records[index - 1]?.lastLine ?? 0, headers, row };
}

/** A spreadsheet leaves empty cells at the end of each line. */
function withoutEmptyEnd(cells: readonly string[]): readonly string[] {
  return cells.slice(0, cells.findLastIndex((cell) => cell.trim() !== '') + 1);
}
