/** What an import would do, row by row: a file that can be made again from what was brought, so nothing waits for the disk. */
import { closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync } from 'node:fs';
import Sqlite from 'better-sqlite3';

/** As it was read; `said` and `problems` are JSON. */
export type StagedRow = {
  row: number;
  line: number;
  id: number | null;
  username_key: string | null;
  email_key: string | null;
  cells: string;
  said: string;
  problems: string | null;
};

/** The lines of others with the same number, username or email; null without one. */
export type Twins = { id_twin: number | null; username_twin: number | null; email_twin: number | null };

/** `verdict`: a number of whoever judges; `user`, `version`: whom it is about, as they were; `does`: JSON. */
export type Judged = {
  row: number;
  verdict: number;
  user: number | null;
  version: number | null;
  does: string | null;
};

export type StagedJudged = StagedRow & Twins & Omit<Judged, 'verdict'> & { verdict: number | null };

export type ToDo = Judged & Pick<StagedRow, 'said'>;

/** Of which it is kept why: `reasons` and `cells` are JSON. */
export type Refused = { row: number; line: number; cells: string; reasons: string };

/** What a row would have done, and would do, as JSON. */
export type Differs = { row: number; was: string; is: string };

const CACHE_KIB = 16 * 1024;
/** To bring what another process has left in order may take a moment. */
const WAIT_MS = 1_000;

const TABLES = `
  create table rows (
    row integer primary key, line integer not null, id integer, username_key text, email_key text,
    cells text not null, said text not null, problems text) strict;
  create table twins (field text not null, key any not null, row integer not null, line integer not null,
    last_line integer not null, primary key (field, key)) strict, without rowid;
  create table judged (row integer primary key, verdict integer not null, user integer, version integer, does text) strict;
  create table refused (row integer primary key, line integer not null, cells text not null, reasons text not null) strict;
  create table differences (row integer primary key, was text not null, "is" text not null) strict;`;

const STAGED = `
  select rows.*, judged.verdict, judged.user, judged.version, judged.does, ${['id', 'username', 'email']
    .map((name) => `iif(${name}s.row = rows.row, ${name}s.last_line, ${name}s.line) as ${name}_twin`)
    .join(', ')}
  from rows left join judged on judged.row = rows.row
  left join twins ids on ids.field = 'id' and ids.key = rows.id
  left join twins usernames on usernames.field = 'username_key' and usernames.key = rows.username_key
  left join twins emails on emails.field = 'email_key' and emails.key = rows.email_key`;

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

/** Undefined where there is none. */
export function openStageToRead(path: string): StageFile | undefined {
  if (!existsSync(path)) return undefined;
  return new StageFile(new Sqlite(path, { readonly: true, fileMustExist: true, timeout: WAIT_MS }));
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

  /** All of it is written, or nothing. */
  inTurn<T>(work: () => T): T {
    return this.#db.transaction(work)();
  }

  /** The same for what takes longer: nobody else writes meanwhile. */
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

  addRows(rows: readonly StagedRow[]): void {
    const insert = this.#prepare(
      'insert into rows values (@row, @line, @id, @username_key, @email_key, @cells, @said, @problems)',
    );
    for (const row of rows) insert.run(row);
  }

  /** Once all rows are there: those that share what nobody shares with another. */
  findTwins(): void {
    for (const key of ['id', 'username_key', 'email_key'])
      this.#db.exec(`
        insert into twins select '${key}', ${key}, min(row), min(line), max(line)
        from rows where ${key} is not null group by ${key} having count(*) > 1`);
  }

  /** As they were read, with what was judged of them, if it was. */
  rowsAfter(row: number, limit: number): StagedJudged[] {
    return this.#all(`${STAGED} where rows.row > ? order by rows.row limit ?`, row, limit);
  }

  judge(judged: readonly Judged[]): void {
    const insert = this.#prepare(
      'insert or replace into judged values (@row, @verdict, @user, @version, @does)',
    );
    for (const one of judged) insert.run(one);
  }

  keepRefused(refused: readonly Refused[]): void {
    const insert = this.#prepare('insert or replace into refused values (@row, @line, @cells, @reasons)');
    for (const one of refused) insert.run(one);
  }

  /** Before all is judged again. */
  forgetReasons(): void {
    this.#db.exec('delete from refused; delete from differences');
  }

  keepDifferences(differences: readonly Differs[]): void {
    const insert = this.#prepare('insert or replace into differences values (@row, @was, @is)');
    for (const one of differences) insert.run(one);
  }

  /** For whoever looks at the first of a verdict. */
  indexVerdicts(): void {
    this.#db.exec('create index if not exists judged_verdict on judged (verdict)');
  }

  refusedAfter(row: number, limit: number): Refused[] {
    return this.#all('select * from refused where row > ? order by row limit ?', row, limit);
  }

  ofVerdict(verdict: number, limit: number): StagedJudged[] {
    return this.#all(`${STAGED} where judged.verdict = ? order by judged.row limit ?`, verdict, limit);
  }

  differences(limit: number): Differs[] {
    return this.#all('select * from differences order by row limit ?', limit);
  }

  /** Those of the first verdicts, with what they say. */
  toDoAfter(row: number, lastVerdict: number, limit: number): ToDo[] {
    return this.#all(
      `select judged.*, said from judged join rows on rows.row = judged.row
      where judged.row > ? and verdict <= ? order by judged.row limit ?`,
      row,
      lastVerdict,
      limit,
    );
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

  #prepare(sql: string): Sqlite.Statement {
    const prepared = this.#prepared.get(sql) ?? this.#db.prepare(sql);
    this.#prepared.set(sql, prepared);
    return prepared;
  }
}
