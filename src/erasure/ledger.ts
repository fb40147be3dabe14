/**
 * Who was erased, outside of the database: a file beside it, of which a database that is put back knows nothing. It holds
 * numbers and times alone.
 */
import { appendFileSync, closeSync, fsyncSync, openSync, readFileSync } from 'node:fs';
import { filePathOf } from '../database-url.ts';
import { StartError } from '../errors.ts';
import { syncFolder } from '../lib/make-file.ts';

export type LedgerEntry = { user_id: number; created_at: number; erased_at: number };

/** `database`: its identity. `lastId`: the highest number that anybody had there by then. Without users: it is known there. */
export type LedgerLine = { database: string; lastId: number; users: LedgerEntry[] };

export function ledgerOf(databaseUrl: string, secretKeyFile: string): string {
  return `${filePathOf(databaseUrl) ?? secretKeyFile}.erased.jsonl`;
}

/** @throws StartError where it cannot be read: somebody might come back who was erased. */
export function readLedger(path: string): LedgerLine[] {
  try {
    const lines = readFileSync(path, 'utf8').split('\n');
    // Whoever was killed while writing has left half a line, and writes it again.
    return lines.filter((line) => line.endsWith('}')).map((line) => JSON.parse(line) as LedgerLine);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw new StartError(`${path}, which says who was erased, cannot be read: ${(error as Error).message}.`);
  }
}

/** It is on the disk then. */
export function appendToLedger(path: string, line: LedgerLine): void {
  const file = openSync(path, 'a', 0o600);
  try {
    // On a line of its own, whatever the last one was left like.
    appendFileSync(file, `\n${JSON.stringify(line)}`);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  syncFolder(path);
}
