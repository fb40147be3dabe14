import { expect, test } from 'vitest';
import { type Row, UnreadableError } from '../../../src/imports/reading/reading.ts';
import { recognise } from '../../../src/imports/reading/recognise.ts';
import { plain } from '../../../src/lib/text.ts';
import { CORPUS, type File } from '../corpus.ts';
import { read, written } from '../files.ts';

const files = Object.entries(CORPUS);
const refused = files.filter(([, { refused }]) => refused !== undefined);
const withRows = files.filter(([, { rows }]) => rows !== undefined);
const withEncoding = files.filter(([, { encoding }]) => encoding !== undefined);

function summaryOf({ line, values, problems: [problem] }: Row): string {
  return `${line} ${problem ? plain(problem.message) : values.username}`;
}

test.each(refused)(
  '%s: refused, with a sentence that says what to do',
  async (_, { content, refused }: File) => {
    const error = await read(content).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(UnreadableError);
    expect(plain((error as UnreadableError).message)).toBe(refused);
  },
);

test.each(withRows)('%s: read row by row', async (_, { content, rows }: File) => {
  expect((await read(content)).map(summaryOf)).toEqual(rows);
});

test.each(withEncoding)('%s: its encoding is recognised', async (_, { content, encoding }: File) => {
  expect((await recognise(written(content))).encoding).toBe(encoding);
});
