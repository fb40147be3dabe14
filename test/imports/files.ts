/** Files of the corpus, or of any text, written to be read. */
import { closeSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Choice, Row } from '../../src/imports/reading/reading.ts';
import { recognise } from '../../src/imports/reading/recognise.ts';
import { readRows } from '../../src/imports/reading/rows.ts';
import { temporaryFolder } from '../support.ts';
import { type Content, piecesOf } from './corpus.ts';

export function written(content: Content): string {
  const path = join(temporaryFolder(), 'users.csv');
  const file = openSync(path, 'w');
  for (const piece of piecesOf(content)) writeSync(file, Buffer.from(piece));
  closeSync(file);
  return path;
}

export async function read(
  content: Content,
  { empty = 'leave', ...choice }: Choice & { empty?: 'leave' | 'clear' } = {},
): Promise<Row[]> {
  const path = written(content);
  const batches = await Array.fromAsync(readRows(path, await recognise(path, choice), empty));
  return batches.flat();
}

/** A stage of which a byte of what each row says has become another one. */
export function inEachRow(stage: Buffer): Buffer {
  return Buffer.from(stage.toString('latin1').replaceAll(/(?<=[[{])"/g, "'"), 'latin1');
}
