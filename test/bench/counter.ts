/** What keeping the number of users costs those who create some: the same transactions with it and without. */

import { commandLine } from '../../src/auth/actor.ts';
import { openDatabase } from '../../src/db/database.ts';
import { derivedColumns } from '../../src/db/derived-columns.ts';
import type { Db, Trx } from '../../src/db/schema.ts';
import { transact } from '../../src/db/transact.ts';
import { createUser } from '../../src/users/commands.ts';
import type { NewUser } from '../../src/users/validation.ts';
import { CONNECTIONS } from './connections.ts';

/** Creates a second from as many writers as there are connections. */
export type CounterRates = { counted: number; uncounted: number };

/** Each has its turns, so that a busy moment of the machine meets both. */
const TURNS = 5;

let created = 0;

export async function measureCounter(url: string, seconds: number): Promise<CounterRates> {
  const db = await openDatabase(url, { connections: CONNECTIONS });
  const done = { counted: 0, uncounted: 0 };
  await createFor(db, insertCounted, 1);
  for (let turn = 0; turn < TURNS; turn++) {
    done.counted += await createFor(db, insertCounted, seconds / TURNS);
    done.uncounted += await createFor(db, insertUncounted, seconds / TURNS);
  }
  await db.destroy();
  return { counted: done.counted / seconds, uncounted: done.uncounted / seconds };
}

function insertCounted(trx: Trx, user: NewUser, now: number): Promise<unknown> {
  return createUser(trx, commandLine, user, now);
}

/** `createUser`, but for the count. */
async function insertUncounted(trx: Trx, user: NewUser, now: number): Promise<unknown> {
  return trx
    .insertInto('users')
    .values({ ...user, ...derivedColumns(user), created_at: now, updated_at: now, version: 1 })
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
