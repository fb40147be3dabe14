import { expect, test } from 'vitest';
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

type Node = {
  'Node Type': string;
  'Relation Name'?: string;
  'Index Name'?: string;
  Plans?: Node[];
};

/** A node of a plan and all below it. */
function nodesOf(node: Node): Node[] {
  return [node, ...(node.Plans ?? []).flatMap(nodesOf)];
}

test('every order, with and without a status, walks one index and sorts only what is shown', async () => {
  const db = await temporaryDatabase();
  await seedUsers(db, 20_000);
  const planOf = async (filter: Filter, sort: Sort, isFromEnd: boolean, place: Place | undefined) => {
    const query = usersInWindow(db, filter, sort, {
      isFromEnd,
      offset: place ? 0 : 5,
      limit: 10,
      place,
    }).compile();
    const { rows } = await db.executeQuery<{ 'QUERY PLAN': [{ Plan: Node }] }>({
      ...query,
      sql: `explain (format json) ${query.sql}`,
    });
    return rows[0]?.['QUERY PLAN'][0].Plan as Node;
  };
  for (const sort of SORT_KEYS.flatMap((key): Sort[] => [key, `-${key}`])) {
    for (const status of [undefined, ...STATUSES]) {
      for (const isFromEnd of [false, true]) {
        for (const place of [undefined, ...placesBeyond(sort, MIDDLE[sort.replace('-', '') as SortKey])]) {
          const plan = await planOf({ ...ALL, status }, sort, isFromEnd, place);
          const described = JSON.stringify(plan, undefined, 1);
          const walked = nodesOf(plan).find((node) => node['Node Type'] === 'Limit') as Node;
          const scans = nodesOf(walked).slice(1);
          expect(
            scans.map((node) => node['Node Type']),
            described,
          ).toEqual(['Index Only Scan']);
          const looked = nodesOf(plan).filter((node) => node['Relation Name'] && !scans.includes(node));
          expect(
            looked.map((node) => node['Index Name']),
            described,
          ).toEqual(['users_pkey']);
        }
      }
    }
  }
});
