/** What is exported and imported into an empty Roster is exported as the same bytes, whatever people are called. */

import fc from 'fast-check';
import type { FastifyInstance } from 'fastify';
import { expect, test } from 'vitest';
import { commandLine } from '../../src/auth/actor.ts';
import { ROLES } from '../../src/db/schema.ts';
import { transact } from '../../src/db/transact.ts';
import { writeExport } from '../../src/exports/export.ts';
import { MOST_IN_ONE } from '../../src/imports/json-columns.ts';
import { textKey } from '../../src/lib/text.ts';
import { createUsers } from '../../src/users/commands.ts';
import { parseSelection } from '../../src/users/list/selection.ts';
import { newUserSchema } from '../../src/users/validation.ts';
import { apply, check, countsOf } from '../imports/bringing.ts';
import { runs } from '../runs.ts';
import { startApp } from '../support.ts';

/** What a spreadsheet would run, what would end a cell or a row, and letters of all kinds. */
const RUN = [
  '=1+1',
  '+1',
  '-1',
  '@SUM(A1)',
  "'",
  "''=1",
  '＝1',
  '"',
  '""',
  ',',
  ';',
  'a"b',
  '="007"',
  'sep=;',
  'null',
];
const NAME = fc
  .array(fc.oneof(fc.constantFrom(...RUN), fc.string({ unit: 'grapheme', maxLength: 8 })), {
    minLength: 1,
    maxLength: 4,
  })
  .map((parts) => parts.join(' '))
  .map((full_name) => newUserSchema.shape.full_name.safeParse(full_name).data ?? null);
/** As the form takes them, and Roster keeps them. */
const typed = (field: 'username' | 'email', text: fc.Arbitrary<string>) =>
  text.map((one) => newUserSchema.shape[field].safeParse(one).data).filter((one) => one !== undefined);
const USERNAME = typed('username', fc.stringMatching(/^[A-Za-z0-9ä._+-]{1,12}$/));
const EMAIL = typed(
  'email',
  fc.oneof(
    fc.emailAddress(),
    fc.emailAddress().map((email) => `=${email}`),
  ),
);
/** More than are done in one transaction. */
const PEOPLE = fc.uniqueArray(
  fc.record({
    username: USERNAME,
    email: EMAIL,
    full_name: NAME,
    is_active: fc.boolean(),
    role: fc.constantFrom(...ROLES),
  }),
  {
    minLength: MOST_IN_ONE + 1,
    maxLength: 2 * MOST_IN_ONE,
    comparator: (one, other) =>
      textKey(one.username) === textKey(other.username) || textKey(one.email) === textKey(other.email),
  },
);
const ORDERS = ['', 'sort=username', 'sort=name', 'sort=email'];

async function exported({ db }: FastifyInstance, order = '') {
  const selection = parseSelection({ all: 'on', from: order }, 0);
  const pieces: string[] = [];
  const spool = { write: async (text: string) => void pieces.push(text) };
  await writeExport(db, { selection, format: 'csv' }, spool, () => {}, new AbortController().signal);
  return pieces.join('');
}

test('export, import into an empty Roster, export: the same bytes, in whichever order', {
  timeout: 300_000,
}, async () => {
  await fc.assert(
    fc.asyncProperty(PEOPLE, async (people) => {
      const [one, other] = [await startApp(), await startApp()];
      await transact(one.db, (trx) => createUsers(trx, commandLine, people, one.clock()));
      const id = await check(other, await exported(one));
      expect(await countsOf(other, id)).toEqual({ created: people.length, changed: 0, same: 0, refused: 0 });
      await apply(other, id);
      for (const order of ORDERS) expect(await exported(other, order)).toBe(await exported(one, order));
    }),
    // Two Rosters each: many people rather than many times, and no smaller example of what fails.
    { numRuns: runs(200).numRuns / 20, endOnFailure: true },
  );
});
