/** What PostgreSQL's errors mean to Roster: https://www.postgresql.org/docs/18/errcodes-appendix.html */
import { DatabaseError } from 'pg';
import { ContendedError, NotUniqueError, UnavailableError } from '../../errors.ts';

/** The states, or the classes of states, of a server that is well and cannot do it now. */
const UNAVAILABLE: readonly (readonly [string, string])[] = [
  ['57014', 'it took too long'],
  ['57P', 'it is being shut down or started'],
  ['55P03', 'another transaction holds the row'],
  ['53', 'it has no room'],
  ['08', 'the connection was lost'],
];

/**
 * The error of a statement.
 * @returns an UnavailableError for whatever is no answer of the server's, since the connection is lost then.
 */
export function translated(error: unknown): unknown {
  if (!(error instanceof DatabaseError)) {
    return new UnavailableError('the connection was lost', { cause: error });
  }
  const code = error.code ?? '';
  if (code === '23505') return new NotUniqueError(error.message, { cause: error });
  if (code === '40001' || code === '40P01') return new ContendedError(error.message, { cause: error });
  const known = UNAVAILABLE.find(([start]) => code.startsWith(start));
  return known ? new UnavailableError(known[1], { cause: error }) : error;
}

/** Whether the server itself has said that a statement failed; it then goes on answering on that connection. */
export function isRefusal(error: unknown): boolean {
  // Severities above ERROR end the connection; with 40003 the server does not know either.
  return error instanceof DatabaseError && error.severity === 'ERROR' && error.code !== '40003';
}
