/** How a page is found, as it is decided before anything is asked of the table of users, and as the log says it. */
import { once } from 'node:events';
import { expect, test } from 'vitest';
import type { SearchIndex } from '../../../src/db/search-index.ts';
import type { Count } from '../../../src/db/user-counts.ts';
import { parseQuery } from '../../../src/lib/forms.ts';
import { parseList } from '../../../src/users/list/address.ts';
import { planCount, planRows } from '../../../src/users/list/plan.ts';
import { run } from '../../roster.ts';
import { readyUrl } from '../../support.ts';

const COUNTS: Count[] = [
  { is_active: true, role: 'member', count: 90_000 },
  { is_active: false, role: 'member', count: 8_000 },
  { is_active: true, role: 'editor', count: 15_000 },
  { is_active: false, role: 'editor', count: 20 },
  { is_active: true, role: 'admin', count: 3 },
];
const SEARCH = {} as SearchIndex;

test.each([
  // The number is kept, and one index has filter and order.
  ['', 113_023, 'index', 'index'],
  ['sort=-email&status=active', 105_003, 'index', 'index'],
  ['sort=created&role=editor', 15_020, 'index', 'index'],
  // The number is kept, but the order has to be gone through for those with a role.
  ['role=editor', 15_020, 'ids', 'scan-or-top-by-role'],
  ['sort=created&role=member&status=active', 90_000, 'ids', 'scan-or-top-by-role'],
  // Few have the role, or the status.
  ['role=admin&sort=email', ['index'], 'ids', 'scan-or-top-by-role'],
  ['role=admin&sort=created', ['index'], 'index', 'index'],
  ['role=member&status=inactive', ['index-then-rows', 'scan'], 'ids', 'scan-or-top-by-role'],
  // Dates are in one index.
  ['created_after=2026-01-31&sort=created', ['index'], 'index', 'index'],
  ['created_after=2026-01-31&status=active', ['index'], 'ids', 'scan-or-top-by-date'],
  ['created_after=2026-01-31&sort=email', ['index'], 'ids', 'scan'],
  ['created_after=2026-01-31&role=editor', ['index'], 'ids', 'scan-or-top-by-role'],
  // Those who may sign in have an index of their own, by when they last did.
  ['signed_in=never', ['sign-ins'], 'ids', 'scan-or-top-by-sign-in'],
  [
    'signed_in=never&role=admin&sort=created',
    ['index-then-rows', 'sign-ins'],
    'ids',
    'scan-or-top-by-sign-in',
  ],
  ['signed_in=never&q=ada', ['sign-ins-then-rows', 'search', 'sign-ins'], 'ids', 'search'],
  ['signed_in=over-90-days-ago&sort=email', ['sign-ins'], 'ids', 'scan-or-top-by-sign-in'],
  ['signed_in=over-90-days-ago&q=ada', ['sign-ins-then-rows', 'search', 'sign-ins'], 'ids', 'search'],
  // Who is not in a file stands in ranges of numbers.
  ['absent_from=7', ['absent-then-rows', 'scan'], 'ids', 'scan'],
  ['absent_from=7&sort=email&status=active', ['absent-then-rows', 'scan'], 'ids', 'scan'],
  ['absent_from=7&q=ada', ['absent-then-rows', 'search'], 'ids', 'search'],
  // A search has an index of its own, in the order of ids.
  ['q=ada', ['search'], 'ids', 'search'],
  ['q=ada&sort=email&status=active', ['search'], 'ids', 'scan'],
  ['q=ada&role=editor', ['search', 'scan'], 'ids', 'search'],
  ['q=ada&role=admin', ['index-then-rows', 'search', 'scan'], 'ids', 'search'],
  ['q=ada&created_before=2026-01-31', ['index-then-rows', 'search'], 'ids', 'search'],
])(
  'a list with %j is counted by %j, and found by %s where few match, else by %s',
  (query, counted, few, many) => {
    const { list } = parseList(parseQuery(query));
    const plan = planCount(list, COUNTS);
    expect(plan.kind === 'kept' ? plan.count : plan.ways).toEqual(counted);
    const search = list.q && SEARCH;
    expect(planRows(list, { ids: [1, 2], search })).toBe(few);
    expect(planRows(list, { ids: undefined, search })).toBe(many);
  },
);

test.each([
  ['status=inactive&role=editor', 'status'],
  ['status=active&role=editor', 'role'],
  ['status=active', 'status'],
  ['q=ada', undefined],
])('of a status and a role (%s) an index goes by what fewer have', (query, lead) => {
  expect(planCount(parseList(parseQuery(query)).list, COUNTS).lead).toBe(lead);
});

test('with LOG_LEVEL=debug the log says how each page was found', async () => {
  const child = run([], { PORT: '0', DATABASE_URL: await readyUrl(), LOG_LEVEL: 'debug' });
  let out = '';
  child.stdout.setEncoding('utf8').on('data', (data) => {
    out += data;
  });
  while (!out.includes('/setup/')) await once(child.stdout, 'data');
  const [, origin = ''] = / is at (http:\S+)/.exec(out) ?? [];
  expect((await fetch(`${origin}/users?q=ada&sort=email`)).status).toBe(200);
  child.kill('SIGTERM');
  await once(child, 'close');
  const said = out.split('\n').filter((line) => line.includes('"plan"'));
  expect(said.map((line) => JSON.parse(line).plan)).toEqual([{ kind: 'limited', ways: ['search'] }, 'ids']);
});
