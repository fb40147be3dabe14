/** Whether there are as many users as the totals say, and every total is there: what is added to one that is not would be lost. */
import { ROLE_NAMES } from '../auth/policy.ts';
import { engineOf } from '../db/engine.ts';
import { type Db, ROLES } from '../db/schema.ts';
import { readSnapshot } from '../db/transact.ts';
import type { Count } from '../db/user-counts.ts';
import { number } from '../lib/formats.ts';
import { readCounts } from '../users/counts.ts';
import { type Fault, REBUILD } from './finding.ts';
import { countCounters, countUsers } from './queries.ts';

type Kind = Pick<Count, 'is_active' | 'role'>;

const KINDS: readonly Kind[] = [false, true].flatMap((is_active) =>
  [...ROLES].sort().map((role) => ({ is_active, role })),
);

export async function* checkCounts(db: Db): AsyncIterable<Fault> {
  const [kept, counted, counters] = await readSnapshot(db, async (trx) => [
    await readCounts(trx),
    await countUsers(trx),
    await countCounters(trx),
  ]);
  const wrong = KINDS.flatMap((kind) => {
    const there = countOf(counted, kind) ?? 0;
    const isWhole = countOf(counters, kind) === engineOf(db).countersOfKind;
    const problem = problemOf(there, countOf(kept, kind), isWhole);
    const whom = `${kind.is_active ? 'active' : 'inactive'} ${ROLE_NAMES[kind.role].many}`;
    return problem === undefined ? [] : `${number.format(there)} ${whom}, and ${problem}`;
  });
  if (wrong.length > 0)
    yield { kind: 'totals that are wrong', what: `There are ${wrong.join('; ')}.`, todo: REBUILD };
}

function countOf(counts: readonly Count[], { is_active, role }: Kind): number | undefined {
  return counts.find((count) => count.is_active === is_active && count.role === role)?.count;
}

function problemOf(there: number, total: number | undefined, isWhole: boolean): string | undefined {
  if (total === undefined) return 'the total is missing';
  if (total !== there) return `the total says ${number.format(total)}`;
  return isWhole ? undefined : 'a part of the total is missing';
}
