/** `npm run roster -- purge`: writes the files of the database anew, without anything that was deleted. */
import { engineOf } from '../db/engine.ts';
import { transact } from '../db/transact.ts';
import { writeLedger } from '../erasure/ledger-replay.ts';
import { findPending, noteGone } from '../erasure/queries.ts';
import { StartError } from '../errors.ts';
import { readArguments } from './arguments.ts';
import { namedIn, openNamed } from './named-database.ts';

const OUTCOMES = {
  gone: 'Nothing that was deleted before is in its files any more.',
  kept: 'The tables were written anew, but not pg_statistic, which has samples of what was in them: run this as the owner of the database.',
};

export async function purge(env: NodeJS.ProcessEnv, args: readonly string[]): Promise<void> {
  if (readArguments(args, []).positionals.length > 0)
    throw new StartError('Say no more than: npm run roster -- purge');
  const db = await openNamed(env);
  try {
    // Whoever is erased while it is under way may be in a part that is done.
    const pending = await findPending(db);
    // Else a copy that is put back would bring them back.
    await writeLedger(db, namedIn(env).ledger, pending);
    const outcome = await engineOf(db).purge(db);
    if (outcome.kind === 'gone') await transact(db, (trx) => noteGone(trx, pending, Date.now()));
    console.log(outcome.kind === 'held up' ? outcome.why : OUTCOMES[outcome.kind]);
    console.log(
      'Logs of a server, their archives, snapshots and backups keep it for as long as they are kept.',
    );
  } finally {
    await db.destroy();
  }
}
