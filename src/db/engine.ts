/** What differs between the databases beyond their dialects of SQL. */
import type { CompiledQuery, DialectAdapter, Expression, RawBuilder, SqlBool } from 'kysely';
import type { Replicas } from './replicas.ts';
import type { Db, Schema, Trx } from './schema.ts';
import type { SchemaDrift } from './schema-parts.ts';
import type { SearchIndex } from './search-index.ts';
import type { Timing } from './timing.ts';

/** Whose numbers are never given again. */
export const NUMBERED_TABLES = ['users', 'change_sets', 'jobs', 'imports', 'maintenance_runs'] as const;
export type NumberedTable = (typeof NUMBERED_TABLES)[number];

/** Whether what was deleted is in the files: `held up`, until whoever reads the database for long has ended; `kept`, until they are written anew. */
export type ScrubResult = 'gone' | 'held up' | 'kept';

/** What has come of writing the files anew. `kept`: in a part that Roster may not write; `why`: a sentence. */
export type Purged = { kind: 'gone' | 'kept' } | { kind: 'held up'; why: string };

export type Connections = { address: string; count: number };

/** What is wrong with the files, a sentence. `isOfSearch`: only with what searches go through, which can be made anew. */
export type Damage = { what: string; isOfSearch: boolean };

/** `before` is undefined for a new user, `after` for one who is deleted. */
export type TextChange = { id: number; before: string | undefined; after: string | undefined };

export type Engine = {
  readonly name: 'sqlite' | 'postgres';
  /** @throws StartError when Roster cannot work on the database. */
  prepare(db: Db): Promise<void>;
  /** Of the rows that add up to one count, those that a transaction adds to: one that no other is likely to want. */
  readonly counterShard: Expression<SqlBool>;
  readonly countersOfKind: number;
  /** In milliseconds: so long a transaction of a job may take, for which others who write wait, or whoever wants one of its users. */
  readonly longestBatch: number;
  /** Fewer users are not worth a transaction: what each asks once would take most of its time. */
  readonly fewestInBatch: number;
  /** Whether rows get their numbers in the order in which they are saved: a reader then sees no lower one come later. */
  readonly numbersInOrder: boolean;
  /** Whether the server's write-ahead log keeps what is gone from the files, for as long as the server keeps it. */
  readonly isLogKept: boolean;
  /** The number of the last migration, 0 before the first. */
  readVersion(db: Db): Promise<number>;
  lockVersion(trx: Trx): Promise<number>;
  writeVersion(trx: Trx, version: number): Promise<void>;
  /** Makes those rows of totals that are missing, each 0. */
  makeCounters(trx: Trx): Promise<void>;
  prepareBulkLoad(trx: Trx): Promise<void>;
  /** The indexes of users that can be dropped and made again from `sql`. */
  indexesOfUsers(trx: Trx): Promise<{ name: string; sql: string }[]>;
  makeSearchIndex(trx: Trx): Promise<void>;
  /** Nothing is found by them before they are committed: in the transaction, nor in others that are committed together with it. */
  indexSearchTexts(trx: Trx, changes: readonly TextChange[]): Promise<void>;
  indexUsersAfter(trx: Trx, id: number): Promise<void>;
  /** After the last of several batches, outside any transaction: searches take longer where each has left its own. */
  mergeIndexesAfter(db: Db, id: number): Promise<void>;
  /** Of which none needs what another does. */
  writeTogether(trx: Trx, writes: readonly CompiledQuery[]): Promise<void>;
  searchIndexOf(db: Db): Promise<SearchIndex>;
  isOneOf(column: string, values: readonly number[] | readonly string[]): Expression<SqlBool>;
  /** As a table called `given`, of one column, `value`. */
  tableOf(values: readonly number[] | readonly string[]): RawBuilder<unknown>;
  /** As a table called `given`. @param rows of a table, as JSON */
  rowsOf(table: keyof Schema, columns: readonly string[], rows: string): RawBuilder<unknown>;
  /** @throws TooBroadError */
  skipOver<T>(db: Db, query: () => Promise<T>): Promise<T>;
  /** Does one batch of some long work; before the next, others have their turn. @throws TooBroadError where even that takes too long */
  runBatch<T>(work: () => Promise<T>): Promise<T>;
  /** Between two steps of work that nobody waits for: lets those go first who are waited for, but not for ever. */
  giveWay(): Promise<void>;
  /** For work that overwrites or deletes secrets: no file keeps their bytes, as far as the database can. */
  overwrite<T>(db: Db, work: (trx: Trx) => Promise<T>): Promise<T>;
  finishBulkLoad(db: Db): Promise<void>;
  /** Outside any transaction, after those that bring a database up to date. */
  finishMigrations(db: Db): Promise<void>;
  /** Overwrites what was deleted of some users, wherever it lies in the files, in short steps; for none it looks how it stands. */
  scrub(db: Db, ids: readonly number[]): Promise<ScrubResult>;
  /** What the database takes up, in bytes, or more: without the log. */
  readSize(db: Db): Promise<number>;
  /** How the server's own tools go with backups of Roster's, and how it is set: a sentence each; none where there is no server. */
  adviseOnBackups(db: Db): Promise<string[]>;
  /** Writes the files anew, without anything that was deleted: nobody else writes meanwhile, and on PostgreSQL nobody reads. */
  purge(db: Db): Promise<Purged>;
  readProduct(db: Db): Promise<string>;
  /** How many connections Rosters have to the server, by the address that each comes from; none where there is no server. */
  countConnections(db: Db): Promise<Connections[]>;
  /** What it is made of, beside what Roster makes. @param model a new database, in memory */
  compareSchema(db: Db, model: Db): Promise<SchemaDrift[]>;
  /** Reads the files through, beside whoever writes. @param isQuick without comparing indexes with their tables */
  findDamage(db: Db, isQuick: boolean): AsyncIterable<Damage>;
  meansOfFindingDamage(db: Db, isQuick: boolean): Promise<string>;
  /** The numbers of those who are not found by what they are called, or by something else; also of nobody. */
  findWronglyIndexed(db: Db): AsyncIterable<number>;
  meansOfCheckingSearches(db: Db): Promise<string>;
  /** The highest id that was ever given in a table, deleted since or not; 0 without one. */
  readLastId(db: Db, table?: NumberedTable): Promise<number>;
  writeLastId(trx: Trx, id: number, table?: NumberedTable): Promise<void>;
  /** The same where it is higher, also while others are given some. */
  raiseLastId(trx: Trx, id: number, table: NumberedTable): Promise<void>;
};

type EngineAdapter = DialectAdapter & {
  readonly engine: Engine;
  readonly isSaturated: boolean;
  readonly timing: Timing;
  readonly replicas?: Replicas | undefined;
};

export function engineOf(db: Db): Engine {
  return (db.getExecutor().adapter as EngineAdapter).engine;
}

export function isSaturated(db: Db): boolean {
  return (db.getExecutor().adapter as EngineAdapter).isSaturated;
}

/** Of all that is asked through it; another thread, as that of jobs, has a connection and a timing of its own. */
export function timingOf(db: Db): Timing {
  return (db.getExecutor().adapter as EngineAdapter).timing;
}

export function replicasOf(db: Db): Replicas | undefined {
  return (db.getExecutor().adapter as EngineAdapter).replicas;
}

/** Who asks, and what they may: also what is under way is read where something stands in, once the primary turns out to be away. */
export async function readPrimary<T>(db: Db, read: (db: Db) => Promise<T>): Promise<T> {
  return replicasOf(db)?.readPrimary(read) ?? read(db);
}

/** For what a page need not wait for: resolves once something stands in for the primary, too. What is being done goes on unheard. */
export async function unlessAway(db: Db, work: Promise<void>): Promise<void> {
  await (replicasOf(db)?.unlessAway(work) ?? work);
}

/** For who asks, and what they may: itself, or what stands in for it while it is away. */
export function primaryOf(db: Db): Db {
  return replicasOf(db)?.standIn() ?? db;
}
