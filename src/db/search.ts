/** What every database offers to those who search: users whose search text has all of some pieces. */
import type { Expression, ExpressionBuilder, SqlBool } from 'kysely';
import { giveWay } from '../progress.ts';
import { type Piece, searchTextOf } from '../search/search.ts';
import { engineOf } from './engine.ts';
import type { Db, Schema, Trx } from './schema.ts';

/** A condition on a user. */
export type Condition = (where: ExpressionBuilder<Schema, 'users'>) => Expression<SqlBool>;

export type Question = {
  pieces: readonly Piece[];
  /** What else is asked of a user. */
  condition: Condition | undefined;
  /** Only users on this side of an id. */
  beyond?: { operator: '<' | '<=' | '>' | '>='; id: number } | undefined;
  /** From the highest id down. */
  isReversed: boolean;
  /** How many are passed over first. */
  offset?: number;
  limit: number;
};

/** How a database searches. */
export type Search = {
  /** Whether pieces are found at the start of a field alone, for want of an index that finds them anywhere. */
  readonly isByStart: boolean;
  /** Whether a user has the piece: for those who were found by something else. */
  has(piece: Piece): Expression<SqlBool>;
  /**
   * The ids of the first `limit` users whom a question finds, in order.
   * @param until when to give up, as by `performance.now()`.
   * @throws TooBroadError
   */
  find(db: Db, question: Question, until: number): Promise<number[]>;
};

/** Rows that are read at once. */
const ROWS = 1_000;

/** Makes every user's search text anew where it is not what it should be, and then what searches go through. */
export async function rebuildSearch(trx: Trx, progress: (done: number) => void = () => {}): Promise<void> {
  let done = 0;
  let last = 0;
  for (;;) {
    await giveWay();
    const users = await trx
      .selectFrom('users')
      .select(['id', 'username', 'email', 'full_name', 'search_text'])
      .where('id', '>', last)
      .orderBy('id')
      .limit(ROWS)
      .execute();
    for (const user of users) {
      const search_text = searchTextOf(user);
      if (search_text !== user.search_text)
        await trx.updateTable('users').set({ search_text }).where('id', '=', user.id).execute();
    }
    last = users.at(-1)?.id ?? last;
    done += users.length;
    if (users.length > 0) progress(done);
    if (users.length < ROWS) break;
  }
  await engineOf(trx).makeSearchIndex(trx);
}
