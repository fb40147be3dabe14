import pg from 'pg';
import { expect, onTestFinished, test } from 'vitest';
import { commandLine } from '../../../src/auth/actor.ts';
import { openDatabase } from '../../../src/db/database.ts';
import { findSchemaDrift } from '../../../src/db/schema-drift.ts';
import { transact } from '../../../src/db/transact.ts';
import { eraseUser } from '../../../src/erasure/commands.ts';
import { findPending } from '../../../src/erasure/queries.ts';
import { deleteUser } from '../../../src/users/commands.ts';
import { erase } from '../../backup/backed-up.ts';
import { runCommand } from '../../command.ts';
import { filesOfPostgres, found } from '../../erasure/byte-search.ts';
import { plainRole } from '../../postgres/plain-role.ts';
import { addUser, readyUrl, temporaryDatabase } from '../../support.ts';

async function connect(url: string): Promise<pg.Client> {
  const client = new pg.Client(url);
  await client.connect();
  onTestFinished(() => client.end());
  return client;
}

test('a role that is told little of others waits for them, too', async () => {
  const { url, adminUrl } = await plainRole();
  await temporaryDatabase(url);
  const reader = await connect(adminUrl);
  await reader.query('begin isolation level repeatable read');
  const { pid } = (await reader.query('select pg_backend_pid() as pid')).rows[0];
  const { out } = await runCommand(['purge'], { DATABASE_URL: url });
  expect(out).toContain(`process ${pid} has been at work in the database. Run this again`);
});

test('whoever does not own the database hears what purge has left', async () => {
  const { url } = await plainRole();
  await temporaryDatabase(url);
  const { code, out } = await runCommand(['purge'], { DATABASE_URL: url });
  expect(out).toContain('The tables were written anew, but not pg_statistic');
  expect(out).not.toContain('Nothing that was deleted before');
  expect(code).toBe(0);
});

test('what somebody reads who began before is not said to be gone, and is once they have ended', async () => {
  const url = await readyUrl();
  const db = await openDatabase(url);
  onTestFinished(() => db.destroy());
  const { id } = await addUser(db, { username: 'behindone', full_name: 'Behindtwo' });
  const reader = await connect(url);
  await reader.query('begin isolation level repeatable read');
  await reader.query('select count(*) from pg_class');
  await erase(db, id);
  const { pid } = (await reader.query('select pg_backend_pid() as pid')).rows[0];
  const { out } = await runCommand(['purge'], { DATABASE_URL: url });
  expect(out).toContain(`process ${pid} has been at work in the database since 20`);
  expect(out).not.toContain('Nothing that was deleted before');
  expect(await findPending(db)).toMatchObject([{ user_id: id }]);
  await reader.query('rollback');
  const again = await runCommand(['purge'], { DATABASE_URL: url });
  expect(again.out).toContain('Nothing that was deleted before is in its files any more.');
  expect(found(await filesOfPostgres(db), ['behindone', 'Behindtwo', 'behindtwo'])).toEqual([]);
  expect(await findPending(db)).toEqual([]);
});

test('samples of a table that has become empty are gone, too, and it is made as it was', async () => {
  const url = await readyUrl();
  const db = await openDatabase(url);
  onTestFinished(() => db.destroy());
  const client = await connect(url);
  const sampled = async () => {
    const { rows } = await client.query(
      'select tablename, attname, most_common_vals::text, histogram_bounds::text from pg_stats where schemaname = current_schema()',
    );
    return JSON.stringify(rows);
  };
  const words = ['zzsampleone', 'zzsampletwo'];
  const ids: number[] = [];
  for (const word of words) ids.push((await addUser(db, { username: word, full_name: word })).id);
  await client.query('analyze users');
  for (const id of ids) await transact(db, (trx) => deleteUser(trx, commandLine, id, Date.now()));
  // As PostgreSQL does by itself now and then.
  await client.query('analyze deleted_users');
  for (const id of ids) await transact(db, (trx) => eraseUser(trx, commandLine, id, Date.now()));
  const of = await client.query(
    'select (select count(*) from users) + (select count(*) from deleted_users) as count',
  );
  expect(of.rows).toEqual([{ count: '0' }]);
  expect(found(await sampled(), words)).toEqual(words);
  expect(await runCommand(['purge'], { DATABASE_URL: url })).toMatchObject({
    error: '',
    out: expect.stringContaining('Nothing that was deleted'),
  });
  expect(found(await sampled(), words)).toEqual([]);
  expect(found(await filesOfPostgres(db), words)).toEqual([]);
  expect(await findSchemaDrift(db)).toEqual([]);
});

test('whoever has a table locked is named, and others do not wait long behind purge', async () => {
  const { url, adminUrl } = await plainRole();
  await temporaryDatabase(url);
  const locker = await connect(adminUrl);
  await locker.query('begin; lock table users in access share mode');
  const began = performance.now();
  const purging = runCommand(['purge'], { DATABASE_URL: url });
  const { pid } = (await locker.query('select pg_backend_pid() as pid')).rows[0];
  expect((await purging).out).toContain(`process ${pid} has been at work in the database`);
  expect(performance.now() - began).toBeLessThan(30_000);
});
