/** How long anyone waits for PostgreSQL: all in milliseconds. */
import type { PoolConfig } from 'pg';
import { HOUR } from '../../lib/clock.ts';

export type Limits = {
  statement_timeout?: number;
  lock_timeout?: number;
  idle_in_transaction_session_timeout: number;
};

/** What waits for a lock is given up sooner, and by another state: it says nothing of how much was asked. */
export function statementLimits(statement_timeout: number) {
  return { statement_timeout, lock_timeout: Math.ceil(0.8 * statement_timeout) };
}

export const REQUEST_LIMITS = {
  ...statementLimits(3_000),
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
