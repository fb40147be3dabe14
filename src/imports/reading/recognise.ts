/** How a file of users is to be read: its encoding, what its cells are apart by, and its columns. */
import { open } from 'node:fs/promises';
import { named, quotable } from '../../lib/text.ts';
import { columnsOf, columnsProblem } from './columns.ts';
import { recogniseEncoding } from './encoding.ts';
import { listRecords } from './list.ts';
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

const HEAD_BYTES = 2 ** 16;
const MOST_COLUMNS = 1_000;

/** @throws UnreadableError */
export async function recognise(path: string, choice: Choice = {}): Promise<Reading> {
  const head = await headOf(path);
  refuseOtherFiles(head);
  const encoding = choice.encoding ?? (await recogniseEncoding(path, head));
  const [line = ''] = await firstLines(path, encoding);
  const delimiter = choice.delimiter ?? toldDelimiter(line) ?? (await bestDelimiter(path, encoding, choice));
  const [headers, row] = await firstRecords(path, encoding, delimiter);
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

/** @throws UnreadableError where they are no text, or have too many columns */
async function firstLines(path: string, encoding: Encoding): Promise<string[]> {
  let text = '';
  for await (const piece of textOf(path, encoding, HEAD_BYTES)) text += piece;
  refuseOtherTexts(text);
  const lines = text.split('\n', 2);
  for (const delimiter of Object.keys(DELIMITERS))
    if (lines.some((line) => line.split(delimiter).length > MOST_COLUMNS))
      throw new UnreadableError('The file has more than 1,000 columns: take out those that are not needed.');
  return lines;
}

/** As Excel writes it in some countries. @throws UnreadableError */
function toldDelimiter(line: string): Delimiter | undefined {
  const [, told] = /^"?sep=(.)"?$/i.exec(line) ?? [];
  if (told === undefined || told in DELIMITERS) return told as Delimiter | undefined;
  throw new UnreadableError(
    `Its first line says that cells are apart by “${named(quotable(told))}”: save it with commas, semicolons or tabs.`,
  );
}

/** With which most columns are known; else with which there are most. */
async function bestDelimiter(path: string, encoding: Encoding, { fields }: Choice): Promise<Delimiter> {
  const tried = [];
  for (const delimiter of Object.keys(DELIMITERS) as Delimiter[]) {
    const [headers = []] = await firstRecords(path, encoding, delimiter);
    const known = fields ? 0 : columnsOf(headers).filter(({ field }) => field !== undefined).length;
    tried.push({ delimiter, score: known * MOST_COLUMNS + headers.length });
  }
  return tried.reduce((best, other) => (other.score > best.score ? other : best)).delimiter;
}

async function firstRecords(path: string, encoding: Encoding, delimiter: Delimiter): Promise<string[][]> {
  const records = [];
  for await (const { cells } of listRecords(path, encoding, delimiter)) {
    records.push(cells);
    if (records.length === 2) break;
  }
  return records;
}
