/** Every kind of query that the list makes of users in one index: each order and status or role, from both ends and from a place. */
import type { CompiledQuery } from 'kysely';
import { type Db, ROLES, type Role } from '../../src/db/schema.ts';
import { parseList } from '../../src/users/list/address.ts';
import { isIndexed } from '../../src/users/list/conditions.ts';
import type { Cursor } from '../../src/users/list/cursor.ts';
import { STATUSES, type Status } from '../../src/users/list/filters.ts';
import { usersInSlice } from '../../src/users/list/index-query.ts';
import { rangesAfter } from '../../src/users/list/key-range.ts';
import { SORT_KEYS, type Sort, type SortKey } from '../../src/users/list/order.ts';

/** Where next leads to from somewhere in the middle of each order. */
const MIDDLE: Record<SortKey, Cursor> = {
  id: { side: 'after', id: 2500, key: 2500 },
  name: { side: 'after', id: 2500, key: 'm' },
  username: { side: 'after', id: 2500, key: 'm' },
  email: { side: 'after', id: 2500, key: 'm' },
  created: { side: 'after', id: 2500, key: 1_560_000_000_000 },
};

const KINDS: { status?: Status; role?: Role }[] = [
  {},
  ...STATUSES.map((status) => ({ status })),
  ...ROLES.map((role) => ({ role })),
];

export type ListSlice = {
  query: CompiledQuery;
  status: Status | undefined;
  role: Role | undefined;
  hasRange: boolean;
  isFar: boolean;
};

export function* listSlices(db: Db): Generator<ListSlice> {
  for (const sort of SORT_KEYS.flatMap((key): Sort[] => [key, `-${key}`])) {
    for (const { status, role } of KINDS) {
      const filter = { ...parseList({}).list, status, role };
      if (!isIndexed(filter, sort)) continue;
      for (const side of ['after', 'before'] as const) {
        const middle = { ...MIDDLE[sort.replace('-', '') as SortKey], side };
        for (const range of [undefined, ...rangesAfter(sort, middle)]) {
          for (const offset of range ? [0] : [0, 4_000]) {
            const slice = { isFromEnd: side === 'before', offset, limit: 10, range };
            const query = usersInSlice(db, filter, sort, slice);
            yield { query, status, role, hasRange: range !== undefined, isFar: offset > 0 };
          }
        }
      }
    }
  }
}
