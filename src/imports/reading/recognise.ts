/** How a file of users is to be read: its encoding, what its cells are apart by, and its columns. */
import { open } from 'node:fs/promises';
import { named, quotable } from '../../lib/text.ts';
import { columnsOf, columnsProblem } from './columns.ts';
import { recogniseEncoding } from './encoding.ts';
import { type CsvFormat, listRecords } from './list.ts';
import { refuseOtherFiles, refuseOtherTexts } from './other-files.ts';
import {
  type Choice,
  DELIMITERS,
  type Delimiter,
  type Encoding,
  type Reading,
  UnreadableError,
} from './reading.ts';
import { textOf } from './text.ts';

/** More than the longest row. */
const HEAD_BYTES = 2 ** 20;
const MOST_COLUMNS = 1_000;

const TOLD = /^"?sep=(.)"?$/i;

/** @throws UnreadableError */
export async function recognise(path: string, choice: Choice = {}): Promise<Reading> {
  const head = await headOf(path);
  refuseOtherFiles(head);
  const encoding = choice.encoding ?? (await recogniseEncoding(path, head));
  const told = await toldDelimiter(path, encoding);
  const delimiter = choice.delimiter ?? told ?? (await bestDelimiter(path, encoding, choice));
  const [headers, row] = await Array.fromAsync(firstRecords(path, { encoding, delimiter }));
  if (!headers) throw new UnreadableError('The file is empty.');
  const reading = { encoding, delimiter, columns: columnsOf(headers, choice.fields) };
  const problem = columnsProblem(reading.columns);
  if (problem !== undefined) throw new UnreadableError(problem, reading);
  if (!row) throw new UnreadableError('There are names of columns in the file, and no row below them.');
  return reading;
}

async function headOf(path: string): Promise<Buffer> {
  await using file = await open(path);
  const { buffer, bytesRead } = await file.read(Buffer.alloc(HEAD_BYTES));
  return buffer.subarray(0, bytesRead);
}

/** As Excel writes it in some countries. @throws UnreadableError where nothing of ours can be in the file */
async function toldDelimiter(path: string, encoding: Encoding): Promise<Delimiter | undefined> {
  let text = '';
  for await (const piece of textOf(path, encoding, HEAD_BYTES)) text += piece;
  refuseOtherTexts(text);
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  const [, told] = TOLD.exec(lines[0] ?? '') ?? [];
  refuseManyColumns(lines[told === undefined ? 0 : 1] ?? '');
  if (told === undefined || told in DELIMITERS) return told as Delimiter | undefined;
  throw new UnreadableError(
    `Its first line says that cells are apart by “${named(quotable(told))}”: save it with commas, semicolons or tabs.`,
  );
}

/** Before the line is parsed, which may be too long for that. */
function refuseManyColumns(header: string): void {
  if (Object.keys(DELIMITERS).some((delimiter) => header.split(delimiter).length > MOST_COLUMNS))
    throw new UnreadableError('The file has more than 1,000 columns: take out those that are not needed.');
}

/** With which most columns are known; else with which the first row has as many cells; else with which there are most. */
async function bestDelimiter(path: string, encoding: Encoding, { fields }: Choice): Promise<Delimiter> {
  const tried = [];
  for (const delimiter of Object.keys(DELIMITERS) as Delimiter[]) {
    const [headers = [], row = []] = await triedRecords(path, { encoding, delimiter });
    const known = fields ? 0 : columnsOf(headers).filter(({ field }) => field !== undefined).length;
    const fits = headers.length > 1 && headers.length === row.length;
    tried.push({ delimiter, score: (2 * known + Number(fits)) * MOST_COLUMNS + headers.length });
  }
  return tried.reduce((best, other) => (other.score > best.score ? other : best)).delimiter;
}

async function triedRecords(path: string, how: CsvFormat): Promise<string[][]> {
  const records: string[][] = [];
  try {
    for await (const cells of firstRecords(path, how, HEAD_BYTES)) records.push(cells);
  } catch (error) {
    // With another delimiter than its own a file may look as if a quote were never closed.
    if (!(error instanceof UnreadableError)) throw error;
  }
  return records;
}

/** The header and the first row. @param end of bytes that are read */
async function* firstRecords(path: string, how: CsvFormat, end?: number): AsyncGenerator<string[]> {
  let count = 0;
  for await (const { cells } of listRecords(path, how, end)) {
    yield cells;
    if (++count === 2) return;
  }
}
