/** Whether there are as many users as the totals say. */
import { ROLE_NAMES } from '../auth/policy.ts';
import type { Db } from '../db/schema.ts';
import { readSnapshot } from '../db/transact.ts';
import type { Count } from '../db/user-counts.ts';
import { number } from '../lib/formats.ts';
import { readCounts } from '../users/counts.ts';
import { type Fault, REBUILD } from './finding.ts';
import { countUsers } from './queries.ts';

/** Both of one moment. */
export async function* checkCounts(db: Db): AsyncIterable<Fault> {
  const [kept, counted] = await readSnapshot(db, async (trx) => [
    await readCounts(trx),
    await countUsers(trx),
  ]);
  const wrong: string[] = [];
  for (const { is_active, role, count } of kept as Count[]) {
    const isSame = (other: Count) => other.is_active === is_active && other.role === role;
    const there = (counted as Count[]).find(isSame)?.count ?? 0;
    if (there === count) continue;
    const whom = `${is_active ? 'active' : 'inactive'} ${ROLE_NAMES[role].many}`;
    wrong.push(`${number.format(there)} ${whom}, and the total says ${number.format(count)}`);
  }
  if (wrong.length > 0)
    yield { kind: 'totals that are wrong', what: `There are ${wrong.join('; ')}.`, todo: REBUILD };
}
