/** What a filter asks of a row besides the search, and which of it an index has. */
import type { ExpressionBuilder } from 'kysely';
import type { Schema, User } from '../../db/schema.ts';
import type { Condition } from '../../db/search-index.ts';
import type { Role } from '../../sessions/policy.ts';
import { type Filter, orderOf, type Sort } from './address.ts';

const DAY = 24 * 60 * 60 * 1000;

/** A status, a role, and when someone was created: from a time on, before another. */
export type Bounds = {
  isActive?: User['is_active'] | undefined;
  role?: Role | undefined;
  from?: number | undefined;
  before?: number | undefined;
};

export function hasDates(filter: Filter): boolean {
  return filter.createdAfter !== undefined || filter.createdBefore !== undefined;
}

export function boundsOf({ status, role, createdAfter, createdBefore }: Filter): Bounds {
  const startOf = (day: string) => Date.parse(`${day}T00:00:00Z`);
  return {
    isActive: status && status === 'active',
    role,
    from: createdAfter === undefined ? undefined : startOf(createdAfter),
    before: createdBefore === undefined ? undefined : startOf(createdBefore) + DAY,
  };
}

/** Whether anything is asked of a row besides the search. */
export function hasBounds(filter: Filter): boolean {
  return Object.values(boundsOf(filter)).some((bound) => bound !== undefined);
}

export function inBounds({ isActive, role, from, before }: Bounds): Condition {
  return (where: ExpressionBuilder<Schema, 'users'>) => {
    const conditions = [];
    if (isActive !== undefined) conditions.push(where('users.is_active', '=', isActive));
    if (role !== undefined) conditions.push(where('users.role', '=', role));
    if (from !== undefined) conditions.push(where('users.created_at', '>=', from));
    if (before !== undefined) conditions.push(where('users.created_at', '<', before));
    return where.and(conditions);
  };
}

/** Whether a user has the filter's status and role, and was created in its dates. */
export function isWithin(filter: Filter): Condition {
  return inBounds(boundsOf(filter));
}

/** Whether one index has all that a filter asks, and the order. */
export function isIndexed(filter: Filter, sort: Sort): boolean {
  if (filter.q !== undefined) return false;
  const isByTime = orderOf(sort).column === 'created_at';
  if (filter.role !== undefined) return isByTime && filter.status === undefined;
  return isByTime || !hasDates(filter);
}

/**
 * The bounds that an index of an order has, and the rest of them, which is to be asked of each row.
 * @param isByRole whether to go by the role rather than by the status, where there are both: no index has them.
 */
export function splitBounds(filter: Filter, sort: Sort, isByRole: boolean): [indexed: Bounds, asked: Bounds] {
  const { isActive, role, ...dates } = boundsOf(filter);
  if (orderOf(sort).column !== 'created_at') return [{ isActive }, { role, ...dates }];
  return isByRole ? [{ role, ...dates }, { isActive }] : [{ isActive, ...dates }, { role }];
}
