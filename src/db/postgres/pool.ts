/** The connections to PostgreSQL: how many, how each is set, how long anyone waits, and which are not used again. */
import pg from 'pg';
import { UnavailableError } from '../../errors.ts';

/** How long a request waits for a connection, and its statements for an answer, in milliseconds. */
const REQUEST_WAIT = 1_500;
const REQUEST_STATEMENT = 3_000;
/** How much longer than a statement may take, in milliseconds, until a silent server counts as lost. */
const SILENCE = 300;
/** How long a command such as a migration waits for a connection, in milliseconds; its statements may take any time. */
const COMMAND_WAIT = 10_000;
/** A connection that is lost this soon, in milliseconds, says nothing of older ones: they were given up a moment ago. */
const YOUNG = 1_000;

/** `int8` and `numeric`, https://www.postgresql.org/docs/18/catalog-pg-type.html; Roster's stay below 2^53. */
const NUMBERS: readonly number[] = [20, 1700];

/** A connection, with an ear for its errors from its first moment: one that nobody hears ends the process. */
class Client extends pg.Client {
  readonly openedAt = performance.now();
  /** Not to be used again: broken, or of a server that only reads. */
  isLost = false;

  constructor(config?: string | pg.ClientConfig) {
    super(config);
    const onLost = () => {
      this.isLost = true;
    };
    this.on('error', onLost).on('end', onLost);
  }
}

export type PooledClient = Client & pg.PoolClient;

/** Whoever finds one connection lost spares others the same: those that were opened before that are not used again. */
export class ConnectionPool {
  readonly #pool: pg.Pool;
  /** In milliseconds of `performance.now`: what was opened before is not used again. */
  #trustedSince = 0;
  /** Statements that set in a transaction what whatever lies between has not let through when connecting. */
  readonly limits: string;

  constructor(config: pg.PoolConfig) {
    this.#pool = new pg.Pool({ ...config, Client });
    // An idle connection that is lost is replaced when one is needed.
    this.#pool.on('error', () => {});
    this.limits = limitsOf(config);
  }

  /** @throws UnavailableError */
  async acquire(): Promise<PooledClient> {
    for (;;) {
      const client = await this.#connect();
      if (client.openedAt >= this.#trustedSince) return client;
      client.release(true);
    }
  }

  release(client: PooledClient): void {
    if (client.isLost) this.#distrustOlder(client);
    client.release(client.isLost || client.openedAt < this.#trustedSince);
  }

  /** Whether as many wait for a connection as there are. */
  get isSaturated(): boolean {
    return this.#pool.waitingCount >= this.#pool.options.max;
  }

  async end(): Promise<void> {
    await this.#pool.end();
  }

  async #connect(): Promise<PooledClient> {
    try {
      return (await this.#pool.connect()) as PooledClient;
    } catch (error) {
      throw new UnavailableError(`there is no connection: ${(error as Error).message}`, { cause: error });
    }
  }

  #distrustOlder({ openedAt }: Client): void {
    const now = performance.now();
    const isNews = openedAt >= this.#trustedSince && now - openedAt > YOUNG;
    if (isNews) this.#trustedSince = now;
  }
}

/** @param requests given where requests are answered: how many connections they share. */
export function openPool(url: string, requests?: { connections: number }): ConnectionPool {
  const limits = requests
    ? {
        max: requests.connections,
        connectionTimeoutMillis: REQUEST_WAIT,
        statement_timeout: REQUEST_STATEMENT,
        query_timeout: REQUEST_STATEMENT + SILENCE,
        // Whoever is no longer heard of gives back the locks.
        idle_in_transaction_session_timeout: 30_000,
      }
    : { max: 2, connectionTimeoutMillis: COMMAND_WAIT, idle_in_transaction_session_timeout: 3_600_000 };
  return new ConnectionPool({
    ...limits,
    connectionString: readingOnly(url),
    fallback_application_name: 'roster',
    keepAlive: true,
    types: {
      getTypeParser: (oid: number, format?: string) =>
        NUMBERS.includes(oid) && format !== 'binary' ? Number : pg.types.getTypeParser(oid, format as 'text'),
    },
  });
}

function limitsOf({ statement_timeout, idle_in_transaction_session_timeout }: pg.PoolConfig): string {
  return Object.entries({ statement_timeout, idle_in_transaction_session_timeout })
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `; set local ${name} = ${value}`)
    .join('');
}

/** Writing is what a transaction has to ask for, unless the address has another setting, which comes later and wins. */
function readingOnly(url: string): string {
  const parsed = new URL(url);
  const options = `-c default_transaction_read_only=on ${parsed.searchParams.get('options') ?? ''}`.trim();
  parsed.searchParams.set('options', options);
  // PostgreSQL's own tools write a space as %20, and take no "+" for one.
  parsed.search = parsed.search.replaceAll('+', '%20');
  return parsed.href;
}
