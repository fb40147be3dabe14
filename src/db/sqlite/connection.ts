/** What Kysely asks its queries of: in a transaction that writes the writing connection, else one that only reads. */
import type { CompiledQuery, DatabaseConnection, QueryResult } from 'kysely';
import type { TextChange } from '../engine.ts';
import type { Timing } from '../timing.ts';
import { refuse } from './errors.ts';
import type { OpenedFile } from './opened-file.ts';
import type { Statements } from './statements.ts';

export class SqliteConnection implements DatabaseConnection {
  statements: Statements;
  snapshot: Statements | undefined;
  endTurn: (() => void) | undefined;
  readonly texts: TextChange[] = [];
  readonly #file: OpenedFile;
  readonly #timing: Timing;

  constructor(statements: Statements, file: OpenedFile, timing: Timing) {
    this.statements = statements;
    this.#file = file;
    this.#timing = timing;
  }

  async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    return this.execute(query);
  }

  execute<R>({ sql, parameters }: CompiledQuery): QueryResult<R> {
    refuse(this.#file.problem);
    const since = this.#timing.begin();
    try {
      return this.statements.run(sql, parameters);
    } catch (error) {
      // What was put in its place may be what it fails at.
      refuse(this.#file.look());
      throw error;
    } finally {
      this.#timing.end('statement', since);
    }
  }

  // biome-ignore lint/correctness/useYield: Kysely asks for a generator; SQLite's answers are all there at once.
  async *streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
    throw new Error('Streaming is not supported: ask for a page.');
  }
}
