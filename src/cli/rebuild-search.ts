/** `npm run roster -- rebuild-search`: rebuilds the search index, and what lists are sorted and counted by. */

import { engineOf } from '../db/engine.ts';
import { rebuildSearch } from '../db/rebuild-search.ts';
import { transact } from '../db/transact.ts';
import { StartError } from '../errors.ts';
import { reportProgress } from '../lib/progress.ts';
import { countByStatus } from '../users/counts.ts';
import { readArguments } from './arguments.ts';
import { openNamed } from './named-database.ts';

const REPORT_EVERY = 50_000;

export async function rebuild(env: NodeJS.ProcessEnv, args: readonly string[]): Promise<void> {
  if (readArguments(args, []).positionals.length > 0)
    throw new StartError('Say no more than: npm run roster -- rebuild-search');
  const db = await openNamed(env);
  try {
    const { active, inactive } = await countByStatus(db);
    const progress = reportProgress('folded', active + inactive);
    await transact(db, (trx) =>
      rebuildSearch(trx, (done) => {
        if (done % REPORT_EVERY === 0) progress(done);
      }),
    );
    const { prefixOnly } = await engineOf(db).searchIndexOf(db);
    console.log(
      prefixOnly
        ? 'Searches find the start of a field.'
        : 'Searches find any part of a username, email or full name.',
    );
  } finally {
    await db.destroy();
  }
}
