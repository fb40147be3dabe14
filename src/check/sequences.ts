/** Whether the next number comes after every one that was ever given; and whether everyone who was erased is. */
import { engineOf, NUMBERED_TABLES, type NumberedTable } from '../db/engine.ts';
import type { Db } from '../db/schema.ts';
import { readSnapshot } from '../db/transact.ts';
import { lastIdsIn } from '../erasure/ledger.ts';
import { findMissing, type Missing } from '../erasure/ledger-replay.ts';
import { StartError } from '../errors.ts';
import type { CheckOptions, Fault } from './finding.ts';
import { findHighestId } from './queries.ts';

const NAMES: Readonly<Record<NumberedTable, string>> = {
  users: 'user',
  change_sets: 'change set',
  jobs: 'job',
  imports: 'import',
  maintenance_runs: 'backup or check',
};
const RESTORE =
  'Let nobody create anything until it is mended: put back the last backup that checks clean: npm run roster -- restore FILE.';
const START = 'Start Roster with it: that mends it before it serves.';
const LEDGER =
  'Roster does not start with it: put that file back as it was, or in its place a copy of erased.jsonl, which lies beside the backups; then start Roster, which adds to it whom the database knows.';

export async function* checkSequences(db: Db, { ledger }: CheckOptions): AsyncIterable<Fault> {
  let missing: Omit<Missing, 'reach'> = { users: [], lastIds: lastIdsIn([]) };
  try {
    if (ledger !== undefined) missing = await findMissing(db, ledger);
  } catch (error) {
    if (!(error instanceof StartError)) throw error;
    yield { kind: 'lists of who was erased that are of no use', what: error.message, todo: LEDGER };
  }
  const { users, lastIds } = missing;
  for (const table of NUMBERED_TABLES) {
    const [highest, last] = await readSnapshot(db, async (trx) => {
      const highest = await findHighestId(trx, table);
      return [highest, await engineOf(trx).readLastId(trx, table)] as const;
    });
    const given = Math.max(highest, lastIds[table]);
    if (last >= given) continue;
    yield {
      kind: 'numbers that would be given twice',
      what: `The next ${NAMES[table]} would get the number ${last + 1}, and ${given} was given already.`,
      todo: lastIds[table] === given ? START : RESTORE,
    };
  }
  for (const { user_id } of users)
    yield {
      kind: 'users who were erased, and are there again',
      what: `User ${user_id} was erased, and is in this database again, which was put back since.`,
      todo: START,
    };
}
