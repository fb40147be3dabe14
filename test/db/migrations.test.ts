import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { engineOf } from '../../src/db/engine.ts';
import { transact } from '../../src/db/transact.ts';
import { piecesOf } from '../../src/search/search.ts';
import { seedUsers } from '../../src/seed/seed.ts';
import { addUser, temporaryDatabase, temporaryUrl } from '../support.ts';

test('users from before there was a search are found once the database has been opened', async () => {
  const url = await temporaryUrl();
  const db = await temporaryDatabase(url);
  await seedUsers(db, 2_500);
  await addUser(db, { username: 'jm', full_name: 'Jürgen Müller' });
  const before = await db.selectFrom('users').selectAll().orderBy('id').execute();
  await transact(db, async (trx) => {
    if (engineOf(trx).name === 'sqlite') {
      await sql`drop table users_search_0`.execute(trx);
      await sql`drop index users_id`.execute(trx);
    }
    await sql`alter table users drop column search_text`.execute(trx);
    for (const table of [
      'credentials',
      'recovery_codes',
      'sessions',
      'invitations',
      'guesses',
      'role_rules',
      'secrets',
    ])
      await trx.schema.dropTable(table).execute();
    await sql`drop index users_role_created_at`.execute(trx);
    await sql`alter table users drop column role`.execute(trx);
    await sql`create table status_counts as select * from user_counts where role = 'member'`.execute(trx);
    await sql`drop table user_counts`.execute(trx);
    await sql`alter table status_counts rename to user_counts`.execute(trx);
    await sql`alter table user_counts drop column role`.execute(trx);
    await engineOf(trx).writeVersion(trx, 1);
  });
  const migrated = await temporaryDatabase(url);
  expect(await migrated.selectFrom('users').selectAll().orderBy('id').execute()).toEqual(before);
  const search = await engineOf(migrated).searchOf(migrated);
  const question = { pieces: piecesOf('muller jurg'), condition: undefined, isReversed: false, limit: 10 };
  expect(await search.find(migrated, question, performance.now() + 60_000)).toEqual([2_501]);
});
