/** What a check reads: each is found by an index, or gone through once. */
import type { NumberedTable } from '../db/engine.ts';
import type { Db, Schema, User } from '../db/schema.ts';
import type { Count } from '../db/user-counts.ts';
import type { DeletedUser } from '../history/deleted-queries.ts';
import { KINDS } from '../history/kinds.ts';
import type { Change, ChangeSet } from '../history/queries.ts';

const MOST_USERS = 1_000;
const MOST_CHANGES = 5_000;

export async function countUsers(db: Db): Promise<Count[]> {
  return db
    .selectFrom('users')
    .select(['is_active', 'role', ({ fn }) => fn.countAll<number>().as('count')])
    .groupBy(['is_active', 'role'])
    .execute();
}

export async function countCounters(db: Db): Promise<Count[]> {
  return db
    .selectFrom('user_counts')
    .select(['is_active', 'role', ({ fn }) => fn.countAll<number>().as('count')])
    .groupBy(['is_active', 'role'])
    .execute();
}

export type Range = { after: number; last: number };

/** As many as are quickly read with their history. @param end of all ranges */
export async function findRangeAfter(db: Db, after: number, end: number): Promise<Range> {
  const ends = [
    await numberAfter(db, 'users', after),
    await numberAfter(db, 'deleted_users', after),
    await changedAfter(db, after),
  ].flat();
  return { after, last: Math.min(end, ...ends) };
}

async function numberAfter(db: Db, table: 'users' | 'deleted_users', after: number): Promise<number[]> {
  const rows = db.selectFrom(table).select('id').where('id', '>', after).orderBy('id');
  const nth = await rows
    .limit(1)
    .offset(MOST_USERS - 1)
    .execute();
  return nth.map(({ id }) => id);
}

async function changedAfter(db: Db, after: number): Promise<number[]> {
  const rows = db.selectFrom('changes').select('user_id').where('user_id', '>', after);
  const ordered = rows.orderBy('user_id').orderBy('version').limit(1);
  return (await ordered.offset(MOST_CHANGES - 1).execute()).map(({ user_id }) => user_id);
}

export async function findUsersIn(db: Db, { after, last }: Range): Promise<User[]> {
  const users = db.selectFrom('users').selectAll().where('id', '>', after).where('id', '<=', last);
  return users.orderBy('id').execute();
}

export async function findDeletedIn(db: Db, { after, last }: Range): Promise<DeletedUser[]> {
  const deleted = db.selectFrom('deleted_users').selectAll().where('id', '>', after).where('id', '<=', last);
  return deleted.execute();
}

export async function findErasedIn(db: Db, { after, last }: Range): Promise<number[]> {
  const erasures = db.selectFrom('erasures').select('user_id').where('user_id', '>', after);
  return (await erasures.where('user_id', '<=', last).execute()).map(({ user_id }) => user_id);
}

/** What the index of last sign-ins says, and what it is made of: null for never. */
export async function findSignInsIn(db: Db, { after, last }: Range) {
  const index = db.selectFrom('last_sign_ins').selectAll();
  const indexed = await index.where('user_id', '>', after).where('user_id', '<=', last).execute();
  const credentials = db.selectFrom('credentials').select(['user_id', 'last_sign_in_at as at']);
  const kept = await credentials.where('user_id', '>', after).where('user_id', '<=', last).execute();
  return {
    indexed: new Map(indexed.map(({ user_id, at }) => [user_id, at])),
    kept: new Map(kept.map(({ user_id, at }) => [user_id, at])),
  };
}

/** `set_at`: null where its change set is not there. */
export type CheckedChange = Change & { set_at: number | null };

export async function* changesIn(db: Db, { after, last }: Range): AsyncGenerator<CheckedChange> {
  let from: Pick<Change, 'user_id' | 'version'> = { user_id: after + 1, version: 0 };
  for (;;) {
    const { user_id, version } = from;
    const changes = await db
      .selectFrom('changes')
      .leftJoin('change_sets', 'change_sets.id', 'changes.set_id')
      .selectAll('changes')
      .select('change_sets.at as set_at')
      .where(({ eb, refTuple, tuple }) => eb(refTuple('user_id', 'version'), '>', tuple(user_id, version)))
      .where('user_id', '<=', last)
      .orderBy('user_id')
      .orderBy('version')
      .limit(MOST_CHANGES)
      .execute();
    yield* changes;
    const end = changes.at(-1);
    if (end === undefined) return;
    from = end;
  }
}

export async function findBeginnings(db: Db, { after, last }: Range) {
  const sets = db.selectFrom('change_sets').select(['first_id', 'last_id', 'kind']);
  const beginnings = sets.where('kind', 'in', [KINDS.began, KINDS.loaded, KINDS.copied]);
  return beginnings.where('first_id', '<=', last).where('last_id', '>', after).execute();
}

export async function findSetsAfter(db: Db, id: number): Promise<ChangeSet[]> {
  const sets = db.selectFrom('change_sets').selectAll().where('id', '>', id);
  return sets.orderBy('id').limit(MOST_USERS).execute();
}

export async function countChanged(db: Db, after: number, last: number): Promise<Map<number, number>> {
  const rows = await db
    .selectFrom((from) =>
      from
        .selectFrom('changes')
        .select(['set_id', 'user_id'])
        .distinct()
        .where('set_id', '>', after)
        .where('set_id', '<=', last)
        .as('changed'),
    )
    .select(['set_id', ({ fn }) => fn.countAll<number>().as('count')])
    .groupBy('set_id')
    .execute();
  return new Map(rows.map(({ set_id, count }) => [set_id, count]));
}

/** Where the numbers of a table are found, besides in the table itself. */
const NUMBERS: Readonly<Record<NumberedTable, readonly (readonly [table: keyof Schema, column: string])[]>> =
  {
    users: [
      ['deleted_users', 'id'],
      ['changes', 'user_id'],
      ['erasures', 'user_id'],
    ],
    change_sets: [['changes', 'set_id']],
    jobs: [],
    imports: [['absent_users', 'import_id']],
    maintenance_runs: [],
  };

export async function findHighestId(db: Db, table: NumberedTable): Promise<number> {
  const numbers: number[] = [];
  for (const [place, column] of [[table, 'id'] as const, ...NUMBERS[table]])
    numbers.push(await highest(db, place, column));
  return Math.max(...numbers);
}

async function highest(db: Db, table: keyof Schema, column: string): Promise<number> {
  const { dynamic } = db;
  const rows = await db
    .selectFrom(table as 'users')
    .select(({ fn }) => fn.max<number | null>(dynamic.ref(column)).as('highest'))
    .executeTakeFirst();
  return rows?.highest ?? 0;
}
