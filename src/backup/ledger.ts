/** Who was erased, beside the backups: from an older one, which is put back on a machine that has nothing else, they are erased again. */
import type { Db } from '../db/schema.ts';
import { noteLastIds } from '../erasure/last-ids.ts';
import { type LedgerLine, lastIdsIn, lastIdsOfLine, readLedger } from '../erasure/ledger.ts';
import { noteLine, writeLedger } from '../erasure/ledger-replay.ts';
import { findErasuresAfter, readIdentity } from '../erasure/queries.ts';

/** Nothing that is there is lost. @param own may know less than the database @param withNumbers also where nobody was erased @throws StartError */
export async function bringLedger(db: Db, own: string, to: string, withNumbers = true): Promise<void> {
  const identity = await readIdentity(db);
  for (const line of byDatabase(readLedger(own)))
    if (line.users.length > 0 || (withNumbers && line.database === identity)) noteLine(to, line);
  await writeLedger(db, to, await findErasuresAfter(db, 0, Number.MAX_SAFE_INTEGER));
  if (withNumbers) await noteLastIds(db, to);
}

/** All of one in one line, without what is only noted ahead: what was given of that by now the database says itself. */
function byDatabase(lines: readonly LedgerLine[]): LedgerLine[] {
  return [...Map.groupBy(lines, ({ database }) => database)].map(([database, some]) => ({
    database,
    ...lastIdsOfLine(lastIdsIn(some)),
    users: some.flatMap(({ users }) => users),
  }));
}
