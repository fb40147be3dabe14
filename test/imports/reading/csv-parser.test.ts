import { CsvError } from 'csv-parse';
import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseCsv } from '../../../src/imports/reading/csv-parser.ts';
import { type Delimiter, UnreadableError } from '../../../src/imports/reading/reading.ts';
import { runs } from '../../runs.ts';

/** To be found in what is said of it. */
const NOT_CLOSED = 'has a quote (") that is not closed before the file ends.';
const TOO_LONG =
  'The row that begins on line 2 is longer than 100 KB: perhaps a cell begins with a quote (") that is never closed.';

const OPTIONS = {
  record_delimiter: '\n',
  skip_empty_lines: true,
  relax_column_count: true,
  relax_quotes: true,
  info: true,
} as const;

type Parsed = { record: string[]; info: { lines: number } };

type Found = { line: number; lastLine: number; cells: string[] }[] | string;

/** By a parser that many others use. */
function parsed(text: string, delimiter: Delimiter): Found {
  try {
    const records = parse(text, { ...OPTIONS, delimiter }) as unknown as Parsed[];
    return records.map(({ record, info: { lines } }) => {
      const breaks = record.join('').split('\n').length - 1;
      return { line: lines - breaks, lastLine: lines, cells: record };
    });
  } catch (error) {
    if (error instanceof CsvError && error.code === 'CSV_QUOTE_NOT_CLOSED')
      return expect.stringContaining(NOT_CLOSED);
    throw error;
  }
}

async function ours(pieces: readonly string[], delimiter: Delimiter): Promise<Found> {
  async function* text() {
    yield* pieces;
  }
  try {
    const records = (await Array.fromAsync(parseCsv(text(), delimiter))).flat();
    return records.map(({ line, lastLine, cells }) => ({ line, lastLine, cells }));
  } catch (error) {
    if (error instanceof UnreadableError) return error.message;
    throw error;
  }
}

const piece = fc.string({
  unit: fc.constantFrom('a', 'é', '😀', ' ', ';', ';', ',', ',', '"', '"', '\n'),
  maxLength: 8,
});

const delimiter = fc.constantFrom<Delimiter>(',', ';');

test('wherever quotes stand, and wherever a text is cut into pieces, its cells are those that others find in it', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(piece, { maxLength: 6 }), delimiter, async (pieces, between) => {
      expect(await ours(pieces, between)).toEqual(parsed(pieces.join(''), between));
    }),
    runs(2_000),
  );
});

test('a row is at most 100 KB long, also where the next piece of the text would end it', async () => {
  const long = 'x'.repeat(60_000);
  const read = (pieces: string[]) => ours(['a\n', ...pieces, 'b\n'], ',');
  expect(await read([long, `${'x'.repeat(40_000)}\n`])).toHaveLength(3);
  expect(await read([long, `${'x'.repeat(40_001)}\n`])).toBe(TOO_LONG);
});
