/** What is exported and imported into an empty Roster is exported as the same bytes, whatever people are called. */

import fc from 'fast-check';
import type { FastifyInstance } from 'fastify';
import { expect, test } from 'vitest';
import { commandLine } from '../../src/auth/actor.ts';
import { ROLES } from '../../src/db/schema.ts';
import { transact } from '../../src/db/transact.ts';
import { writeExport } from '../../src/exports/export.ts';
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
const PEOPLE = fc.array(
  fc.record({ full_name: NAME, is_active: fc.boolean(), role: fc.constantFrom(...ROLES) }),
  { minLength: 100, maxLength: 200 },
);

async function exported({ db }: FastifyInstance) {
  const selection = parseSelection({ all: 'on', from: 'sort=username' }, 0);
  const pieces: string[] = [];
  const spool = { write: async (text: string) => void pieces.push(text) };
  await writeExport(db, { selection, format: 'csv' }, spool, () => {}, new AbortController().signal);
  return pieces.join('');
}

test('export, import into an empty Roster, export: the same bytes', { timeout: 300_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(PEOPLE, async (people) => {
      const [one, other] = [await startApp(), await startApp()];
      const users = people.map((person, index) => ({
        username: `u.${index}`,
        email: `${index % 3 === 0 ? '=' : ''}u${index}@example.org`,
        ...person,
      }));
      await transact(one.db, (trx) => createUsers(trx, commandLine, users, one.clock()));
      const file = await exported(one);
      const id = await check(other, file);
      expect(await countsOf(other, id)).toEqual({ created: users.length, changed: 0, same: 0, refused: 0 });
      await apply(other, id);
      expect(await exported(other)).toBe(file);
    }),
    // Two Rosters each: many people rather than many times.
    { numRuns: runs(200).numRuns / 20 },
  );
});
