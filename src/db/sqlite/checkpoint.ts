/** Copies what the write-ahead log holds into the file: https://sqlite.org/pragma.html#pragma_wal_checkpoint */
import type { QueryResult } from 'kysely';

type Writer = { run<R>(text: string): QueryResult<R> };

type Outcome = { busy: number; log: number; checkpointed: number };

export function backfill(writer: Writer): boolean {
  const { log, checkpointed } = run(writer, 'PASSIVE');
  return log === checkpointed;
}

/** Copies all of it first. @returns whether the log is empty: not so where someone is reading. */
export function emptyLog(writer: Writer): boolean {
  return run(writer, 'TRUNCATE').busy === 0;
}

function run(writer: Writer, mode: 'PASSIVE' | 'TRUNCATE'): Outcome {
  const [outcome] = writer.run<Outcome>(`pragma wal_checkpoint(${mode})`).rows;
  return outcome ?? { busy: 1, log: 0, checkpointed: -1 };
}
