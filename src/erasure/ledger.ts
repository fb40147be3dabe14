/** Who was erased, outside of the database: a file beside it, of which one that is put back knows nothing. It holds numbers and times alone. */
import {
  accessSync,
  appendFileSync,
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  openSync,
  readFileSync,
  readSync,
  statSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { z } from 'zod';
import { pathBeside } from '../database-url.ts';
import { NUMBERED_TABLES, type NumberedTable } from '../db/engine.ts';
import { StartError } from '../errors.ts';
import { copyOwner } from '../lib/file-owner.ts';
import { isThere, syncFolder } from '../lib/make-file.ts';

const ENDING = '.erased.jsonl';

/** Behind a line without its end: never taken away, for somebody else may have written behind it. */
const CUT_OFF = ' # cut off';

/** More than any database comes to: what is given next could not be told from it otherwise. */
const MOST = 2 ** 52;

const id = z.int().positive().max(MOST);
const time = z.int().nonnegative().max(MOST);
const last = z.int().nonnegative().max(MOST);

const LINE = z.object({
  database: z.string(),
  /** The highest number that anybody had there by then; 0 where only `upTo` is noted. */
  lastId: last,
  /** The highest of change sets and the like, by table; none there, nor where a Roster of before has written it. */
  others: z.record(z.string(), last).optional(),
  /** Who notes ahead what is given: of their lines the last one counts. */
  by: z.string().optional(),
  /** The highest that they may have given since, by table; none once they have ended. */
  upTo: z.record(z.string(), last).optional(),
  /** None: it is known there, or only noted which numbers were given. `erased_by`: null where nobody was signed in. */
  users: z.array(
    z.object({ user_id: id, created_at: time, erased_at: time, erased_by: id.nullable().default(null) }),
  ),
});

export type LedgerLine = z.infer<typeof LINE>;
export type LedgerEntry = LedgerLine['users'][number];
export type LastIds = Readonly<Record<NumberedTable, number>>;

export function ledgerOf(databaseUrl: string, secretKeyFile: string): string {
  return pathBeside(databaseUrl, secretKeyFile, ENDING);
}

export function lastIdsOfLine({ users: lastId, ...others }: LastIds): Pick<LedgerLine, 'lastId' | 'others'> {
  return { lastId, others };
}

export function lastIdsIn(lines: readonly LedgerLine[]): LastIds {
  return highestIn(lines, ({ lastId, others }, table) =>
    table === 'users' ? lastId : (others?.[table] ?? 0),
  );
}

/** The same with those that may have been given by whoever has not said how it ended, as after a kill. */
export function reachIn(lines: readonly LedgerLine[]): LastIds {
  const given = lastIdsIn(lines);
  const lastOf = new Map(lines.map((line) => [line.by, line]));
  const ahead = highestIn([...lastOf.values()], ({ upTo }, table) => upTo?.[table] ?? 0);
  return byTable((table) => Math.max(given[table], ahead[table]));
}

function highestIn(
  lines: readonly LedgerLine[],
  numberIn: (line: LedgerLine, table: NumberedTable) => number,
): LastIds {
  return byTable((table) => lines.reduce((most, line) => Math.max(most, numberIn(line, table)), 0));
}

function byTable(numberOf: (table: NumberedTable) => number): LastIds {
  return Object.fromEntries(NUMBERED_TABLES.map((table) => [table, numberOf(table)])) as LastIds;
}

export function ownIn(lines: readonly LedgerLine[], identity: string): LedgerLine[] {
  return lines.filter(({ database }) => database === identity);
}

export function isAnyHigher(some: LastIds, others: LastIds): boolean {
  return NUMBERED_TABLES.some((table) => some[table] > others[table]);
}

/** What is the same user's: the file of the database, or else the folder. */
function ownerOf(path: string): string {
  const database = path.slice(0, -ENDING.length);
  return path.endsWith(ENDING) && isThere(database) ? database : dirname(path);
}

/** @throws StartError where it cannot be read: somebody might come back who was erased. */
export function readLedger(path: string): LedgerLine[] {
  try {
    return wholeLines(path).split('\n').filter(isEntry).map(readLine);
  } catch (error) {
    throw new StartError(`${path}, which says who was erased, cannot be read: ${(error as Error).message}.`);
  }
}

/** It is on the disk then. @throws StartError */
export function appendToLedger(path: string, line: LedgerLine): void {
  try {
    // With what nobody could read any more Roster would not start.
    if (!LINE.safeParse(line).success) throw new Error('it would hold a number that no database comes to');
    const isNew = !isThere(path);
    if (!isNew) refuseOther(path);
    const file = openSync(path, 'a+', 0o600);
    try {
      appendFileSync(file, `${isCutOff(file) ? `${CUT_OFF}\n` : ''}${JSON.stringify(line)}\n`);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    if (isNew) copyOwner(path, ownerOf(path));
    syncFolder(path);
  } catch (error) {
    throw notWritable(path, error);
  }
}

/** Before anybody is erased. @throws StartError */
export function checkLedger(path: string): void {
  try {
    accessSync(isThere(path) ? path : dirname(path), constants.W_OK);
  } catch (error) {
    throw notWritable(path, error);
  }
}

function notWritable(path: string, error: unknown): StartError {
  return new StartError(
    `${path}, in which Roster notes who is erased, cannot be written: ${(error as Error).message}.`,
    { cause: error },
  );
}

/** Whoever was killed while writing has left a line without its end, and writes it again. */
function isCutOff(file: number): boolean {
  const { size } = fstatSync(file);
  const last = Buffer.alloc(1);
  return size > 0 && readSync(file, last, 0, 1, size - 1) === 1 && last.toString() !== '\n';
}

function wholeLines(path: string): string {
  if (!isThere(path)) return '';
  refuseOther(path);
  const text = readFileSync(path, 'utf8');
  return text.slice(0, text.lastIndexOf('\n') + 1);
}

/** Than a file: to open a named pipe waits for whoever writes to it. */
function refuseOther(path: string): void {
  if (!statSync(path).isFile()) throw new Error('it is no file');
}

/** An editor may have left an empty line. */
function isEntry(line: string): boolean {
  return line.trim() !== '' && !line.trimEnd().endsWith(CUT_OFF);
}

function readLine(line: string, index: number): LedgerLine {
  const entry = LINE.safeParse(JSON.parse(line));
  if (!entry.success) throw new Error(`its entry ${index + 1} is none of Roster's`);
  return entry.data;
}
