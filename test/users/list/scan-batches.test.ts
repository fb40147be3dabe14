/** Going through an order in batches: everyone once, and with as few queries as there are batches. */
import type { KyselyPlugin } from 'kysely';
import { expect, test } from 'vitest';
import { Deadline } from '../../../src/lib/deadline.ts';
import { parseList } from '../../../src/users/list/address.ts';
import type { Sort } from '../../../src/users/list/order.ts';
import { scanBatches } from '../../../src/users/list/scan-batches.ts';
import { addUser, sharedDatabase } from '../../support.ts';

const { list: ALL } = parseList({});
const CONTEXT = {
  terms: [],
  search: undefined,
  lead: undefined,
  deadline: Deadline.in(Number.POSITIVE_INFINITY),
};
/** Every third is a namesake, from the middle of the names on. */
const NAMES = Array.from({ length: 90 }, (_, n) => (n % 3 ? `Name ${n}` : 'Name 5'));

const users = sharedDatabase(async (db) => {
  for (const [n, full_name] of NAMES.entries()) await addUser(db, { username: `user${n}`, full_name });
});

/** The lengths of the batches, whom they had, and how many queries it took. */
async function goThrough(sort: Sort, isFromEnd: boolean) {
  let queries = 0;
  const counting: KyselyPlugin = {
    transformQuery: ({ node }) => {
      queries++;
      return node;
    },
    transformResult: async ({ result }) => result,
  };
  const db = (await users()).withPlugin(counting);
  const batches: number[][] = [];
  for await (const ids of scanBatches(db, { ...ALL, sort }, CONTEXT, { isFromEnd }, 10)) batches.push(ids);
  return { lengths: batches.map(({ length }) => length), ids: batches.flat(), queries };
}

test.each(['id', 'username', '-username', 'email'] as const)(
  'by %s each batch is twice as long as the one before, and one query',
  async (sort) => {
    for (const isFromEnd of [false, true]) {
      const { lengths, ids, queries } = await goThrough(sort, isFromEnd);
      expect(lengths).toEqual([10, 20, 40, 20]);
      expect(new Set(ids).size).toBe(NAMES.length);
      expect(queries).toBe(4);
    }
  },
);

test.each(['name', '-name'] as const)(
  'by %s namesakes who begin in one batch go on in the next',
  async (sort) => {
    for (const isFromEnd of [false, true]) {
      const { ids } = await goThrough(sort, isFromEnd);
      const rows = await (await users()).selectFrom('users').select(['id', 'name_sort as key']).execute();
      const isAscending = (sort === 'name') !== isFromEnd;
      rows.sort((one, other) => (one.key < other.key ? -1 : one.key > other.key ? 1 : one.id - other.id));
      const ordered = rows.map(({ id }) => id);
      expect(ids).toEqual(isAscending ? ordered : ordered.reverse());
    }
  },
);
