import { expect, test } from 'vitest';
import { seedUsers } from '../../../src/seed/seed.ts';
import { type Filter, SORT_KEYS, type Sort, STATUSES } from '../../../src/users/list.ts';
import { usersInWindow } from '../../../src/users/list-queries.ts';
import { temporaryDatabase } from '../../support.ts';

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
  const planOf = async (filter: Filter, sort: Sort, isFromEnd: boolean) => {
    const query = usersInWindow(db, filter, sort, isFromEnd, { offset: 5, limit: 10 }).compile();
    const { rows } = await db.executeQuery<{ 'QUERY PLAN': [{ Plan: Node }] }>({
      ...query,
      sql: `explain (format json) ${query.sql}`,
    });
    return rows[0]?.['QUERY PLAN'][0].Plan as Node;
  };
  for (const sort of SORT_KEYS.flatMap((key): Sort[] => [key, `-${key}`])) {
    for (const status of [undefined, ...STATUSES]) {
      for (const isFromEnd of [false, true]) {
        const plan = await planOf({ ...ALL, status }, sort, isFromEnd);
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
});
