import { sql } from 'kysely';
import { DatabaseError } from 'pg';
import { expect, test } from 'vitest';
import { commandLine } from '../../../src/auth/actor.ts';
import { engineOf } from '../../../src/db/engine.ts';
import { isRefusal } from '../../../src/db/postgres/errors.ts';
import type { Db, Trx } from '../../../src/db/schema.ts';
import { transact as transactUntil } from '../../../src/db/transact.ts';
import { UnavailableError } from '../../../src/errors.ts';
import { DAY } from '../../../src/lib/clock.ts';
import { Deadline } from '../../../src/lib/deadline.ts';
import { changeUser } from '../../../src/users/commands.ts';
import { meeting } from '../../meeting.ts';
import { startProxy } from '../../postgres/proxy.ts';
import { addUsers, readyUrl, temporaryDatabase } from '../../support.ts';

/** However long a busy machine takes, it is tried again. */
function transact<T>(db: Db, work: (trx: Trx) => Promise<T>): Promise<T> {
  return transactUntil(db, work, Deadline.in(DAY));
}

async function append(trx: Trx, id: number, text: string): Promise<void> {
  await trx
    .updateTable('users')
    .set({ full_name: sql`coalesce(full_name, '') || ${text}` })
    .where('id', '=', id)
    .execute();
}

async function fullNames(db: Db): Promise<(string | null)[]> {
  return (await db.selectFrom('users').select('full_name').orderBy('id').execute()).map(
    (user) => user.full_name,
  );
}

test('of two transactions that wait for each other one is done again, and both have one effect', async () => {
  const db = await temporaryDatabase();
  await addUsers(db, ['alice', 'bob']);
  const bothHaveOne = meeting(2);
  let runs = 0;
  const appendTo = (first: number, second: number, text: string) =>
    transact(db, async (trx) => {
      runs++;
      await append(trx, first, text);
      await bothHaveOne();
      await append(trx, second, text);
    });
  await Promise.all([appendTo(1, 2, 'x'), appendTo(2, 1, 'x')]);
  expect(runs).toBe(3);
  expect(await fullNames(db)).toEqual(['xx', 'xx']);
});

test('of two serializable transactions that each read what the other writes one is done again', async () => {
  const db = await temporaryDatabase();
  await addUsers(db, ['alice', 'bob']);
  const bothHaveRead = meeting(2);
  let runs = 0;
  // At least one of the two stays active: each may only go while the other is there.
  const deactivate = (id: number) =>
    transact(db, async (trx) => {
      runs++;
      await sql`set transaction isolation level serializable`.execute(trx);
      const active = await trx.selectFrom('users').select('id').where('is_active', '=', true).execute();
      await bothHaveRead();
      if (active.length > 1)
        await trx.updateTable('users').set({ is_active: false }).where('id', '=', id).execute();
    });
  await Promise.all([deactivate(1), deactivate(2)]);
  expect(runs).toBe(3);
  expect(await db.selectFrom('users').select('id').where('is_active', '=', true).execute()).toHaveLength(1);
});

test.each(['40001', '40P01'])(
  'after %s five times in a row nothing was changed, and that is said',
  async (state) => {
    const db = await temporaryDatabase();
    await addUsers(db, ['alice']);
    let runs = 0;
    const work = transact(db, async (trx) => {
      runs++;
      await append(trx, 1, 'x');
      await sql`do ${sql.lit(`begin raise exception using errcode = '${state}'; end`)}`.execute(trx);
    });
    await expect(work).rejects.toThrow(UnavailableError);
    expect(runs).toBe(5);
    expect(await fullNames(db)).toEqual([null]);
  },
);

test('a transaction whose failed statement was overlooked is not taken for saved', async () => {
  const db = await temporaryDatabase();
  const work = transact(db, async (trx) => {
    await trx.updateTable('user_counts').set({ count: 7 }).execute();
    await sql`select 1 / 0`.execute(trx).catch(() => {});
  });
  await expect(work).rejects.toThrow(UnavailableError);
  expect(
    await db.selectFrom('user_counts').where('role', '=', 'member').select('count').distinct().execute(),
  ).toEqual([{ count: 0 }]);
});

test('totals are written last, in one statement', async () => {
  const { url, heard } = await startProxy(await readyUrl());
  const db = await temporaryDatabase(url);
  await addUsers(db, ['alice']);
  for (const is_active of [false, true]) {
    const before = heard().length;
    await transact(db, (trx) => changeUser(trx, commandLine, 1, { is_active }, 0));
    expect(heard().slice(before)).toMatch(/update "users".*(?:update "user_counts"[^\0]*){2}\0.*commit/s);
  }
});

test('what others wait for is written once, and last, however many users a transaction changes', async () => {
  const { url, heard } = await startProxy(await readyUrl());
  const db = await temporaryDatabase(url);
  await addUsers(db, ['alice', 'bob']);
  const before = heard().length;
  await transact(db, async (trx) => {
    for (const id of [1, 2]) await changeUser(trx, commandLine, id, { is_active: false }, 0);
  });
  const statements = heard()
    .slice(before)
    .split('\0')
    .filter((sql) => /update "(revisions|user_counts)"/.test(sql));
  expect(statements).toHaveLength(1);
  const written = statements[0]?.match(/(?:update|insert into) "\w+"/g);
  const others = ['update "revisions"', 'update "user_counts"', 'update "user_counts"'];
  expect(written?.filter((one) => one !== 'insert into "changes"').sort()).toEqual(others);
});

test('rows that are written together are written in one order, whichever others are among them', async () => {
  const db = await temporaryDatabase();
  await transact(db, async (trx) => {
    await sql`create table rows (id integer primary key, at integer not null default 0)`.execute(trx);
    await sql`create sequence times`.execute(trx);
    await sql`insert into rows (id) values (1), (2), (3), (4)`.execute(trx);
    for (const ids of [
      [1, 2, 3, 4],
      [1, 2, 3],
      [2, 4],
      [1, 3],
      [1, 4],
    ]) {
      const writes = ids.map((id) =>
        sql`update rows set at = nextval('times') where id = ${id}`.compile(trx),
      );
      await engineOf(trx).writeTogether(trx, writes);
      const { rows } = await sql<{ id: number }>`
        select id from rows where id = any(${ids}) order by at desc`.execute(trx);
      expect(rows.map(({ id }) => id)).toEqual(ids);
    }
  });
});

test('a connection that is known to be lost before the commit has saved nothing, for certain', async () => {
  const db = await temporaryDatabase();
  const work = transact(db, async (trx) => {
    await trx.updateTable('user_counts').set({ count: 7 }).execute();
    await sql`select pg_terminate_backend(pg_backend_pid())`.execute(trx).catch(() => {});
  });
  await expect(work).rejects.toThrow(UnavailableError);
  expect(
    await db.selectFrom('user_counts').where('role', '=', 'member').select('count').distinct().execute(),
  ).toEqual([{ count: 0 }]);
});

test('states, not words, tell a refusal from a lost connection: servers translate their severities', () => {
  const failure = (code: string, severity: string) =>
    Object.assign(new DatabaseError('no', 2, 'error'), { code, severity });
  for (const severity of ['ERROR', 'FEHLER', 'ERREUR']) {
    for (const code of ['23505', '40001', '40P01', '57014', '22P05', 'XX001', 'XX002'])
      expect(isRefusal(failure(code, severity))).toBe(true);
  }
  for (const severity of ['FATAL', 'PANIK']) {
    for (const code of ['57P01', '57P02', '25P03', '25P04', '08006', 'XX000', '40003']) {
      expect(isRefusal(failure(code, severity))).toBe(false);
    }
  }
  expect(isRefusal(new Error('Connection terminated unexpectedly'))).toBe(false);
});
