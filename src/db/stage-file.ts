/** What an import would do, row by row: a file that can be made again from what was brought, so nothing waits for the disk. */
import { randomBytes } from 'node:crypto';
import { closeSync, existsSync, openSync, renameSync, rmSync, statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { dirname } from 'node:path';
import Sqlite from 'better-sqlite3';
import { NoRoomError } from '../errors.ts';
import { refuseWithoutRoom } from '../lib/disk-space.ts';
import { copyOwner } from '../lib/file-owner.ts';
import {
  type Differs,
  HAS_TWIN,
  JUDGED,
  type JudgedRow,
  KEYS,
  type Key,
  type Refused,
  SOME_BY_PLACE,
  SOME_BY_ROW,
  type StagedRow,
  TABLES,
  type ToDo,
  VALUES_OF_ANY,
  VALUES_OF_NEW,
  type Verdict,
} from './stage-rows.ts';

/** What is said of a stage that is no stage, or none any more. */
export const DAMAGED = ['SQLITE_NOTADB', 'SQLITE_CORRUPT', 'SQLITE_ERROR'];

const CACHE_KIB = 16 * 1024;
/** Of cells that are read at a time. */
const MOST_CHARACTERS = 1_000_000;
/** Rows that are looked at, or sorted, in one step, for which all else in this thread waits. */
const ROWS_AT_ONCE = 20_000;
const SORTED_AT_ONCE = 500_000;
/** `people`: those who are there as indexes have them, who is new as the file has them; `indexes`: who is new as these do, too. */
const ORDERS = {
  file: 'row',
  people: 'user is null, user, row',
  indexes: 'user is null, user, username_key',
};
/** By one statement: to run one takes as long as to write two rows. */
const ROWS_IN_ONE = 20;
/** To bring what another process has left in order may take a moment. */
const WAIT_MS = 1_000;

/** In the place of any that is there. */
export function makeStage(path: string): StageFile {
  removeStage(path);
  // For its owner alone.
  closeSync(openSync(path, 'wx', 0o600));
  copyOwner(path, dirname(path));
  const db = new Sqlite(path);
  db.pragma('journal_mode = OFF');
  db.exec(TABLES);
  return new StageFile(db, path);
}

export function openStage(path: string): StageFile {
  return new StageFile(new Sqlite(path, { fileMustExist: true, timeout: WAIT_MS }), path);
}

/** Undefined where there is none. @param timeout in milliseconds: so long all waits in this thread while another process writes */
export function openStageToRead(path: string, timeout = WAIT_MS): StageFile | undefined {
  if (!existsSync(path)) return undefined;
  return new StageFile(new Sqlite(path, { readonly: true, fileMustExist: true, timeout }), path);
}

export function isStageBusy(error: unknown): boolean {
  return error instanceof Sqlite.SqliteError && error.code.startsWith('SQLITE_BUSY');
}

/** Whether there is no room for a stage, or soon none for anybody else. */
export function isStageFull(error: unknown): boolean {
  return (
    error instanceof NoRoomError || (error instanceof Sqlite.SqliteError && error.code === 'SQLITE_FULL')
  );
}

export function isStageDamaged(error: unknown): boolean {
  return error instanceof Sqlite.SqliteError && DAMAGED.includes(error.code);
}

/** What is kept as JSON. @throws as where it cannot be read, if it is none any more: a byte of it may be another one by now */
export function parseStaged<T>(json: string): T {
  try {
    return JSON.parse(json) as T;
  } catch {
    throw new Sqlite.SqliteError('What is kept of a row is damaged.', 'SQLITE_CORRUPT');
  }
}

export function keepRefusedAlone(path: string): void {
  // Several processes that have the folder may be at it at once: each has a draft of its own.
  const kept = `${path}.new-${randomBytes(3).toString('hex')}`;
  let db: Sqlite.Database | undefined;
  try {
    db = new Sqlite(path, { fileMustExist: true, timeout: WAIT_MS });
    makeStage(kept).close();
    db.prepare('attach ? as kept').run(kept);
    db.exec('insert into kept.refused select * from refused');
    db.close();
    renameSync(kept, path);
  } catch (error) {
    db?.close();
    removeStage(kept);
    throw error;
  }
}

function removeStage(path: string): void {
  for (const end of ['', '-journal']) rmSync(path + end, { force: true });
}

export class StageFile {
  readonly #db: Sqlite.Database;
  readonly #path: string;
  readonly #file: number;
  readonly #prepared = new Map<string, Sqlite.Statement>();
  readonly #added: (readonly unknown[])[] = [];
  #places = '';

  constructor(db: Sqlite.Database, path: string) {
    this.#db = db;
    this.#path = path;
    this.#file = statSync(path).ino;
    if (!db.readonly) db.pragma('synchronous = OFF');
    db.pragma(`cache_size = -${CACHE_KIB}`);
    // What is sorted has names in it, and would else lie on the disk of the system. See `SORTED_AT_ONCE`.
    db.pragma('temp_store = MEMORY');
  }

  /** @param bytes that may be needed besides @throws NoRoomError */
  requireRoom(bytes = 0): void {
    refuseWithoutRoom(dirname(this.#path), bytes);
  }

  /** All that is written may be written once more, to go back to what was. @throws NoRoomError */
  requireRoomToJudge(): void {
    this.requireRoom(statSync(this.#path).size);
  }

  /** It is gone from the disk, unless another one has been made in its place by now. */
  discard(): void {
    if (statSync(this.#path, { throwIfNoEntry: false })?.ino === this.#file) removeStage(this.#path);
  }

  async inOne<T>(work: () => Promise<T>): Promise<T> {
    this.#db.exec('begin immediate');
    try {
      const result = await work();
      this.#writeAdded();
      this.#db.exec('commit');
      return result;
    } catch (error) {
      if (this.#db.inTransaction) this.#db.exec('rollback');
      throw error;
    }
  }

  /** Within `inOne`. @param cells JSON */
  addRow(row: StagedRow, { verdict, user, version, does }: Verdict, cells: string): void {
    const { line, id, username_key, email_key, said, problems } = row;
    if (id === null && problems === null && user === null)
      this.#add(VALUES_OF_NEW, row.row, line, username_key, email_key, said, verdict, cells);
    else {
      const read = [row.row, line, id, username_key, email_key, said, problems];
      this.#add(VALUES_OF_ANY, ...read, verdict, user, version, does, cells);
    }
  }

  #add(places: string, ...values: readonly unknown[]): void {
    const { length } = this.#added;
    if (length >= ROWS_IN_ONE || (length > 0 && places !== this.#places)) this.#writeAdded();
    this.#places = places;
    this.#added.push(values);
  }

  #writeAdded(): void {
    const rows = this.#added.splice(0);
    if (rows.length > 0) this.#run(`insert into rows values ${rows.map(() => this.#places)}`, ...rows.flat());
  }

  judgeRow(row: number, { verdict, user, version, does }: Verdict): void {
    const set = 'update rows set verdict = ?, user = ?, version = ?, does = ? where row = ?';
    this.#run(set, verdict, user, version, does, row);
  }

  /** @param reasons JSON */
  keepRefused(row: number, reasons: string): void {
    this.#writeAdded();
    const kept = 'select row, line, cells, ? from rows where row = ?';
    this.#run(`insert or replace into refused ${kept}`, reasons, row);
  }

  keepDifference({ row, was, is }: Differs): void {
    this.#run('insert or replace into differences values (?,?,?)', row, was, is);
  }

  forgetReasons(): void {
    this.#db.exec('delete from refused; delete from differences');
  }

  addDoubtful(field: Key, key: string | number): void {
    this.#run('insert or ignore into doubtful values (?,?)', field, key);
  }

  /** Once all rows are there; some rows a step. At its end it is known which have a key in common. */
  *findTwins(): Generator<void> {
    const keys = KEYS.filter(
      (key) => this.#all('select 1 from doubtful where field = ? limit 1', key).length > 0,
    );
    if (keys.length === 0) return;
    for (const [after, last] of this.#ranges(ROWS_AT_ONCE)) {
      for (const key of keys) this.#run(twinsAmong(key), after, last);
      yield;
    }
    this.#db.exec('delete from twins where line = last_line');
  }

  get hasTwins(): boolean {
    return this.#all('select 1 from twins limit 1').length > 0;
  }

  *#ranges(size: number): Generator<[after: number, last: number]> {
    const [{ last }] = this.#all<{ last: number }>('select coalesce(max(row), 0) as last from rows') as [
      { last: number },
    ];
    for (let after = 0; after < last; after += size) yield [after, after + size];
  }

  rowsAfter(row: number, limit: number): JudgedRow[] {
    return this.#all(`${JUDGED} where rows.row > ? ${SOME_BY_ROW}`, row, limit);
  }

  twinsAfter(row: number, limit: number): JudgedRow[] {
    return this.#all(`${JUDGED} where rows.row > ? and (${HAS_TWIN}) ${SOME_BY_ROW}`, row, limit);
  }

  *users(): Generator<number[]> {
    const users = 'select user from rows where row > ? and row <= ? and user is not null';
    for (const [after, last] of this.#ranges(ROWS_AT_ONCE))
      yield this.#all<{ user: number }>(users, after, last).map(({ user }) => user);
  }

  ofVerdict(verdict: number, limit: number): JudgedRow[] {
    return this.#all(`${JUDGED} where rows.verdict = ? ${SOME_BY_ROW}`, verdict, limit);
  }

  /** By which its users are found, alone: the rows themselves may be long. */
  keysOfVerdict(verdict: number, limit: number): Pick<JudgedRow, Key>[] {
    const keys = `select ${KEYS} from rows where verdict = ? ${SOME_BY_ROW}`;
    return this.#all(keys, verdict, limit);
  }

  /** At least one, and fewer where they are long. */
  refusedAfter(row: number, limit: number): Refused[] {
    return this.#someRefused('select * from refused where row > ? order by row limit ?', row, limit);
  }

  refusedBefore(row: number, limit: number): Refused[] {
    return this.#someRefused(
      'select * from refused where row < ? order by row desc limit ?',
      row,
      limit,
    ).reverse();
  }

  countRefusedBefore(row: number): number {
    return this.#prepare('select count(*) from refused where row < ?').pluck().get(row) as number;
  }

  #someRefused(sql: string, row: number, limit: number): Refused[] {
    const some = this.#prepare(sql);
    const rows: Refused[] = [];
    let length = 0;
    for (const refused of some.iterate(row, limit) as IterableIterator<Refused>) {
      rows.push(refused);
      length += refused.cells.length;
      if (length > MOST_CHARACTERS) break;
    }
    return rows;
  }

  differences(limit: number): Differs[] {
    return this.#all('select * from differences order by row limit ?', limit);
  }

  *placeToDo(lastVerdict: number, order: keyof typeof ORDERS): Generator<void> {
    const some = 'select row from rows where row > ? and row <= ? and verdict <= ?';
    this.#db.exec(`
      create table if not exists to_do (place integer primary key, row integer not null) strict;
      delete from to_do`);
    for (const [after, last] of this.#ranges(SORTED_AT_ONCE)) {
      this.#run(`insert into to_do (row) ${some} order by ${ORDERS[order]}`, after, last, lastVerdict);
      yield;
    }
  }

  toDoAfter(place: number, limit: number): ToDo[] {
    const rows = 'select place, said, user, version, does from to_do join rows on rows.row = to_do.row';
    return this.#all(`${rows} where place > ? ${SOME_BY_PLACE}`, place, limit);
  }

  /** It is on the disk then: what is done by it is done as it was shown. */
  async save(): Promise<void> {
    this.#db.pragma('journal_mode = DELETE');
    await using file = await open(this.#path);
    await file.sync();
  }

  close(): void {
    this.#db.close();
  }

  #all<T>(sql: string, ...values: unknown[]): T[] {
    return this.#prepare(sql).all(...values) as T[];
  }

  #run(sql: string, ...values: unknown[]): void {
    this.#prepare(sql).run(...values);
  }

  #prepare(sql: string): Sqlite.Statement {
    const prepared = this.#prepared.get(sql) ?? this.#db.prepare(sql);
    this.#prepared.set(sql, prepared);
    return prepared;
  }
}

/** Of each key the first row; while `last_line` is its own line, nothing but that has it. */
function twinsAmong(key: Key): string {
  return `
    insert into twins select '${key}', ${key}, row, line, line
    from rows where row > ? and row <= ? and ${key} in (select key from doubtful where field = '${key}') order by row
    on conflict (field, key) do update set last_line = excluded.line`;
}
