/** What an import would do, for whoever reads it in a terminal; the rows that are refused go into a file beside. */
import { existsSync } from 'node:fs';
import { open, rm } from 'node:fs/promises';
import { basename, parse, resolve } from 'node:path';
import { commandLine } from '../auth/actor.ts';
import { sentenceOfRefused } from '../backup/target-file.ts';
import type { Db } from '../db/schema.ts';
import { StartError } from '../errors.ts';
import { describeDifferences } from '../imports/differences.ts';
import type { Folder } from '../imports/folder.ts';
import { checkedOf, totalsOf } from '../imports/json-columns.ts';
import type { Import } from '../imports/queries.ts';
import { DELIMITERS, ENCODINGS } from '../imports/reading/reading.ts';
import { reasonsInWords, refusedRows } from '../imports/refused-rows.ts';
import { readStage } from '../imports/stage-reader.ts';
import type { Totals } from '../imports/types.ts';
import {
  aboveOf,
  doubtfulOf,
  EMPTY_CELLS,
  emptyOf,
  fieldOf,
  fieldsOf,
  lineEndsOf,
  lostOf,
  matchedOf,
  reversedOf,
  rowsOf,
  takenOf,
} from '../imports/words.ts';
import { number } from '../lib/formats.ts';
import { plain, quotable } from '../lib/text.ts';

const MOST_SAID = 5;
const NONE: Totals = {
  created: 0,
  changed: 0,
  same: 0,
  refused: 0,
  rows: 0,
  fields: {},
  differences: 0,
  read: 0,
};

export function readTotals(imported: Import): Totals {
  return totalsOf(imported) ?? NONE;
}

export function sayPreview(path: string, imported: Import): void {
  const { how, totals } = checkedOf(imported);
  const { encoding, delimiter, above, columns, empty } = how;
  const { created, changed, same, refused, rows } = totals;
  console.log(
    `${quotable(basename(path))}: ${rowsOf(rows)}, ${ENCODINGS[encoding]}, cells apart by ${DELIMITERS[delimiter].toLowerCase()}, lines end with ${lineEndsOf(how)}, matched by ${matchedOf(how, totals).toLowerCase()}`,
  );
  if (above > 0) console.log(`  ${aboveOf(above)}`);
  for (const { header, field } of columns)
    console.log(`  ${quotable(header)} → ${field ? fieldOf(field, how.match) : 'left out'}`);
  const reversed = reversedOf(how);
  if (reversed !== undefined)
    console.log(`  ${plain(reversed)} They are turned round with --names reversed.`);
  const lost = lostOf(totals);
  if (lost !== undefined) console.log(`  ${lost}`);
  const doubtful = doubtfulOf(totals);
  if (doubtful !== undefined) console.log(`  ${doubtful}`);
  const [what, says] = EMPTY_CELLS[empty];
  console.log(`  An empty cell ${what.toLowerCase()}. ${says}`);
  const fields = fieldsOf(totals);
  console.log(
    `${number.format(created)} created, ${number.format(changed)} changed${fields && ` (${fields})`}, ${number.format(same)} the same, ${number.format(refused)} refused`,
  );
  const emptyRows = emptyOf(totals);
  if (emptyRows !== undefined) console.log(`  ${emptyRows}`);
}

export async function saveRefused(path: string, folder: Folder, imported: Import): Promise<void> {
  const { how, totals } = checkedOf(imported);
  const { refused } = totals;
  if (refused === 0) return;
  const read = (after: number, limit: number) =>
    readStage(folder, imported, (stage) => stage.refused(after, limit)) ?? [];
  const first = read(0, MOST_SAID);
  for (const { line, reasons } of first) console.log(`  Line ${line}: ${reasonsInWords(reasons)}`);
  if (refused > MOST_SAID) console.log(`  and ${number.format(refused - MOST_SAID)} more`);
  const taken = takenOf(first);
  if (taken !== undefined) console.log(`  ${taken}`);
  const beside = newNameBeside(path);
  try {
    await writeNew(beside, refusedRows(how, read));
    console.log(`The refused rows, each with why, are in ${beside}`);
  } catch (error) {
    const refusal = sentenceOfRefused(beside, error);
    if (!(refusal instanceof StartError)) throw error;
    console.error(plain(`The refused rows are in no file: ${refusal.message}`));
  }
}

async function writeNew(path: string, text: Iterable<string>): Promise<void> {
  const file = await open(path, 'wx', 0o600);
  try {
    await file.writeFile(text);
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  } finally {
    await file.close();
  }
}

export async function sayDifferences(db: Db, folder: Folder, imported: Import): Promise<void> {
  const { differences } = readTotals(imported);
  console.log(`Others have changed Roster meanwhile: ${rowsOf(differences)} would do something else now.`);
  const some = readStage(folder, imported, (stage) => stage.differences(MOST_SAID)) ?? [];
  for (const sentence of await describeDifferences(db, commandLine, some))
    console.log(`  ${plain(sentence)}`);
}

/** `users.refused.csv`, then `users.refused-2.csv`: somebody may be correcting the one before. */
function newNameBeside(path: string): string {
  const { dir, name, ext } = parse(resolve(path));
  for (let count = 1; ; count++) {
    const beside = `${dir}/${name}.refused${count === 1 ? '' : `-${count}`}${ext || '.csv'}`;
    if (!existsSync(beside)) return beside;
  }
}
