/** What the log says of PostgreSQL's errors, some of which hold the row or the value that they refuse. */
import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { transact } from '../../../src/db/transact.ts';
import { loggedError } from '../../../src/lib/logged-error.ts';
import { addUser, temporaryDatabase } from '../../support.ts';

test('neither the row nor the value is logged', async () => {
  const db = await temporaryDatabase();
  await addUser(db, { username: 'garcia' });
  await addUser(db, { username: 'lopez' });
  const refused = [
    transact(db, (trx) =>
      trx
        .updateTable('users')
        .set({ version: null as never })
        .execute(),
    ),
    transact(db, (trx) => trx.updateTable('users').set({ email_key: 'garcia@example.org' }).execute()),
    sql`select ${'garcia'}::text::int`.execute(db),
  ];
  const errors = (await Promise.allSettled(refused)).map((one) => one.status === 'rejected' && one.reason);
  const whole = errors.map((error) => JSON.stringify([error, error.cause, error.message]));
  for (const error of whole) expect(error).toContain('garcia');
  const logged = errors.map(loggedError);
  expect(logged).toMatchObject([{ code: '23502' }, { type: 'NotUniqueError' }, { code: '22P02' }]);
  expect(JSON.stringify(logged)).not.toContain('garcia');
});
