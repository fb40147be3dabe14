/** What Kysely asks PostgreSQL through: a connection from the first question on, and another one where that is lost. */
import type { DatabaseConnection, QueryResult, TransactionSettings } from 'kysely';
import type pg from 'pg';
import { OutcomeUnknownError, UnavailableError } from '../../errors.ts';
import type { Deadline } from '../../lib/deadline.ts';
import { isOfStandby, isRefusal, isServersFault, translated } from './errors.ts';
import { askUntil, type LongQuery } from './long-statements.ts';
import type { ConnectionPool, PooledClient } from './pool.ts';
import { setLocal, statementLimits } from './timeouts.ts';

const ASK_AGAIN_WITHIN_MS = 1_500;
const ONLY_READS = 'its server only reads';

export class PostgresConnection implements DatabaseConnection {
  readonly #pool: ConnectionPool;
  readonly #asksTwice: boolean;
  #client: PooledClient | undefined;
  #accessMode: TransactionSettings['accessMode'];

  /** @param asksTwice where a connection is lost before anything is changed */
  constructor(pool: ConnectionPool, asksTwice = true) {
    this.#pool = pool;
    this.#asksTwice = asksTwice;
  }

  /** @throws NotUniqueError, UnavailableError, ContendedError, and whatever else PostgreSQL refuses. */
  async executeQuery<R>(query: LongQuery): Promise<QueryResult<R>> {
    // Outside of transactions queries only read, and may be sent twice.
    const { rows, rowCount } = await (this.isInTransaction
      ? this.#ask(query)
      : this.#twiceIfLost(() => this.#askAlone(query)));
    return { rows, numAffectedRows: BigInt(rowCount ?? 0) };
  }

  protected get isInTransaction(): boolean {
    return this.#accessMode !== undefined;
  }

  async begin({ isolationLevel, accessMode }: TransactionSettings): Promise<void> {
    const mode = accessMode ?? 'read write';
    const begin = `begin isolation level ${isolationLevel ?? 'read committed'} ${mode}${setLocal(this.#pool.limits)}`;
    await this.#twiceIfLost(async () => {
      try {
        await this.#run(begin);
      } catch (error) {
        // As a standby refuses whoever wants to write. After a failover others may lead to the new primary.
        this.#giveUp();
        if (error instanceof UnavailableError) throw error;
        throw new UnavailableError('it begins no transaction', { cause: error, reason: ONLY_READS });
      }
    });
    this.#accessMode = mode;
  }

  /** @throws OutcomeUnknownError when the connection is lost while the server is at it. */
  async commit(): Promise<void> {
    if (!this.#client || this.#client.isLost)
      throw new UnavailableError('the connection was lost before the commit');
    const since = this.#pool.timing.begin();
    const committed = this.#client.query('commit').finally(() => this.#pool.timing.end('commit', since));
    const { command } = await committed.catch((error) => {
      if (isRefusal(error)) throw translated(error);
      this.#giveUp();
      throw new OutcomeUnknownError('the connection was lost during the commit', { cause: error });
    });
    // A transaction in which a statement had failed is answered "ROLLBACK".
    if (command !== 'COMMIT') throw new UnavailableError('the transaction was rolled back');
  }

  async rollback(): Promise<void> {
    if (!this.#client || this.#client.isLost) return;
    // Where that fails the server rolls back by itself, and the connection is given up: what matters is why.
    await this.#run('rollback').catch(() => this.#giveUp());
  }

  release(): void {
    if (this.#client) this.#pool.release(this.#client);
    this.#client = undefined;
  }

  // biome-ignore lint/correctness/useYield: Kysely asks for a generator.
  async *streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
    throw new Error('Streaming is not supported: ask for a page.');
  }

  async #ask({ sql, parameters, limit, deadline }: LongQuery): Promise<pg.QueryResult> {
    if (limit !== undefined) await this.#run(setLocal(statementLimits(limit)));
    return this.#run(sql, parameters, deadline);
  }

  /** Where the connection itself does not see to it that it only reads, and how long, a transaction does. */
  async #askAlone({ limit, ...query }: LongQuery): Promise<pg.QueryResult> {
    this.#client ??= await this.#pool.acquire();
    if (this.#client.keepsSettings && limit === undefined) return this.#ask(query);
    const limits = { ...this.#pool.limits, ...(limit !== undefined && statementLimits(limit)) };
    await this.#run(`begin read only${setLocal(limits)}`);
    try {
      return await this.#ask(query);
    } finally {
      await this.rollback();
    }
  }

  async #run(sql: string, parameters: readonly unknown[] = [], deadline?: Deadline): Promise<pg.QueryResult> {
    this.#client ??= await this.#pool.acquire();
    const since = this.#pool.timing.begin();
    const values = parameters.map(storable);
    try {
      const answer = await (deadline
        ? askUntil(this.#client, { text: sql, values }, deadline)
        : this.#client.query(sql, values));
      this.#pool.answeredAt = performance.now();
      return answer;
    } catch (error) {
      const isStandby = isOfStandby(error, this.#accessMode === 'read write');
      if (isStandby || !isRefusal(error)) this.#giveUp();
      if (!isStandby) throw translated(error);
      throw new UnavailableError('the server only reads', { cause: error, reason: ONLY_READS });
    } finally {
      this.#pool.timing.end('statement', since);
    }
  }

  /** For what has changed nothing yet: where its connection turns out to be lost it is asked again on another one. */
  async #twiceIfLost<T>(ask: () => Promise<T>): Promise<T> {
    const since = performance.now();
    try {
      return await ask();
    } catch (error) {
      const isInTime = this.#asksTwice && performance.now() - since <= ASK_AGAIN_WITHIN_MS;
      if (!this.#client?.isLost || !isServersFault(error) || !isInTime) throw error;
      this.release();
      return ask();
    }
  }

  #giveUp(): void {
    if (this.#client) this.#client.isLost = true;
  }
}

/** PostgreSQL's text holds no NUL, which is looked up like other characters that nothing contains. */
function storable(value: unknown): unknown {
  return typeof value === 'string' ? value.replaceAll('\0', '\uFFFD') : value;
}
