/** Makes anew what searches go through. */
import { giveWay } from '../lib/progress.ts';
import { searchTextOf } from './derived-columns.ts';
import { engineOf } from './engine.ts';
import type { Trx } from './schema.ts';

const ROWS_AT_ONCE = 1_000;

export async function rebuildSearch(trx: Trx, progress: (done: number) => void = () => {}): Promise<void> {
  let done = 0;
  let last = 0;
  for (;;) {
    await giveWay();
    const users = await trx
      .selectFrom('users')
      .selectAll()
      .where('id', '>', last)
      .orderBy('id')
      .limit(ROWS_AT_ONCE)
      .execute();
    for (const user of users) {
      const search_text = searchTextOf(user);
      if (search_text !== user.search_text)
        await trx.updateTable('users').set({ search_text }).where('id', '=', user.id).execute();
    }
    last = users.at(-1)?.id ?? last;
    done += users.length;
    if (users.length > 0) progress(done);
    if (users.length < ROWS_AT_ONCE) break;
  }
  await engineOf(trx).makeSearchIndex(trx);
}
