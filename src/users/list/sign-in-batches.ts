/** Going through those who may sign in, by when they last did or by their numbers, in batches. */
import { engineOf } from '../../db/engine.ts';
import { NEVER } from '../../db/last-sign-ins.ts';
import type { Db } from '../../db/schema.ts';
import { usersByIds } from '../../db/users-by-ids.ts';
import { boundsOf, inBounds, type Searched } from './conditions.ts';
import type { Filter } from './filter.ts';
import type { KeyRange } from './key-range.ts';
import { BATCH } from './scan-batches.ts';
import { lastSignIns, matchesSignIn, type SignIn, type SignInOrder, signInsByNumber } from './sign-ins.ts';

type SignInFilter = Filter & { signedIn: SignIn };

export function asksForSignIn(filter: Filter): filter is SignInFilter {
  return filter.signedIn !== undefined;
}

export function byLastSignIn(db: Db, filter: SignInFilter, context: Searched): AsyncGenerator<number[]> {
  return goThrough(db, filter, context, { isAscending: true }, (order) =>
    lastSignIns(db, filter.signedIn, order),
  );
}

export function byNumber(
  db: Db,
  filter: SignInFilter,
  context: Searched,
  { isAscending, range }: { isAscending: boolean; range: KeyRange | undefined },
): AsyncGenerator<number[]> {
  const { signedIn } = filter;
  const order = { isAscending, ...(range && { from: { ...range, at: NEVER } }) };
  return goThrough(db, filter, context, order, (rest) =>
    signedIn.before === undefined ? lastSignIns(db, signedIn, rest) : signInsByNumber(db, rest),
  );
}

async function* goThrough(
  db: Db,
  filter: SignInFilter,
  context: Searched,
  order: SignInOrder,
  inOrder: (order: SignInOrder) => ReturnType<typeof signInsByNumber>,
): AsyncGenerator<number[]> {
  let rest = order;
  for (;;) {
    const rows = inOrder(rest).limit(BATCH);
    const found = await engineOf(db).runBatch(() => rows.execute());
    const asked = found.filter(({ at }) => matchesSignIn(filter.signedIn, at));
    yield await matching(db, asked, filter, context);
    const last = found[BATCH - 1];
    if (last === undefined) return;
    rest = { ...order, from: { ...last, operator: order.isAscending ? '>' : '<' } };
  }
}

async function matching(
  db: Db,
  found: readonly { id: number }[],
  filter: Filter,
  { terms, search }: Searched,
): Promise<number[]> {
  const ids = found.map(({ id }) => id);
  const bounds = boundsOf({ ...filter, signedIn: undefined });
  const has = search ? terms.map(search.has) : [];
  if (ids.length === 0 || (Object.keys(bounds).length === 0 && has.length === 0)) return ids;
  const users = usersByIds(db, ids)
    .select('users.id')
    .where(inBounds(bounds))
    .where(({ and }) => and(has));
  const rows = await engineOf(db).runBatch(() => users.execute());
  const those = new Set(rows.map(({ id }) => id));
  return ids.filter((id) => those.has(id));
}
