/** The connections to PostgreSQL: how many, how each is set, and which are not used again. */
import pg from 'pg';
import { UnavailableError } from '../../errors.ts';
import { Timing } from '../timing.ts';
import {
  COMMAND_LIMITS,
  COMMAND_TIMEOUTS,
  type Limits,
  REQUEST_LIMITS,
  REQUEST_TIMEOUTS,
} from './timeouts.ts';

export const APPLICATION = 'roster';

/** A connection that is lost so soon says nothing of older ones: they were given up a moment ago. */
const YOUNG_MS = 1_000;

/** `int8` and `numeric`, https://www.postgresql.org/docs/18/catalog-pg-type.html; Roster's stay below 2^53. */
const NUMBERS: readonly number[] = [20, 1700];

/** A connection, with an ear for its errors from its first moment: one that nobody hears ends the process. */
class Client extends pg.Client {
  readonly openedAt = performance.now();
  isLost = false;
  /** Whether it only reads, and within its limits, also outside of transactions: a pooler between lets no settings through. */
  keepsSettings = false;

  constructor(config?: string | pg.ClientConfig) {
    super(config);
    const onLost = () => {
      this.isLost = true;
    };
    this.on('error', onLost).on('end', onLost);
  }
}

export type PooledClient = Client & pg.PoolClient;

/** Not one was free for as long as anyone waits: the server may be well. */
export class AllTakenError extends UnavailableError {}

/** pg-pool's words for that alone. */
const ALL_TAKEN = 'timeout exceeded when trying to connect';

/** Whoever finds one connection lost spares others the same: those that were opened before that are not used again. */
export class ConnectionPool {
  readonly #pool: pg.Pool;
  #trustedSince = 0;
  readonly timing: Timing;
  readonly limits: Limits;
  /** When the server last did what it was asked, by `performance.now()`. */
  answeredAt = Number.NEGATIVE_INFINITY;

  constructor(config: pg.PoolConfig, limits: Limits, timing = new Timing()) {
    const onConnect = async (client: pg.ClientBase) => {
      // Of one that is lost by then whoever gets it finds that out, and asks on another one.
      (client as Client).keepsSettings = await finishSettings(client, limits).catch(() => false);
    };
    this.#pool = new pg.Pool({ ...config, Client, onConnect });
    // An idle connection that is lost is replaced when one is needed.
    this.#pool.on('error', () => {});
    this.limits = limits;
    this.timing = timing;
  }

  /** @throws UnavailableError */
  async acquire(): Promise<PooledClient> {
    const since = this.timing.begin();
    try {
      for (;;) {
        const client = await this.#connect();
        if (client.openedAt >= this.#trustedSince) return client;
        client.release(true);
      }
    } finally {
      this.timing.end('pool', since);
    }
  }

  release(client: PooledClient): void {
    if (client.isLost) this.#distrustOlder(client);
    client.release(client.isLost || client.openedAt < this.#trustedSince);
  }

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
      const { message } = error as Error;
      const Failure = message === ALL_TAKEN ? AllTakenError : UnavailableError;
      throw new Failure(`there is no connection: ${message}`, { cause: error });
    }
  }

  #distrustOlder({ openedAt }: Client): void {
    const now = performance.now();
    const isNews = openedAt >= this.#trustedSince && now - openedAt > YOUNG_MS;
    if (isNews) this.#trustedSince = now;
  }
}

export type Requests = {
  connections: number;
  timing?: Timing;
  /** Where nobody waits as long as a request does. */
  timeouts?: pg.PoolConfig;
};

/** @param requests where it is them who ask, and no command */
export function openPool(url: string, requests?: Requests): ConnectionPool {
  const limits = requests ? REQUEST_LIMITS : COMMAND_LIMITS;
  const config: pg.PoolConfig = {
    max: requests?.connections ?? 2,
    ...(requests ? REQUEST_TIMEOUTS : COMMAND_TIMEOUTS),
    ...requests?.timeouts,
    connectionString: withSettings(url, limits),
    fallback_application_name: APPLICATION,
    keepAlive: true,
    types: {
      getTypeParser: (oid: number, format?: string) =>
        NUMBERS.includes(oid) && format !== 'binary' ? Number : pg.types.getTypeParser(oid, format as 'text'),
    },
  };
  return new ConnectionPool(config, limits, requests?.timing);
}

/** Writing is what a transaction has to ask for. All in the one parameter that poolers can be told to ignore, and none that PgBouncer 1.20.0 has not been told of. */
function withSettings(url: string, { lock_timeout: _setAfterwards, ...limits }: Limits): string {
  const parsed = new URL(url);
  const settings = Object.entries({ default_transaction_read_only: 'on', ...limits });
  const options = settings.map(([name, value]) => `-c ${name}=${value}`);
  parsed.searchParams.set('options', [...options, parsed.searchParams.get('options') ?? ''].join(' ').trim());
  // PostgreSQL's own tools write a space as %20, and take no "+" for one.
  parsed.search = parsed.search.replaceAll('+', '%20');
  return parsed.href;
}

/** Sets what could not be among those that it began with. @returns whether it keeps these */
async function finishSettings(
  client: pg.ClientBase,
  { statement_timeout = 0, lock_timeout }: Limits,
): Promise<boolean> {
  const { rows } = await client.query(
    `select case when current_setting('default_transaction_read_only')::bool
      and current_setting('statement_timeout')::interval = $1 * interval '1 ms'
      then set_config('lock_timeout', $2, false) is not null else false end as keeps`,
    [statement_timeout, lock_timeout],
  );
  return rows[0].keeps;
}
