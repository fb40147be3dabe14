/** What a database that is put back does not bring back: who was signed in then, and what they had begun. */
import type { Trx } from '../db/schema.ts';

const TABLES = ['sessions', 'invitations', 'tickets', 'used_drafts', 'guesses', 'kept_answers'] as const;

/** Sessions that were ended since, links that were used or withdrawn, forms that were sent, waits that are over. */
export async function endAllThatIsUnderWay(trx: Trx): Promise<void> {
  for (const table of TABLES) await trx.deleteFrom(table).execute();
}
