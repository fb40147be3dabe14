/** Loading many users at once, past the commands: made-up ones, and those of another database. */
import { type Insertable, sql } from 'kysely';
import { announceAssignedId } from './assigned-ids.ts';
import { derivedColumns } from './derived-columns.ts';
import { engineOf } from './engine.ts';
import { indexLastSignIns } from './last-sign-ins.ts';
import type { Db, Trx, User, UsersTable } from './schema.ts';
import { transact } from './transact.ts';
import { addToCounts, type Count, countByKind } from './user-counts.ts';

export type UserToLoad = Omit<
  Insertable<UsersTable>,
  'id' | 'version' | keyof ReturnType<typeof derivedColumns>
>;

export class UserLoader {
  readonly trx: Trx;
  readonly lastIdBefore: number;
  readonly #counts: Count[] = [];

  constructor(trx: Trx, lastIdBefore: number) {
    this.trx = trx;
    this.lastIdBefore = lastIdBefore;
  }

  /** Leaves out whoever's username or email is taken. @returns how many were inserted. */
  async insertNew(users: readonly UserToLoad[]): Promise<number> {
    const inserted = await this.trx
      .insertInto('users')
      .values(users.map((user) => ({ ...user, ...derivedColumns(user), version: 1 })))
      .onConflict((conflict) => conflict.doNothing())
      .returning(['is_active', 'role'])
      .execute();
    this.#counts.push(...countByKind(inserted));
    return inserted.length;
  }

  async insertCopies(users: readonly User[]): Promise<void> {
    await this.trx.insertInto('users').values(users).execute();
    this.#counts.push(...countByKind(users));
  }

  async finish(): Promise<void> {
    const engine = engineOf(this.trx);
    await announceAssignedId(this.trx, 'users', await engine.readLastId(this.trx));
    await engine.indexUsersAfter(this.trx, this.lastIdBefore);
    // Mostly nobody: without indexes everyone would be gone through.
    if (this.#counts.some(({ role }) => role !== 'member'))
      await indexLastSignIns(this.trx, this.lastIdBefore + 1);
    await addToCounts(this.trx, this.#counts);
  }
}

/** All in one transaction, which `check` may refuse by throwing. */
export async function bulkLoadUsers<T>(
  db: Db,
  load: (loader: UserLoader) => Promise<T>,
  check: (trx: Trx, loaded: T) => Promise<void> = async () => {},
): Promise<T> {
  const engine = engineOf(db);
  const loadAll = async (trx: Trx) => {
    const loader = new UserLoader(trx, await findLastId(trx));
    const loaded = await load(loader);
    await loader.finish();
    await check(trx, loaded);
    return loaded;
  };
  if (await hasUsers(db)) return transact(db, loadAll);
  const loaded = await transact(db, async (trx) => {
    await engine.prepareBulkLoad(trx);
    if (await hasUsers(trx)) return loadAll(trx);
    // Sorting all keys once takes half the time. Where rows are, `load` may need the indexes to leave out taken names.
    const indexes = await engine.indexesOfUsers(trx);
    for (const index of indexes) await sql`drop index ${sql.id(index.name)}`.execute(trx);
    const result = await loadAll(trx);
    for (const index of indexes) await sql.raw(index.sql).execute(trx);
    return result;
  });
  // Everything is saved by now: this only helps later queries.
  await engine.finishBulkLoad(db).catch(() => {});
  return loaded;
}

export async function findLastId(db: Db): Promise<number> {
  const { last } = await db
    .selectFrom('users')
    .select(({ fn }) => fn.max('id').as('last'))
    .executeTakeFirstOrThrow();
  return last ?? 0;
}

async function hasUsers(db: Db): Promise<boolean> {
  return (await db.selectFrom('users').select('id').limit(1).executeTakeFirst()) !== undefined;
}
