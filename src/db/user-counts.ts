/** How many users there are of each status and role, kept by whatever adds or removes users. */

import type { CompiledQuery } from 'kysely';
import { cachedQuery } from './cached-query.ts';
import { engineOf } from './engine.ts';
import { ROLES, type Trx, type User } from './schema.ts';
import { writeLast } from './transact.ts';

export type Count = Pick<User, 'is_active' | 'role'> & { count: number };

/** @param sign -1 for those who are gone. */
export function countByKind(users: readonly Pick<User, 'is_active' | 'role'>[], sign = 1): Count[] {
  const counts = new Map<string, Count>();
  for (const { is_active, role } of users) {
    const kind = `${role} ${is_active}`;
    const count = counts.get(kind) ?? { is_active, role, count: 0 };
    count.count += sign;
    counts.set(kind, count);
  }
  return [...counts.values()];
}

const gathered = new WeakMap<Trx, Count[]>();

export function addToCountsLast(trx: Trx, counts: readonly Count[]): void {
  const all = gathered.get(trx) ?? [];
  all.push(...counts);
  gathered.set(trx, all);
  writeLast(trx, addGathered);
}

function addGathered(trx: Trx): CompiledQuery[] {
  return additions(trx, gathered.get(trx) ?? []);
}

/** Call it last, as others wait for these rows. */
export async function addToCounts(trx: Trx, counts: readonly Count[]): Promise<void> {
  await engineOf(trx).writeTogether(trx, additions(trx, counts));
}

/** While nobody else changes users. */
export async function recountUsers(trx: Trx): Promise<void> {
  const counts = await trx
    .selectFrom('users')
    .select(['is_active', 'role', ({ fn }) => fn.countAll<number>().as('count')])
    .groupBy(['is_active', 'role'])
    .execute();
  await engineOf(trx).makeCounters(trx);
  await trx.updateTable('user_counts').set({ count: 0 }).execute();
  await addToCounts(trx, counts);
}

/** They have one order, so that no two wait for each other. */
function additions(trx: Trx, counts: readonly Count[]): CompiledQuery[] {
  const updates: CompiledQuery[] = [];
  for (const isActive of [true, false]) {
    for (const role of ROLES) {
      const own = counts.filter((count) => count.is_active === isActive && count.role === role);
      const change = own.reduce((sum, { count }) => sum + count, 0);
      if (change === 0) continue;
      const added = cachedQuery(trx, 'add to count', { isActive, role, change }, (values) =>
        trx
          .updateTable('user_counts')
          .set(({ eb }) => ({ count: eb('count', '+', values.change) }))
          .where('is_active', '=', values.isActive)
          .where('role', '=', values.role)
          .where(engineOf(trx).counterShard),
      );
      updates.push(added);
    }
  }
  return updates;
}
