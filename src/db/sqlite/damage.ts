/** Whether the file is whole: https://sqlite.org/pragma.html#pragma_integrity_check */
import { sql } from 'kysely';
import { DamagedError } from '../../errors.ts';
import type { Damage } from '../engine.ts';
import type { Db } from '../schema.ts';
import { readSnapshot } from '../transact.ts';

const MOST_TOLD = 1_000;

export function checkOf(isQuick: boolean): string {
  return isQuick ? 'quick_check' : 'integrity_check';
}

/** By one statement, of one moment, on a new connection: FTS5 compares with what it kept of an earlier moment, and calls what was merged since corrupt. */
export async function* findDamage(db: Db, isQuick: boolean): AsyncGenerator<Damage> {
  const check = sql.raw(`${checkOf(isQuick)}(${MOST_TOLD})`);
  try {
    const { rows } = await readSnapshot(db, (trx) =>
      sql<Record<string, string>>`pragma ${check}`.execute(trx),
    );
    const lines = rows.flatMap((row) => Object.values(row)).flatMap((text) => text.split('\n'));
    for (const line of lines)
      if (line !== 'ok')
        yield { what: `The file is damaged: ${line}.`, isOfSearch: /FTS5|users_search_/.test(line) };
  } catch (error) {
    if (!(error instanceof DamagedError)) throw error;
    yield { what: `The file is damaged: ${(error.cause as Error).message}.`, isOfSearch: false };
  }
}
