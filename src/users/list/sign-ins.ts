/** When people have last signed in, which stands with their credentials: as a filter, and as an index of its own. */

import { SIGNING_IN } from '../../auth/policy.ts';
import { NEVER } from '../../db/last-sign-ins.ts';
import type { Db } from '../../db/schema.ts';
import type { Condition } from '../../db/search-index.ts';
import { usersByIds } from '../../db/users-by-ids.ts';
import { DAY } from '../../lib/clock.ts';
import type { KeyRange } from './key-range.ts';

export const SIGN_INS = ['never', 'over-90-days-ago'] as const;

/** `before` is a time; without one it is about those who never have. */
export type SignIn = { word: (typeof SIGN_INS)[number]; before?: number };

export function parseSignIn(typed: string, now = Date.now()): SignIn | undefined {
  const word = SIGN_INS.find((one) => one === typed);
  // The same for a whole day, so that no page moves while someone goes through them.
  const today = now - (now % DAY);
  return word && (word === 'never' ? { word } : { word, before: today - 90 * DAY });
}

/** Of those who may sign in alone: it is no wonder that nobody else has. */
export function signedIn(asked: SignIn): Condition {
  return (where) =>
    where.and([
      where('users.is_active', '=', true),
      where('users.role', 'in', SIGNING_IN),
      lastSignedIn(asked)(where),
    ]);
}

function lastSignedIn({ before }: SignIn): Condition {
  return (where) => {
    // No `exists`, for which PostgreSQL may go through all credentials there are.
    const last = where
      .selectFrom('credentials')
      .select('last_sign_in_at')
      .whereRef('credentials.user_id', '=', 'users.id');
    return before === undefined ? where(last, 'is', null) : where(last, '<', before);
  };
}

/** By when they last have, whether or not they may any more; with those who are deleted, of whom nobody knows. */
export async function signedInAmong(db: Db, asked: SignIn, ids: readonly number[]): Promise<number[]> {
  const there = await usersByIds(db, ids)
    .select('users.id')
    .select((where) => where.and([lastSignedIn(asked)(where)]).as('is_match'))
    .execute();
  const others = new Set(there.filter(({ is_match }) => !is_match).map(({ id }) => id));
  return ids.filter((id) => !others.has(id));
}

export type SignInOrder = {
  isAscending: boolean;
  from?: { operator: KeyRange['operator']; id: number; at: number };
};

/** By the index, the longest ago first: those who never have in the order of their numbers. */
export function lastSignIns(db: Db, { before = 0 }: SignIn, { isAscending, from }: SignInOrder) {
  const direction = isAscending ? 'asc' : 'desc';
  const asked = db
    .selectFrom('last_sign_ins')
    .select(['user_id as id', 'at'])
    .where('at', '>=', before === 0 ? NEVER : 0)
    .where('at', '<', before)
    .orderBy('at', direction)
    .orderBy('user_id', direction);
  if (from === undefined) return asked;
  return asked.where(({ eb, refTuple, tuple }) =>
    eb(refTuple('at', 'user_id'), from.operator, tuple(from.at, from.id)),
  );
}

/** Everyone who may sign in: no index has the order of their numbers and a time. */
export function signInsByNumber(db: Db, { isAscending, from }: SignInOrder) {
  const all = db
    .selectFrom('last_sign_ins')
    .select(['user_id as id', 'at'])
    .orderBy('user_id', isAscending ? 'asc' : 'desc');
  return from ? all.where('user_id', from.operator, from.id) : all;
}

export function matchesSignIn({ before }: SignIn, at: number): boolean {
  return before === undefined ? at === NEVER : at !== NEVER && at < before;
}
