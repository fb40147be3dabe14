/** The connections to PostgreSQL: how many, how each is set, and how long anyone waits. */
import pg from 'pg';

/** How long a request waits for a connection, and its statements for an answer, in milliseconds. */
const REQUEST_WAIT = 1_500;
const REQUEST_STATEMENT = 3_000;
/** How much longer than a statement may take, in milliseconds, until a silent server counts as lost. */
const SILENCE = 300;
/** How long a command such as a migration waits for a connection, in milliseconds; its statements may take any time. */
const COMMAND_WAIT = 10_000;

/** `int8` and `numeric`, https://www.postgresql.org/docs/18/catalog-pg-type.html; Roster's stay below 2^53. */
const NUMBERS: readonly number[] = [20, 1700];

/** @param requests given where requests are answered: how many connections they share. */
export function openPool(url: string, requests?: { connections: number }): pg.Pool {
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
  const pool = new pg.Pool({
    ...limits,
    connectionString: readingOnly(url),
    fallback_application_name: 'roster',
    keepAlive: true,
    types: {
      getTypeParser: (oid: number, format?: string) =>
        NUMBERS.includes(oid) && format !== 'binary' ? Number : pg.types.getTypeParser(oid, format as 'text'),
    },
  });
  // An idle connection that is lost is replaced when one is needed.
  pool.on('error', () => {});
  return pool;
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
