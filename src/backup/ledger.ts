/** Who was erased, beside the backups: from an older one, which is put back on a machine that has nothing else, they are erased again. */
import type { Db } from '../db/schema.ts';
import { writeLedger } from '../erasure/again.ts';
import { appendToLedger, type LedgerEntry, type LedgerLine, readLedger } from '../erasure/ledger.ts';
import { findErasuresAfter } from '../erasure/queries.ts';

/** Nothing that is there is lost. @param own beside the database, which may know less than it. @throws StartError */
export async function bringLedger(db: Db, own: string, to: string): Promise<void> {
  const there = new Set(readLedger(to).flatMap(namesIn));
  for (const line of byDatabase(readLedger(own))) {
    const users = line.users.filter((entry) => !there.has(nameOf(line.database, entry)));
    if (users.length > 0) appendToLedger(to, { ...line, users });
  }
  await writeLedger(db, to, await findErasuresAfter(db, 0, Number.MAX_SAFE_INTEGER));
}

/** All of one in one line. */
function byDatabase(lines: readonly LedgerLine[]): LedgerLine[] {
  return [...Map.groupBy(lines, ({ database }) => database)].map(([database, some]) => ({
    database,
    lastId: Math.max(...some.map(({ lastId }) => lastId)),
    users: some.flatMap(({ users }) => users),
  }));
}

function namesIn({ database, users }: LedgerLine): string[] {
  return users.map((entry) => nameOf(database, entry));
}

function nameOf(database: string, { user_id, created_at }: LedgerEntry): string {
  return `${database} ${user_id} ${created_at}`;
}
