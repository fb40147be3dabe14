/** How long anyone waits for PostgreSQL: all in milliseconds. */
import type { PoolConfig } from 'pg';

const STATEMENT_TIMEOUT = 3_000;

export const REQUEST_TIMEOUTS = {
  connectionTimeoutMillis: 1_500,
  statement_timeout: STATEMENT_TIMEOUT,
  /** A server that is silent for so much longer counts as lost. */
  query_timeout: STATEMENT_TIMEOUT + 300,
  idle_in_transaction_session_timeout: 30_000,
} satisfies PoolConfig;

/** Statements of a command, such as a migration, may take any time. */
export const COMMAND_TIMEOUTS = {
  connectionTimeoutMillis: 10_000,
  idle_in_transaction_session_timeout: 3_600_000,
} satisfies PoolConfig;

export function setTimeouts({ statement_timeout, idle_in_transaction_session_timeout }: PoolConfig): string {
  return Object.entries({ statement_timeout, idle_in_transaction_session_timeout })
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `; set local ${name} = ${value}`)
    .join('');
}
