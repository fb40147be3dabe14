/** What may go wrong with files and databases that are not as Roster leaves them. */
import Sqlite from 'better-sqlite3';
import { NoResultError } from 'kysely';
import { DatabaseFailure, StartError } from '../errors.ts';

/** A sentence of what the system or the database says; another error as it is: a mistake of ours. */
export function asStartError(error: unknown, what: string, state: string): unknown {
  if (error instanceof StartError || !isFailure(error)) return error;
  return new StartError(`${what}: ${reasonOf(error)}. ${state}`, { cause: error });
}

function isFailure(error: unknown): error is Error {
  const kinds = [DatabaseFailure, Sqlite.SqliteError, NoResultError];
  return kinds.some((kind) => error instanceof kind) || (error instanceof Error && 'syscall' in error);
}

function reasonOf(error: Error): string {
  if (error instanceof NoResultError) return 'something that is in every database is missing in it';
  return (error instanceof DatabaseFailure && error.reason) || error.message;
}
