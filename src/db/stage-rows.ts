/** The rows of a stage: what each is, and how they are kept. */
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

/** What is new, and nothing wrong with it, without the nulls: to hand one over takes longer than a text. */
export const VALUES_OF_NEW = '(?,?,null,?,?,?,null,?,null,null,null,?)';
export const VALUES_OF_ANY = '(?,?,?,?,?,?,?,?,?,?,?,?)';

/** Cells come last: what comes after those that are long is found slowly. */
export const TABLES = `
  create table rows (
    row integer primary key, line integer not null, id integer, username_key text, email_key text,
    said text not null, problems text,
    verdict integer not null, user integer, version integer, does text, cells text not null) strict;
  create table refused (row integer primary key, line integer not null, cells text not null, reasons text not null) strict;
  create table doubtful (field text not null, key any not null, primary key (field, key)) strict, without rowid;
  create table twins (field text not null, key any not null, row integer not null, line integer not null,
    last_line integer not null, primary key (field, key)) strict, without rowid;
  create table differences (row integer primary key, was text not null, "is" text not null) strict;
  create index rows_verdict on rows (verdict);`;

/** Of the first of them the line of the last, of the others that of the first. */
const TWIN_COLUMNS = KEYS.map(
  (key) => `iif(${key}s.row = rows.row, ${key}s.last_line, ${key}s.line) as ${key}_twin`,
);
const TWIN_JOINS = KEYS.map(
  (key) => `left join twins ${key}s on ${key}s.field = '${key}' and ${key}s.key = rows.${key}`,
);
const ROW = 'rows.row, rows.line, id, username_key, email_key, said, problems, verdict, user, version, does';
export const JUDGED = `
  select ${ROW}, refused.reasons, ${TWIN_COLUMNS.join(', ')}
  from rows left join refused on refused.row = rows.row ${TWIN_JOINS.join(' ')}`;
export const SOME_BY_ROW = 'order by rows.row limit ?';
export const SOME_BY_PLACE = 'order by place limit ?';
export const HAS_TWIN = KEYS.map((key) => `${key}s.row is not null`).join(' or ');
