/** Whom searches find: names that so many users have, and those that nobody has. */

import { commandLine } from '../../src/auth/actor.ts';
import { openDatabase } from '../../src/db/database.ts';
import { engineOf } from '../../src/db/engine.ts';
import type { Db } from '../../src/db/schema.ts';
import { transact } from '../../src/db/transact.ts';
import { changeUser } from '../../src/users/commands.ts';

/** Made of letters in a row that many made-up users have, so that no index finds them by a rare one. */
export const NAMESAKES = [
  { first: 'Nora', last: 'Martinsen', amount: 5 },
  { first: 'Nora', last: 'Martinelli', amount: 500 },
  { first: 'Nora', last: 'Marinello', amount: 10_000 },
] as const;

/** The first has three letters in a row that nobody has; every three of the second's are in many names. */
export const NOBODY = ['qqzzq', 'martina'] as const;

/** Two names that many have, but nobody both. */
export const STRANGERS = ['martinez', 'garcia'] as const;

/** Namesakes are this many places apart at least, so that each name has places of its own. */
const LEAST_STEP = NAMESAKES.length;
const MOST_NAMESAKES = 10_000;
/** Among fewer there is no room for them, and nobody is searched for by name. */
export const FEWEST_USERS = LEAST_STEP * MOST_NAMESAKES;

/** Users in one transaction. */
const BATCH = 2_000;

/** The same on both databases, as their pages are compared. */
const NOW = Date.now();

/**
 * Gives the names to users who are spread evenly over all of the `users`.
 * @throws Error when someone has one of the names already, or is somebody whom nobody should find.
 */
export async function makeNamesakes(url: string, users: number): Promise<void> {
  const db = await openDatabase(url);
  try {
    await refuseHolders(db);
    const step = Math.floor(users / MOST_NAMESAKES);
    for (const [index, { first, last, amount }] of NAMESAKES.entries()) {
      const apart = step * (MOST_NAMESAKES / amount);
      const ids = Array.from({ length: amount }, (_, place) => 1 + index + place * apart);
      await rename(db, ids, `${first} ${last}`);
    }
    // As PostgreSQL does by itself within minutes of that many updates.
    await engineOf(db).finishBulkLoad(db);
  } finally {
    await db.destroy();
  }
}

async function rename(db: Db, ids: readonly number[], full_name: string): Promise<void> {
  for (let done = 0; done < ids.length; done += BATCH) {
    await transact(db, async (trx) => {
      for (const id of ids.slice(done, done + BATCH))
        await changeUser(trx, commandLine, id, { full_name }, NOW);
    });
  }
}

async function refuseHolders(db: Db): Promise<void> {
  const words = [...NAMESAKES.map(({ last }) => last.toLowerCase()), ...NOBODY];
  const holder = await db
    .selectFrom('users')
    .select('search_text')
    .where(({ eb, or, and }) => {
      const has = (word: string) => eb('search_text', 'like', `%${word}%`);
      return or([...words.map(has), and(STRANGERS.map(has))]);
    })
    .limit(1)
    .executeTakeFirst();
  if (holder) throw new Error(`A made-up user stands in the way of the searches: ${holder.search_text}`);
}
