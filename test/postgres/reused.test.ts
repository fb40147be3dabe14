/** What one test leaves unfinished does not reach the next. */
import { sql } from 'kysely';
import { expect, inject, test } from 'vitest';
import { commandLine } from '../../src/auth/actor.ts';
import { transact } from '../../src/db/transact.ts';
import { recordAccess } from '../../src/history/record.ts';
import { addUser } from '../support.ts';
import { takeDatabase } from './reused.ts';

test.runIf(inject('engine') === 'postgres')(
  'what nobody waits for any more is over before the next test',
  async () => {
    const first = await takeDatabase();
    const written = Promise.withResolvers<void>();
    const late = transact(first.db, async (trx) => {
      await recordAccess(trx, commandLine, 'invited', undefined, 0);
      written.resolve();
      // For longer than it takes to clear a database.
      for (let count = 0; count < 300; count++) await sql`select 1`.execute(trx);
    });
    await written.promise;
    await first.giveBack();
    await late;
    const second = await takeDatabase();
    await addUser(second.db, { username: 'next' });
    await second.giveBack();
    expect(second.db).not.toBe(first.db);
  },
);
