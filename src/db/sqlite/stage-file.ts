/** What an import would do, row by row: a file that can be made again from what was brought, so nothing waits for the disk. */
import { closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync } from 'node:fs';
import Sqlite from 'better-sqlite3';

/** What is unique among users. */
export const KEYS = ['id', 'username_key', 'email_key'] as const;
export type Key = (typeof KEYS)[number];

/** As it was read, without its cells, which may be many; `said` and `problems` are JSON. */
export type StagedRow = {
  row: number;
  line: number;
  id: number | null;
  username_key: string | null;
  email_key: string | null;
  said: string;
  problems: string | null;
};

/** `verdict`: a number of whoever judges; `user`, `version`: whom it is about, as they were; `does`: JSON. */
export type Verdict = { verdict: number; user: number | null; version: number | null; does: string | null };

/** The lines of others with the same keys; null without one. */
type Twins = { id_twin: number | null; username_key_twin: number | null; email_key_twin: number | null };

/** `reasons`: JSON, of those that are refused, as far as it is kept why. */
export type JudgedRow = StagedRow & Verdict & Twins & { reasons: string | null };

export type Refused = Pick<JudgedRow, 'row' | 'line'> & { cells: string; reasons: string };

export type ToDo = Pick<JudgedRow, 'said' | 'user' | 'version' | 'does'> & { place: number };

/** What a row would have done, and would do, as JSON. */
export type Differs = { row: number; was: string; is: string };

const CACHE_KIB = 16 * 1024;
/** Of cells that are read at a time. */
const MOST_CHARACTERS = 1_000_000;
/** To bring what another process has left in order may take a moment. */
const WAIT_MS = 1_000;

/** Cells come last: what comes after those that are long is found slowly. */
const TABLES = `
  create table rows (
    row integer primary key, line integer not null, id integer, username_key text, email_key text,
    said text not null, problems text,
    verdict integer not null, user integer, version integer, does text, cells text not null) strict;
  create table refused (row integer primary key, line integer not null, cells text not null, reasons text not null) strict;
  create table doubtful (field text not null, key any not null, primary key (field, key)) strict, without rowid;
  create table twins (field text not null, key any not null, row integer not null, line integer not null,
    last_line integer not null, primary key (field, key)) strict, without rowid;
  create table differences (row integer primary key, was text not null, "is" text not null) strict;`;

/** Of the first of them the line of the last, of the others that of the first. */
const TWIN_COLUMNS = KEYS.map(
  (key) => `iif(${key}s.row = rows.row, ${key}s.last_line, ${key}s.line) as ${key}_twin`,
);
const TWIN_JOINS = KEYS.map(
  (key) => `left join twins ${key}s on ${key}s.field = '${key}' and ${key}s.key = rows.${key}`,
);
const ROW = 'rows.row, rows.line, id, username_key, email_key, said, problems, verdict, user, version, does';
const JUDGED = `
  select ${ROW}, refused.reasons, ${TWIN_COLUMNS.join(', ')}
  from rows left join refused on refused.row = rows.row ${TWIN_JOINS.join(' ')}`;
const SOME = 'order by rows.row limit ?';
const SOME_PLACES = 'order by place limit ?';
const IS_TWIN = KEYS.map((key) => `${key}s.row is not null`).join(' or ');

/** In the place of any that is there. */
export function makeStage(path: string): StageFile {
  removeStage(path);
  // For its owner alone.
  closeSync(openSync(path, 'wx', 0o600));
  const db = new Sqlite(path);
  db.pragma('journal_mode = OFF');
  db.exec(TABLES);
  return new StageFile(db);
}

/** To go on with one that was saved. */
export function openStage(path: string): StageFile {
  return new StageFile(new Sqlite(path, { fileMustExist: true, timeout: WAIT_MS }));
}

/** Undefined where there is none. @param timeout in milliseconds: so long all waits in this thread while another process writes */
export function openStageToRead(path: string, timeout = WAIT_MS): StageFile | undefined {
  if (!existsSync(path)) return undefined;
  return new StageFile(new Sqlite(path, { readonly: true, fileMustExist: true, timeout }));
}

/** Whether another process was writing to a stage. */
export function isStageBusy(error: unknown): boolean {
  return error instanceof Sqlite.SqliteError && error.code.startsWith('SQLITE_BUSY');
}

/** What is left of one whose rows are done: those that are not. */
export function keepRefusedAlone(path: string): void {
  const kept = `${path}.new`;
  makeStage(kept).close();
  const db = new Sqlite(path, { fileMustExist: true, timeout: WAIT_MS });
  try {
    db.prepare('attach ? as kept').run(kept);
    db.exec('insert into kept.refused select * from refused');
  } finally {
    db.close();
  }
  renameSync(kept, path);
}

export function removeStage(path: string): void {
  for (const end of ['', '-journal', '.new']) rmSync(path + end, { force: true });
}

export class StageFile {
  readonly #db: Sqlite.Database;
  readonly #prepared = new Map<string, Sqlite.Statement>();

  constructor(db: Sqlite.Database) {
    this.#db = db;
    if (!db.readonly) db.pragma('synchronous = OFF');
    db.pragma(`cache_size = -${CACHE_KIB}`);
  }

  /** All that is written is written, or nothing. */
  async inOne<T>(work: () => Promise<T>): Promise<T> {
    this.#db.exec('begin immediate');
    try {
      const result = await work();
      this.#db.exec('commit');
      return result;
    } catch (error) {
      if (this.#db.inTransaction) this.#db.exec('rollback');
      throw error;
    }
  }

  /** @param cells JSON */
  addRow(row: StagedRow, { verdict, user, version, does }: Verdict, cells: string): void {
    const { line, id, username_key, email_key, said, problems } = row;
    const read = [row.row, line, id, username_key, email_key, said, problems];
    const insert = 'insert into rows values (?,?,?,?,?,?,?,?,?,?,?,?)';
    this.#run(insert, ...read, verdict, user, version, does, cells);
  }

  judgeRow(row: number, { verdict, user, version, does }: Verdict): void {
    const set = 'update rows set verdict = ?, user = ?, version = ?, does = ? where row = ?';
    this.#run(set, verdict, user, version, does, row);
  }

  /** @param reasons JSON */
  keepRefused(row: number, reasons: string): void {
    const kept = 'select row, line, cells, ? from rows where row = ?';
    this.#run(`insert or replace into refused ${kept}`, reasons, row);
  }

  keepDifference({ row, was, is }: Differs): void {
    this.#run('insert or replace into differences values (?,?,?)', row, was, is);
  }

  /** Before all is judged again. */
  forgetReasons(): void {
    this.#db.exec('delete from refused; delete from differences');
  }

  /** One that another row may have, too. */
  addDoubtful(field: Key, key: string | number): void {
    this.#run('insert or ignore into doubtful values (?,?)', field, key);
  }

  /** Once all rows are there. @returns whether there are any that have a key in common */
  findTwins(): boolean {
    for (const key of KEYS) {
      const doubtful = `(select key from doubtful where field = '${key}')`;
      this.#db.exec(`
        insert into twins select '${key}', ${key}, min(row), min(line), max(line)
        from rows where ${key} in ${doubtful} group by ${key} having count(*) > 1`);
    }
    return this.#all('select 1 from twins limit 1').length > 0;
  }

  rowsAfter(row: number, limit: number): JudgedRow[] {
    return this.#all(`${JUDGED} where rows.row > ? ${SOME}`, row, limit);
  }

  twinsAfter(row: number, limit: number): JudgedRow[] {
    return this.#all(`${JUDGED} where rows.row > ? and (${IS_TWIN}) ${SOME}`, row, limit);
  }

  /** Whom any row is about, ascending, each once; nothing else is done with it meanwhile. */
  users(): IterableIterator<number> {
    const users = this.#db.prepare('select distinct user from rows where user is not null order by user');
    return users.pluck().iterate() as IterableIterator<number>;
  }

  /** For whoever looks at the first of a verdict. */
  indexVerdicts(): void {
    this.#db.exec('create index if not exists rows_verdict on rows (verdict)');
  }

  ofVerdict(verdict: number, limit: number): JudgedRow[] {
    return this.#all(`${JUDGED} where rows.verdict = ? ${SOME}`, verdict, limit);
  }

  /** At least one, and fewer where they are long. */
  refusedAfter(row: number, limit: number): Refused[] {
    const some = this.#prepare('select * from refused where row > ? order by row limit ?');
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

  /**
   * Those of the first verdicts get places: by user, and those who are new by username, as indexes have them. In the order of
   * the file each would change a page of its own of every index.
   */
  placeToDo(lastVerdict: number, isInOrderOfFile: boolean): void {
    const order = isInOrderOfFile ? 'row' : 'user is null, user, username_key';
    this.#db.exec(`
      drop table if exists to_do;
      create table to_do (place integer primary key, row integer not null) strict;
      insert into to_do (row) select row from rows where verdict <= ${lastVerdict} order by ${order}`);
  }

  toDoAfter(place: number, limit: number): ToDo[] {
    const rows = 'select place, said, user, version, does from to_do join rows on rows.row = to_do.row';
    return this.#all(`${rows} where place > ? ${SOME_PLACES}`, place, limit);
  }

  /** It is on the disk then: what is done by it is done as it was shown. */
  save(path: string): void {
    this.#db.pragma('journal_mode = DELETE');
    const file = openSync(path, 'r');
    fsyncSync(file);
    closeSync(file);
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
