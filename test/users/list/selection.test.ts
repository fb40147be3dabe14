/** All whom a list shows, in its order, each once; or those who were ticked on one of its pages. */
import { expect, test } from 'vitest';
import { seedUsers } from '../../../src/cli/seed.ts';
import type { Db } from '../../../src/db/schema.ts';
import { readSnapshot, transact } from '../../../src/db/transact.ts';
import { Deadline } from '../../../src/lib/deadline.ts';
import { listAddress, parseList } from '../../../src/users/list/address.ts';
import { resolveFilter } from '../../../src/users/list/filter-result.ts';
import { SORT_KEYS } from '../../../src/users/list/order.ts';
import { listUsers } from '../../../src/users/list/page.ts';
import { parseSelection, selectionParameters, selectUsers } from '../../../src/users/list/selection.ts';
import { giveRoles, sharedDatabase } from '../../support.ts';

const USERS = 2_500;

const users = sharedDatabase(async (db) => {
  await seedUsers(db, USERS);
  await giveRoles(db);
  // Namesakes and contemporaries, over the edge of a batch.
  await transact(db, async (trx) => {
    const many = trx.updateTable('users').where('id', '<', 1_800);
    await many.set({ name_sort: 'same', created_at: 1_500_000_000_000 }).execute();
  });
});

/** At one moment, as whoever takes them out wants them. */
async function idsOf(db: Db, query: Record<string, string>): Promise<number[]> {
  return readSnapshot(db, async (trx) => {
    const ids: number[] = [];
    const { batches } = await selectUsers(trx, parseSelection(query, 0));
    for await (const batch of batches) ids.push(...batch.map(({ id }) => id));
    return ids;
  });
}

const FILTERS = [
  '',
  'status=inactive',
  'role=editor',
  'q=an',
  'q=an&role=member',
  'signed_in=never',
  'created_after=2001-01-01',
];

test.each(FILTERS)('all that match “%s” come in every order as their pages have them', async (filter) => {
  const db = await users();
  for (const sort of SORT_KEYS.flatMap((key) => [key, `-${key}`])) {
    const from = `${filter}&sort=${sort}`;
    const { list } = parseList(Object.fromEntries(new URLSearchParams(from)));
    const matches = await resolveFilter(db, list, { deadline: Deadline.in(60_000) });
    const page = await listUsers(db, list, matches, { offset: 0, limit: USERS });
    const ids = page.map(({ id }) => id);
    expect(ids.length).toBeGreaterThan(0);
    expect(await idsOf(db, { from, all: 'on' }), listAddress(list)).toEqual(ids);
  }
});

test('who was ticked comes in the order of the list, and nobody else', async () => {
  const db = await users();
  expect(await idsOf(db, { 'tick.7': 'on', 'tick.3': 'on', 'tick.99999': 'on' })).toEqual([3, 7]);
  expect(await idsOf(db, { from: 'sort=-id', 'tick.3': 'on', 'tick.7': 'on' })).toEqual([7, 3]);
  expect(await idsOf(db, {})).toEqual([]);
});

test('a selection is the same after it went through an address', () => {
  for (const query of [
    { from: 'q=mar&sort=name', all: 'on' },
    { from: 'page=3', 'tick.3': 'on', 'tick.12': 'on' },
  ]) {
    const selection = parseSelection(query, 0);
    expect(parseSelection(Object.fromEntries(selectionParameters(selection)), 0)).toEqual(selection);
  }
});
