/** The refused rows as a file: whatever is in a cell, it comes back as it was. */
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { Worker } from 'node:worker_threads';
import Sqlite from 'better-sqlite3';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { makeStage, openStageToRead } from '../../src/db/stage-file.ts';
import { newName } from '../../src/imports/folder.ts';
import type { Column } from '../../src/imports/reading/reading.ts';
import { textIn } from '../../src/imports/reading/values.ts';
import { refusedRows } from '../../src/imports/refused-rows.ts';
import { runs } from '../runs.ts';
import { temporaryFolder } from '../support.ts';
import { read } from './files.ts';

const COLUMNS: Column[] = [
  { header: 'username', field: 'username' },
  { header: 'email', field: 'email' },
  { header: 'address\nand floor', field: undefined },
];
const HOW = { columns: COLUMNS, delimiter: ',' } as const;
const REASONS = [{ field: 'email', message: 'Enter an email; "bad" is none.' }] as const;

function fileOf(rows: readonly (readonly string[])[]): string {
  const refused = rows.map((cells, index) => ({ row: index + 1, line: index + 2, cells, reasons: REASONS }));
  return [...refusedRows(HOW, (after) => (after === 0 ? refused : []))].join('');
}

test('line breaks in cells, and in names of columns, stay in them', async () => {
  const rows = await read(
    fileOf([
      ['ada', 'bad', '1 Main St\nTown'],
      ['bob', 'bad', '\n'],
    ]),
  );
  expect(rows.map(({ cells }) => cells.slice(2))).toEqual([
    ['ada', 'bad', '1 Main St\nTown'],
    ['bob', 'bad', "'\n"],
  ]);
  expect(rows.flatMap(({ problems }) => problems).map(({ field }) => field)).toEqual(['email', 'email']);
});

const cell = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 8 }),
  fc.constantFrom(
    "'",
    "''x",
    '=1+1',
    '="007"',
    '"',
    'a"b',
    'a\nb',
    '\n',
    ';',
    '\t',
    ' x ',
    '-1',
    "'=x",
    '',
    '="',
  ),
);

test('whatever is in cells says the same when it is read again', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(cell, cell, cell), { minLength: 1, maxLength: 5 }), async (rows) => {
      const again = await read(fileOf(rows));
      const said = again.map(({ cells }) => cells.slice(2).map(textIn));
      expect(said).toEqual(rows.map((cells) => cells.map(textIn)));
    }),
    runs(200),
  );
});

test('several processes that keep them alone at once lose none of them', async () => {
  const path = join(temporaryFolder(), `${newName()}.stage`);
  makeStage(path).close();
  const stage = new Sqlite(path);
  const insert = stage.prepare("insert into refused values (?, ?, '[]', '[]')");
  for (let row = 1; row <= 500; row++) insert.run(row, row);
  stage.close();
  const others = Array.from(
    { length: 3 },
    () => new Worker(new URL('./keep-refused.ts', import.meta.url), { workerData: { path, times: 50 } }),
  );
  await Promise.all(others.map((other) => once(other, 'exit')));
  const kept = openStageToRead(path);
  expect(kept?.refusedAfter(0, 1_000)).toHaveLength(500);
  kept?.close();
  expect(readdirSync(dirname(path))).toEqual([basename(path)]);
});
