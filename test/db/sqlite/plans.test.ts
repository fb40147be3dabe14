import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { transact } from '../../../src/db/transact.ts';
import { seedUsers } from '../../../src/seed/seed.ts';
import { type Filter, SORT_KEYS, type Sort, STATUSES } from '../../../src/users/list.ts';
import { usersInWindow } from '../../../src/users/list-queries.ts';
import { temporaryDatabase } from '../../support.ts';

const ALL: Filter = { status: undefined, createdAfter: undefined, createdBefore: undefined };

test('every order, with and without a status, walks one index and sorts only what is shown', async () => {
  const db = await temporaryDatabase();
  await seedUsers(db, 5000);
  await transact(db, (trx) => sql`analyze`.execute(trx));
  const planOf = async (filter: Filter, sort: Sort, isFromEnd: boolean) => {
    const query = usersInWindow(db, filter, sort, isFromEnd, { offset: 5, limit: 10 }).compile();
    const { rows } = await db.executeQuery<{ detail: string }>({
      ...query,
      sql: `explain query plan ${query.sql}`,
    });
    return rows.map(({ detail }) => detail).join('\n');
  };
  for (const sort of SORT_KEYS.flatMap((key): Sort[] => [key, `-${key}`])) {
    for (const status of [undefined, ...STATUSES]) {
      for (const isFromEnd of [false, true]) {
        const plan = await planOf({ ...ALL, status }, sort, isFromEnd);
        const [walked = '', joined = ''] = plan.split('SCAN shown');
        expect(walked, plan).toMatch(status ? /SEARCH users USING COVERING INDEX/ : /SCAN users/);
        expect(walked, plan).not.toContain('TEMP B-TREE');
        expect(joined, plan).toContain('SEARCH users USING INTEGER PRIMARY KEY (rowid=?)');
      }
    }
  }
});
