import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FORMATS } from '../../../src/exports/formats.ts';
import { recognise } from '../../../src/imports/reading/recognise.ts';
import { readRows } from '../../../src/imports/reading/rows.ts';
import { template } from '../../../src/imports/template.ts';
import { newUserSchema } from '../../../src/users/validation.ts';
import { runs } from '../../runs.ts';
import { read, written } from '../files.ts';

test('rows come some at a time, all of them, in their order', async () => {
  const lines = Array.from({ length: 1_100 }, (_, index) => `user${index}`);
  const path = written(`username\n${lines.join('\n')}\n`);
  const batches = await Array.fromAsync(readRows(path, await recognise(path), 'leave'));
  expect(Math.max(...batches.map((rows) => rows.length))).toBe(1_000);
  expect(batches.flat().map(({ values }) => values.username)).toEqual(lines);
});

test('cells are what the file says, to be corrected and brought back', async () => {
  const [row] = await read('username,notes,email\n ann ,"a ""b"", c",\'=1\n');
  expect(row?.cells).toEqual([' ann ', 'a "b", c', "'=1"]);
});

describe('wherever a file is cut into pieces', () => {
  // It is read by 64 KiB; each row is 7 bytes, so that every byte of one comes to stand at an edge.
  test.each(['utf8', 'utf16le'] as const)('letters and line ends stay whole (%s)', async (encoding) => {
    const content = `\uFEFFusername,name\r\n${'a,é😀\r\n'.repeat(60_000)}`;
    const rows = await read(Buffer.from(content, encoding));
    expect(rows).toHaveLength(60_000);
    expect(new Set(rows.map(({ values }) => values.full_name))).toEqual(new Set(['é😀']));
    expect(rows.at(-1)?.line).toBe(60_001);
  });
});

describe('a file that is plain for its first megabyte', () => {
  const PLAIN = `username,name\n${'ann,Ann\n'.repeat(150_000)}`;
  const LAST = 'bob,Müller\n';
  test.each([
    ['windows-1252', 'latin1'],
    ['utf-8', 'utf8'],
  ] as const)('is read on as %s by its first umlaut', async (encoding, written_as) => {
    const path = written(Buffer.from(PLAIN + LAST, written_as));
    const reading = await recognise(path);
    expect(reading).toMatchObject({ encoding: 'utf-8', isPlain: true });
    const found: string[] = [];
    const listener = {
      onEncoding: async (one: string) => void found.push(one),
      onEmptyRow: () => {},
    };
    const rows = (await Array.fromAsync(readRows(path, reading, 'leave', listener))).flat();
    expect(rows.at(-1)?.values.full_name).toBe('Müller');
    expect(found).toEqual([encoding]);
  });
});

test('rows of empty cells below the names are counted, and lines with nothing on them are none', async () => {
  const path = written(',\nusername,email\n\nann,a@example.org\n,\n , \n\n"",\nbob,b@example.org\n,\n');
  let count = 0;
  const listener = { onEncoding: async () => {}, onEmptyRow: () => void count++ };
  const rows = (await Array.fromAsync(readRows(path, await recognise(path), 'leave', listener))).flat();
  expect(rows.map(({ line }) => line)).toEqual([4, 9]);
  expect(count).toBe(4);
});

const lineEnd = fc.constantFrom('\n', '\r\n', '\r');
const note = fc.string({ unit: fc.constantFrom('a', 'é', ',', ';', '"', '\n', '\r\n', '\r', ' ') });

test('lines are counted as an editor of text does, whatever stands in cells', async () => {
  const file = fc.array(fc.record({ note, end: lineEnd, blank: fc.boolean() }), {
    minLength: 1,
    maxLength: 20,
  });
  await fc.assert(
    fc.asyncProperty(file, lineEnd, async (records, firstEnd) => {
      let content = `username,notes,email${firstEnd}`;
      const lines = records.map(({ note, end, blank }) => {
        if (blank) content += `${end}`;
        const line = linesOf(content);
        content += `ann,"x${note.replaceAll('"', '""')}",a@example.org${end}`;
        return line;
      });
      const rows = await read(content);
      expect(rows.map(({ line }) => line)).toEqual(lines);
      expect(rows.map(({ problems }) => problems)).toEqual(rows.map(() => []));
      expect(rows.map(({ cells }) => cells[1])).toEqual(
        records.map(({ note }) => `x${note}`.replaceAll(/\r\n?/g, '\n')),
      );
    }),
    runs(200),
  );
});

/** The number of the line that would be written next; a CR alone and an LF alone beside each other are one line end. */
function linesOf(text: string): number {
  return text.split(/\r\n|\r|\n/).length;
}

const user = fc
  .record({
    username: fc.stringMatching(/^[a-z][a-z0-9._+-]{0,20}$/),
    email: fc.emailAddress(),
    full_name: fc.string({
      unit: fc.oneof(
        fc.constantFrom(...'\'=+-@;,\t" '),
        fc.string({ unit: 'grapheme', minLength: 1, maxLength: 1 }),
      ),
    }),
    is_active: fc.boolean().map(String),
    role: fc.constantFrom('member', 'viewer', 'editor', 'admin'),
  })
  .map((typed) => newUserSchema.safeParse(typed))
  .filter(({ success }) => success)
  .map(({ data }) => data as NonNullable<typeof data>);

test('users who were exported come back as they were', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(user, { minLength: 1, maxLength: 10 }), async (users) => {
      const rows = await read(FORMATS.csv.begin + FORMATS.csv.write(users), { empty: 'clear' });
      expect(rows.map(({ problems }) => problems)).toEqual(users.map(() => []));
      expect(rows.map(({ values }) => values)).toEqual(users);
    }),
    runs(300),
  );
});

test('the template can be imported as it is, and gives nobody access', async () => {
  const rows = await read(template());
  expect(rows.flatMap(({ problems }) => problems)).toEqual([]);
  expect(rows).toHaveLength(2);
  for (const { values } of rows) expect(values).toMatchObject({ is_active: false, role: 'member' });
});

test('the template has the columns of an export', () => {
  expect(template().startsWith(FORMATS.csv.begin)).toBe(true);
});
