import { expect, test } from 'vitest';
import { seedUsers } from '../../../src/seed/seed.ts';
import { temporaryDatabase } from '../../support.ts';
import { listWindows } from '../list-windows.ts';

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
  for (const { query, isFar } of listWindows(db)) {
    const sqlOfPlan = `explain (format json) ${query.sql}`;
    const { rows } = await db.executeQuery<{ 'QUERY PLAN': [{ Plan: Node }] }>({ ...query, sql: sqlOfPlan });
    const plan = rows[0]?.['QUERY PLAN'][0].Plan as Node;
    const walked = nodesOf(plan).find((node) => node['Node Type'] === 'Limit') as Node;
    const scans = nodesOf(walked).slice(1);
    const types = scans.map((node) => node['Node Type']);
    expect(types, JSON.stringify(plan, undefined, 1)).toEqual([isFar ? 'Index Only Scan' : 'Index Scan']);
    const looked = nodesOf(plan).filter((node) => node['Relation Name'] && !scans.includes(node));
    const indexes = looked.map((node) => node['Index Name']);
    expect(indexes, JSON.stringify(plan, undefined, 1)).toEqual(isFar ? ['users_pkey'] : []);
  }
});
