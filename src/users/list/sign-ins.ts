/** When people have last signed in, which stands with their credentials: as a filter, and as an index of its own. */

import { SIGNING_IN } from '../../auth/policy.ts';
import type { Db } from '../../db/schema.ts';
import type { Condition } from '../../db/search-index.ts';
import { DAY } from '../../lib/clock.ts';

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
export function signedIn({ before }: SignIn): Condition {
  return (where) => {
    // No `exists`, for which PostgreSQL may go through all credentials there are.
    const last = where
      .selectFrom('credentials')
      .select('last_sign_in_at')
      .whereRef('credentials.user_id', '=', 'users.id');
    return where.and([
      where('users.is_active', '=', true),
      where('users.role', 'in', SIGNING_IN),
      before === undefined ? where(last, 'is', null) : where(last, '<', before),
    ]);
  };
}

/** Also of those who may not sign in any more. */
export function lastSignInsBefore(db: Db, time: number, limit: number) {
  return db
    .selectFrom('credentials')
    .select('user_id as id')
    .where('last_sign_in_at', '<', time)
    .limit(limit);
}
