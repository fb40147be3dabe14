/** Goes through all that is checked, beside whoever works with the database, and holds nobody up. */
import type { Db } from '../db/schema.ts';
import { number } from '../lib/formats.ts';
import { checkCounts } from './counts.ts';
import type { Check, Fault, Finding } from './finding.ts';

export type { Finding };

/** So many of a kind are told, the rest is counted. */
const MOST_TOLD = 20;

export const CHECKS: readonly Check[] = [{ name: 'totals', isLong: false, find: checkCounts }];

type Options = { quick?: boolean; begin?: (check: Check) => void };

/** @param options.quick without what takes long with millions of users; `begin` is told what is looked at next */
export async function* findFaults(
  db: Db,
  { quick = false, begin = () => {} }: Options,
): AsyncGenerator<Finding> {
  for (const check of CHECKS) {
    if (quick && check.isLong) continue;
    begin(check);
    yield* told(check.find(db, { quick }));
  }
}

async function* told(faults: AsyncIterable<Fault>): AsyncGenerator<Finding> {
  const counts = new Map<string, { count: number; todo: string }>();
  for await (const { kind, what, todo } of faults) {
    const count = (counts.get(kind)?.count ?? 0) + 1;
    counts.set(kind, { count, todo });
    if (count <= MOST_TOLD) yield { what, todo };
  }
  for (const [kind, { count, todo }] of counts)
    if (count > MOST_TOLD) yield { what: `And ${number.format(count - MOST_TOLD)} more ${kind}.`, todo };
}
