/** How long anyone waits for PostgreSQL: all in milliseconds. */
import type { PoolConfig } from 'pg';
import { HOUR } from '../../lib/clock.ts';

export type Limits = { statement_timeout?: number; idle_in_transaction_session_timeout: number };

export const REQUEST_LIMITS = {
  statement_timeout: 3_000,
  idle_in_transaction_session_timeout: 30_000,
} satisfies Limits;

/** Statements of a command, such as a migration, may take any time. */
export const COMMAND_LIMITS: Limits = { idle_in_transaction_session_timeout: HOUR };

export const REQUEST_TIMEOUTS = {
  connectionTimeoutMillis: 1_500,
  /** A server that is silent for so much longer counts as lost. */
  query_timeout: REQUEST_LIMITS.statement_timeout + 300,
} satisfies PoolConfig;

export const COMMAND_TIMEOUTS = { connectionTimeoutMillis: 10_000 } satisfies PoolConfig;

export function setLocal(limits: Partial<Limits>): string {
  return Object.entries(limits)
    .map(([name, value]) => `; set local ${name} = ${value}`)
    .join('');
}
