import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { transact } from '../../../src/db/transact.ts';
import { seedUsers } from '../../../src/seed/seed.ts';
import {
  type Boundary,
  type Filter,
  SORT_KEYS,
  type Sort,
  type SortKey,
  STATUSES,
} from '../../../src/users/list.ts';
import { type Place, placesBeyond, usersInWindow } from '../../../src/users/list-rows.ts';
import { temporaryDatabase } from '../../support.ts';

/** Where next leads to from somewhere in the middle of each order. */
const MIDDLE: Record<SortKey, Boundary> = {
  id: { side: 'after', id: 2500, key: 2500 },
  username: { side: 'after', id: 2500, key: 'm' },
  email: { side: 'after', id: 2500, key: 'm' },
  created: { side: 'after', id: 2500, key: 1_560_000_000_000 },
};

const ALL: Filter = { status: undefined, createdAfter: undefined, createdBefore: undefined };

test('every order, with and without a status, walks one index and sorts only what is shown', async () => {
  const db = await temporaryDatabase();
  await seedUsers(db, 5000);
  await transact(db, (trx) => sql`analyze`.execute(trx));
  const planOf = async (filter: Filter, sort: Sort, isFromEnd: boolean, place: Place | undefined) => {
    const query = usersInWindow(db, filter, sort, {
      isFromEnd,
      offset: place ? 0 : 5,
      limit: 10,
      place,
    }).compile();
    const { rows } = await db.executeQuery<{ detail: string }>({
      ...query,
      sql: `explain query plan ${query.sql}`,
    });
    return rows.map(({ detail }) => detail).join('\n');
  };
  for (const sort of SORT_KEYS.flatMap((key): Sort[] => [key, `-${key}`])) {
    for (const status of [undefined, ...STATUSES]) {
      for (const isFromEnd of [false, true]) {
        for (const place of [undefined, ...placesBeyond(sort, MIDDLE[sort.replace('-', '') as SortKey])]) {
          const plan = await planOf({ ...ALL, status }, sort, isFromEnd, place);
          const [walked = '', joined = ''] = plan.split('SCAN shown');
          expect(walked, plan).toMatch(
            place
              ? /SEARCH users USING (COVERING INDEX|INTEGER PRIMARY KEY).*[<>=]\?\)/
              : status
                ? /SEARCH users USING COVERING INDEX/
                : /SCAN users/,
          );
          expect(walked, plan).not.toContain('TEMP B-TREE');
          expect(joined, plan).toContain('SEARCH users USING INTEGER PRIMARY KEY (rowid=?)');
        }
      }
    }
  }
});
