/** How long anyone waits for PostgreSQL: all in milliseconds. */
import type { PoolConfig } from 'pg';

/** How long a statement of a request may take. */
const STATEMENT = 3_000;

export const REQUEST_TIMEOUTS = {
  /** For a connection. */
  connectionTimeoutMillis: 1_500,
  statement_timeout: STATEMENT,
  /** A server that is silent for so much longer counts as lost. */
  query_timeout: STATEMENT + 300,
  /** Whoever is no longer heard of gives back the locks. */
  idle_in_transaction_session_timeout: 30_000,
} satisfies PoolConfig;

/** Statements of a command, such as a migration, may take any time. */
export const COMMAND_TIMEOUTS = {
  connectionTimeoutMillis: 10_000,
  idle_in_transaction_session_timeout: 3_600_000,
} satisfies PoolConfig;

/** Statements that set in a transaction what the server keeps to. */
export function setTimeouts({ statement_timeout, idle_in_transaction_session_timeout }: PoolConfig): string {
  return Object.entries({ statement_timeout, idle_in_transaction_session_timeout })
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `; set local ${name} = ${value}`)
    .join('');
}
