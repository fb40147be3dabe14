/** The first rows of a file: where one column makes all of them fail, or says the same in each, the rest need not be read. */
import { KEYS, type Key } from '../db/stage-rows.ts';
import { quoted } from '../lib/text.ts';
import type { Judgement, RowToJudge } from './judge-rows.ts';
import { lacksUsernames, makesUsernames } from './made-usernames.ts';
import { storedField } from './reading/columns.ts';
import { UnreadableError } from './reading/reading.ts';
import type { HowRead, Reason } from './types.ts';

const ROWS = 1_000;
/** Of fewer rows that all fail each may be a mistake of its own. */
const LEAST = 20;

const NAMES: Readonly<Record<string, string>> = {
  username: 'username',
  email: 'email address',
  id: 'number',
};
const FIELDS = { id: 'id', username_key: 'username', email_key: 'email' } as const;

export class Sample {
  readonly #how: HowRead;
  #rows = 0;
  #failing: readonly Reason[] = [];
  #same: readonly Key[];
  #first: RowToJudge | undefined;
  #isJudged = false;

  constructor(how: HowRead) {
    this.#how = how;
    this.#same = KEYS.filter((key) => key !== 'id' || how.match === 'id');
  }

  /** In their order, in however many batches. @throws UnreadableError */
  add(rows: readonly RowToJudge[], judgements: readonly Judgement[]): void {
    for (const [index, row] of rows.slice(0, ROWS - this.#rows).entries())
      this.#addRow(row, judgements[index]?.reasons ?? []);
    if (this.#rows >= ROWS) this.end();
  }

  /** There are no more. @throws UnreadableError */
  end(): void {
    if (this.#isJudged) return;
    this.#isJudged = true;
    const isLarge = this.#rows >= LEAST;
    const failing = this.#failing.find(
      ({ field }) => isLarge || (field === 'username' && needsUsernames(this.#how)),
    );
    const [same] = isLarge ? this.#same : [];
    if (failing) throw new UnreadableError(sentenceOfFailing(failing, this.#how), this.#how);
    if (same) throw new UnreadableError(sentenceOfSame(FIELDS[same], this.#how), this.#how);
  }

  #addRow(row: RowToJudge, reasons: readonly Reason[]): void {
    this.#rows += 1;
    this.#first ??= row;
    const first = this.#first;
    this.#same = this.#same.filter((key) => row[key] !== null && row[key] === first[key]);
    const inFile = reasons.filter(({ field }) => field ?? row.problems.length > 0);
    this.#failing =
      row === first ? inFile : this.#failing.filter((one) => inFile.some((other) => isSameKind(one, other)));
  }
}

/** Of what is wrong with a row as a whole it is the same where it says the same: that each has one cell too many. */
function isSameKind(one: Reason, other: Reason): boolean {
  return one.field === other.field && (one.field !== undefined || one.message === other.message);
}

/** Of a row that finds nobody by number it is the number that is wrong. */
function needsUsernames(how: HowRead): boolean {
  return how.match !== 'id' && headerOf('username', how) === undefined && !makesUsernames(how);
}

function sentenceOfFailing({ field, message }: Reason, how: HowRead): string {
  const header = headerOf(field, how);
  if (header !== undefined)
    return `The column ${header} fails in every row: ${message} Read it differently, or put it right in the file.`;
  const name = NAMES[field ?? ''];
  // As of a name in two columns.
  if (name === undefined)
    return `Every row fails: ${message} Read it differently, or put it right in the file.`;
  const made =
    field === 'username' && lacksUsernames(how) ? 'have usernames made of the emails' : 'add one to the file';
  return `No column says the ${name}, and every row needs one: say which column it is, or ${made}.`;
}

function sentenceOfSame(field: string, how: HowRead): string {
  return `The column ${headerOf(field, how)} says the same in every row, and no two people have the same ${NAMES[field]}. Read it differently, or put it right in the file.`;
}

function headerOf(field: string | undefined, { columns }: HowRead): string | undefined {
  const column = columns.find((one) => field && storedField(one.field) === field);
  return column && quoted(column.header);
}
