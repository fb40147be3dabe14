/** All who match a filter, by their numbers: some after the other, and how many of each kind. Few or many, no step takes long. */
import { engineOf } from '../../db/engine.ts';
import type { Db, User } from '../../db/schema.ts';
import type { Condition } from '../../db/search-index.ts';
import { USER_HASH } from '../../db/user-hash.ts';
import { usersByIds } from '../../db/users-by-ids.ts';
import { TooBroadError } from '../../errors.ts';
import { chunksOf } from '../../lib/chunks.ts';
import type { Deadline } from '../../lib/deadline.ts';
import { matchCondition } from './conditions.ts';
import type { Filter } from './filter.ts';
import { searchedIn } from './filter-result.ts';
import { BATCH } from './scan-batches.ts';

/** Of whom one can be told what may be done to them. */
export type Candidate = Pick<User, 'id' | 'is_active' | 'role'>;

export type Found = { ids: number[]; cursor: number; isLast: boolean };

export async function conditionOf(db: Db, filter: Filter): Promise<Condition> {
  return matchCondition(filter, await searchedIn(db, filter));
}

/** The next who match and are wanted: fewer than `limit` at the end, or where the deadline comes first. */
export async function findMatching(
  db: Db,
  condition: Condition,
  { after, last }: { after: number; last: number },
  {
    limit,
    deadline,
    isWanted,
  }: { limit: number; deadline: Deadline; isWanted: (user: Candidate) => boolean },
): Promise<Found> {
  const ids: number[] = [];
  let cursor = after;
  for (let length = Math.min(BATCH, 2 * limit); ; length = Math.min(BATCH, 2 * length)) {
    const rows = await db
      .selectFrom('users')
      .select(['users.id', 'is_active', 'role'])
      .select((where) => where.and([condition(where)]).as('is_match'))
      .where('users.id', '>', cursor)
      .where('users.id', '<=', last)
      .orderBy('users.id')
      .limit(length)
      .execute();
    for (const { is_match, ...user } of rows) {
      cursor = user.id;
      if (is_match && isWanted(user)) ids.push(user.id);
      if (ids.length === limit) return { ids, cursor, isLast: false };
    }
    if (rows.length < length) return { ids, cursor, isLast: true };
    if (deadline.isPast) return { ids, cursor, isLast: false };
  }
}

/** How many are of a kind; `hashes`: the sum of one of each, which tells that they are the same, as they were. */
export type Tally = Pick<User, 'is_active' | 'role'> & { count: number; hashes: number };

export async function findAmong(
  db: Db,
  condition: Condition,
  few: readonly number[],
  { limit, isWanted }: { limit: number; isWanted: (user: Candidate) => boolean },
): Promise<number[]> {
  const ids: number[] = [];
  for await (const users of withIds(db, few)) {
    if (ids.length >= limit) break;
    const rows = users.where(condition).select(['users.id', 'is_active', 'role']).orderBy('users.id');
    const found = await engineOf(db).runBatch(() => rows.execute());
    ids.push(...found.filter(isWanted).map(({ id }) => id));
  }
  return ids.slice(0, limit);
}

/** @param few who they are, where they are few @throws TooBroadError */
export async function tallyMatching(
  db: Db,
  condition: Condition,
  few: readonly number[] | undefined,
  deadline: Deadline,
): Promise<Tally[]> {
  const tallies: Tally[] = [];
  for await (const users of few ? withIds(db, few) : everyone(db)) {
    if (deadline.isPast) throw new TooBroadError('Too many had to be counted.');
    const rows = users
      .where(condition)
      .select(({ fn }) => [
        'is_active' as const,
        'role' as const,
        fn.countAll<number | string>().as('count'),
        fn.sum<number | string>(USER_HASH).as('hashes'),
      ])
      .groupBy(['is_active', 'role']);
    for (const tally of await engineOf(db).runBatch(() => rows.execute())) add(tallies, tally);
  }
  return tallies.sort((one, other) => kindOf(one).localeCompare(kindOf(other)));
}

type Users = ReturnType<typeof usersByIds>;

async function* withIds(db: Db, ids: readonly number[]): AsyncGenerator<Users> {
  for (const some of chunksOf(ids, BATCH)) yield usersByIds(db, some);
}

async function* everyone(db: Db): AsyncGenerator<Users> {
  let start: number | undefined = 0;
  while (start !== undefined) {
    const users: Users = db.selectFrom('users').where('users.id', '>', start);
    const ends = users
      .select('users.id')
      .orderBy('users.id')
      .limit(1)
      .offset(BATCH - 1);
    const end: number | undefined = (await engineOf(db).runBatch(() => ends.executeTakeFirst()))?.id;
    yield end === undefined ? users : users.where('users.id', '<=', end);
    start = end;
  }
}

function add(
  tallies: Tally[],
  {
    is_active,
    role,
    count,
    hashes,
  }: Pick<User, 'is_active' | 'role'> & Record<'count' | 'hashes', number | string>,
): void {
  const kind = kindOf({ is_active, role });
  let own = tallies.find((tally) => kindOf(tally) === kind);
  if (own === undefined) {
    own = { is_active, role, count: 0, hashes: 0 };
    tallies.push(own);
  }
  own.count += Number(count);
  own.hashes += Number(hashes);
}

function kindOf({ is_active, role }: Pick<User, 'is_active' | 'role'>): string {
  return `${role} ${is_active}`;
}
