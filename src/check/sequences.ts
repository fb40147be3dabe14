/** Whether the next number comes after every one that was ever given. */
import { engineOf } from '../db/engine.ts';
import type { Db } from '../db/schema.ts';
import { readSnapshot } from '../db/transact.ts';
import type { Fault } from './finding.ts';
import { findHighest } from './queries.ts';

const NAMES = { users: 'user', change_sets: 'change set' } as const;

export async function* checkSequences(db: Db): AsyncIterable<Fault> {
  for (const table of ['users', 'change_sets'] as const) {
    const [highest, last] = await readSnapshot(db, async (trx) => {
      const known = (await findHighest(trx))[table];
      return [known, await engineOf(trx).readLastId(trx, table)];
    });
    if (last >= highest) continue;
    yield {
      kind: 'numbers that would be given twice',
      what: `The next ${NAMES[table]} would get the number ${last + 1}, and ${highest} was given already.`,
      todo: 'Let nobody create users until it is mended: put back the last backup that checks clean, with: npm run roster -- restore FILE.',
    };
  }
}
