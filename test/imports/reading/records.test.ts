import { CsvError } from 'csv-parse';
import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { UnreadableError } from '../../../src/imports/reading/reading.ts';
import { recordsOf } from '../../../src/imports/reading/records.ts';
import { runs } from '../../runs.ts';

const OPTIONS = {
  record_delimiter: '\n',
  skip_empty_lines: true,
  relax_column_count: true,
  relax_quotes: true,
  info: true,
} as const;

type Parsed = { record: string[]; info: { lines: number } };

/** By a parser that many others use. */
function parsed(text: string): { end: number; cells: string[] }[] | string {
  try {
    const records = parse(text, OPTIONS) as unknown as Parsed[];
    return records.map(({ record, info }) => ({ end: info.lines, cells: record }));
  } catch (error) {
    if (error instanceof CsvError) return error.code;
    throw error;
  }
}

async function ours(pieces: readonly string[]): Promise<ReturnType<typeof parsed>> {
  async function* text() {
    yield* pieces;
  }
  try {
    const records = (await Array.fromAsync(recordsOf(text(), ','))).flat();
    return records.map(({ end, cells }) => ({ end, cells }));
  } catch (error) {
    if (error instanceof UnreadableError) return 'CSV_QUOTE_NOT_CLOSED';
    throw error;
  }
}

const piece = fc.string({
  unit: fc.constantFrom('a', 'é', '😀', ' ', ';', ',', ',', '"', '"', '\n'),
  maxLength: 8,
});

test('wherever quotes stand, and wherever a text is cut into pieces, its cells are those that others find in it', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(piece, { maxLength: 6 }), async (pieces) => {
      expect(await ours(pieces)).toEqual(parsed(pieces.join('')));
    }),
    runs(2_000),
  );
});

test('a row is at most 100 KB long, also where the next piece of the text would end it', async () => {
  const long = 'x'.repeat(60_000);
  const read = (pieces: string[]) => ours(['a\n', ...pieces, 'b\n']);
  expect(await read([long, `${'x'.repeat(40_000)}\n`])).toHaveLength(3);
  expect(await read([long, `${'x'.repeat(40_001)}\n`])).toBe('CSV_QUOTE_NOT_CLOSED');
});
