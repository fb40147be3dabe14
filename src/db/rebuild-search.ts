/** Makes anew what users are found, sorted and counted by. */
import { isDeepStrictEqual } from 'node:util';
import { letTimersRun } from '../lib/progress.ts';
import { derivedColumns } from './derived-columns.ts';
import { engineOf } from './engine.ts';
import { makeLastSignIns } from './last-sign-ins.ts';
import { moveRevision } from './revision.ts';
import type { Trx } from './schema.ts';
import { recountUsers } from './user-counts.ts';

const ROWS_AT_ONCE = 1_000;

export async function rebuildSearch(trx: Trx, progress: (done: number) => void = () => {}): Promise<void> {
  let done = 0;
  let last = 0;
  for (;;) {
    await letTimersRun();
    const users = await trx
      .selectFrom('users')
      .selectAll()
      .where('id', '>', last)
      .orderBy('id')
      .limit(ROWS_AT_ONCE)
      .execute();
    for (const user of users) {
      const { username_sort, name_sort, search_text } = derivedColumns(user);
      const derived = { username_sort, name_sort, search_text };
      if (!isDeepStrictEqual({ ...user, ...derived }, user))
        await trx.updateTable('users').set(derived).where('id', '=', user.id).execute();
    }
    last = users.at(-1)?.id ?? last;
    done += users.length;
    if (users.length > 0) progress(done);
    if (users.length < ROWS_AT_ONCE) break;
  }
  // From here on nobody else changes users, on PostgreSQL as well.
  await engineOf(trx).makeSearchIndex(trx);
  await makeLastSignIns(trx);
  await recountUsers(trx);
  moveRevision(trx);
}
