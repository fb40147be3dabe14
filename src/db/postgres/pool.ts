/** The connections to PostgreSQL: how many, how each is set, and how long anyone waits. */
import pg from 'pg';

/** How long a request waits for a connection, and its statements for an answer, in milliseconds. */
const REQUEST_WAIT = 1_500;
const REQUEST_STATEMENT = 3_000;
/** How much longer than a statement may take, in milliseconds, until a silent server counts as lost. */
const SILENCE = 300;
/** How long a command such as a migration waits for a connection, in milliseconds; its statements may take any time. */
const COMMAND_WAIT = 10_000;
/** After this a transaction whose Roster is no longer heard of gives back its locks, in milliseconds. */
const IDLE_IN_TRANSACTION = 30_000;

/** `int8` and `numeric`, https://www.postgresql.org/docs/18/catalog-pg-type.html; Roster's stay below 2^53. */
const NUMBERS: readonly number[] = [20, 1700];

/** @param requests given where requests are answered: how many connections they share. */
export function openPool(url: string, requests?: { connections: number }): pg.Pool {
  const pool = new pg.Pool({
    connectionString: withOptions(url, {
      // Writing is what a transaction has to ask for.
      default_transaction_read_only: 'on',
      ...(requests && {
        statement_timeout: String(REQUEST_STATEMENT),
        idle_in_transaction_session_timeout: String(IDLE_IN_TRANSACTION),
      }),
    }),
    fallback_application_name: 'roster',
    keepAlive: true,
    max: requests?.connections ?? 2,
    connectionTimeoutMillis: requests ? REQUEST_WAIT : COMMAND_WAIT,
    ...(requests && { query_timeout: REQUEST_STATEMENT + SILENCE }),
    types: {
      getTypeParser: (oid: number, format?: string) =>
        NUMBERS.includes(oid) && format !== 'binary' ? Number : pg.types.getTypeParser(oid, format as 'text'),
    },
  });
  // An idle connection that is lost is replaced when one is needed; one in use tells whoever uses it.
  pool.on('error', () => {});
  pool.on('connect', (client) => void client.on('error', () => {}));
  return pool;
}

/** Puts server settings before those that the URL has already, which win. */
function withOptions(url: string, settings: Readonly<Record<string, string>>): string {
  const parsed = new URL(url);
  const options = Object.entries(settings).map(([name, value]) => `-c ${name}=${value}`);
  parsed.searchParams.set('options', [...options, parsed.searchParams.get('options') ?? ''].join(' ').trim());
  // PostgreSQL's own tools write a space as %20, and take no "+" for one.
  parsed.search = parsed.search.replaceAll('+', '%20');
  return parsed.href;
}
