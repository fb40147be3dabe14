/** What keeping the number of users costs those who create some: the same transactions with it and without. */
import { openDatabase } from '../../src/db/database.ts';
import type { Db, Trx } from '../../src/db/schema.ts';
import { transact } from '../../src/db/transact.ts';
import { searchTextOf } from '../../src/search/terms.ts';
import { textKey } from '../../src/text.ts';
import type { NewUser } from '../../src/users/form.ts';
import { insertUser } from '../../src/users/queries.ts';
import { CONNECTIONS } from './connections.ts';

/** Creates a second from as many writers as there are connections. */
export type CounterRates = { counted: number; uncounted: number };

/** Each has its turns, so that a busy moment of the machine meets both. */
const TURNS = 5;

let created = 0;

export async function measureCounter(url: string, seconds: number): Promise<CounterRates> {
  const db = await openDatabase(url, { connections: CONNECTIONS });
  const done = { counted: 0, uncounted: 0 };
  await createFor(db, insertUser, 1);
  for (let turn = 0; turn < TURNS; turn++) {
    done.counted += await createFor(db, insertUser, seconds / TURNS);
    done.uncounted += await createFor(db, insertUncounted, seconds / TURNS);
  }
  await db.destroy();
  return { counted: done.counted / seconds, uncounted: done.uncounted / seconds };
}

/** `insertUser`, but for the count. */
async function insertUncounted(trx: Trx, user: NewUser, now: number): Promise<unknown> {
  const keys = { username_key: textKey(user.username), email_key: textKey(user.email) };
  return trx
    .insertInto('users')
    .values({
      ...user,
      ...keys,
      search_text: searchTextOf(user),
      created_at: now,
      updated_at: now,
      version: 1,
    })
    .returningAll()
    .executeTakeFirstOrThrow();
}

async function createFor(db: Db, insert: typeof insertUncounted, seconds: number): Promise<number> {
  const end = performance.now() + seconds * 1000;
  let done = 0;
  const write = async () => {
    while (performance.now() < end) {
      const username = `counter.${created++}`;
      const user = {
        username,
        email: `${username}@example.org`,
        full_name: null,
        is_active: true,
        role: 'member' as const,
      };
      await transact(db, (trx) => insert(trx, user, Date.now()));
      done++;
    }
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, write));
  return done;
}
