/** A check finds each thing that is wrong, and nothing where nothing is: beside others who write as well. */
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import pg from 'pg';
import { describe, expect, inject, test } from 'vitest';
import { commandLine } from '../../src/auth/actor.ts';
import type { Finding } from '../../src/check/finding.ts';
import { findFaults } from '../../src/check/run.ts';
import { seedUsers } from '../../src/cli/seed.ts';
import { filePathOf } from '../../src/database-url.ts';
import { engineOf } from '../../src/db/engine.ts';
import { rebuildSearch } from '../../src/db/rebuild-search.ts';
import type { Db } from '../../src/db/schema.ts';
import { transact } from '../../src/db/transact.ts';
import { eraseUser } from '../../src/erasure/commands.ts';
import { beginSet } from '../../src/history/record.ts';
import { insertAbsent } from '../../src/imports/absent-queries.ts';
import { insertJob } from '../../src/jobs/queries.ts';
import { beginRun } from '../../src/maintenance/queries.ts';
import { changeUser, deleteUser, restoreUser } from '../../src/users/commands.ts';
import { runCommand } from '../command.ts';
import { addPerson } from '../people.ts';
import { addUser, readyUrl, startApp, temporaryDatabase, temporaryFolder } from '../support.ts';
import { live } from './life.ts';

const NOW = Date.UTC(2100, 0, 31);

async function findingsOf(db: Db, quick = false): Promise<Finding[]> {
  return Array.fromAsync(findFaults(db, { quick }));
}

const said = async (db: Db) => (await findingsOf(db)).map(({ what }) => what);

/** Without what a database itself would refuse: past all that holds rows together. */
async function breakBy(url: string, statement: string): Promise<void> {
  const path = filePathOf(url);
  if (path === undefined) {
    const client = new pg.Client(url);
    await client.connect();
    await client.query(`set session_replication_role = replica; ${statement}`);
    await client.end();
  } else {
    const db = new Sqlite(path);
    db.pragma('foreign_keys = off');
    db.exec(statement);
    db.close();
  }
}

/** Users 1 (changed twice), 2 (an administrator), 3 (deleted) and 4 (erased). */
async function fill(db: Db): Promise<void> {
  for (const username of ['ada', 'bob', 'eve', 'tom'])
    if (username === 'bob') await addPerson(db, username, 'admin');
    else await addUser(db, { username }, NOW);
  for (const full_name of ['Ada', 'Ada Lovelace'])
    await transact(db, (trx) => changeUser(trx, commandLine, 1, { full_name }, NOW));
  for (const id of [3, 4]) await transact(db, (trx) => deleteUser(trx, commandLine, id, NOW));
  await transact(db, (trx) => eraseUser(trx, commandLine, 4, NOW));
}

test('a database in which all has happened that happens to users is clean', async () => {
  const app = await startApp();
  await live(app);
  expect(await findingsOf(app.db)).toEqual([]);
  await transact(app.db, (trx) => rebuildSearch(trx));
  expect(await findingsOf(app.db)).toEqual([]);
});

const set = (id: number) => `(select set_id from changes where user_id = ${id} and version = 1)`;

describe.each([
  [
    'a total that is wrong',
    `update user_counts set count = count + 3 where role = 'viewer' and is_active = {true}{slot}`,
    ['There are 0 active viewers, and the total says 3.'],
  ],
  [
    'several totals that are wrong, in one line',
    `update user_counts set count = count + 3 where role in ('viewer', 'editor') and is_active = {true}{slot}`,
    ['There are 0 active editors, and the total says 3; 0 active viewers, and the total says 3.'],
  ],
  [
    'a total that is missing',
    `delete from user_counts where role in ('admin', 'viewer') and is_active = {true}`,
    [
      'There are 1 active administrators, and the total is missing; 0 active viewers, and the total is missing.',
    ],
  ],
  [
    'that all are missing',
    'delete from user_counts',
    [/^There are 0 inactive .*; 1 active members, and the total is missing; .*\.$/],
  ],
  [
    'a search text',
    `update users set name_sort = 'x' where id = 1`,
    ['Of user 1, name_sort is not what follows from their values.'],
  ],
  [
    'a key',
    `update users set email_key = 'x@y' where id = 1`,
    ['Of user 1, email_key is not what follows from their values.'],
  ],
  [
    'a value that history does not know',
    `update users set is_active = {false} where id = 1; update user_counts set count = count - 1 where role = 'member' and is_active = {true}{slot}; update user_counts set count = count + 1 where role = 'member' and is_active = {false}{slot}; update changes set fields = '{"4":[false,true],"3":["Ada","Ada Lovelace"]}' where user_id = 1 and version = 3`,
    ['The history of user 1 has another is_active than they have.'],
  ],
  [
    'a version that is missing',
    'delete from changes where user_id = 1 and version = 2',
    [
      /^Change set \d+ says that it changed 1 user, and there are not as many changes\.$/,
      'The history of user 1 has no version 2.',
    ],
  ],
  [
    'versions that cannot be read',
    `update changes set fields = 'no JSON' where user_id = 1 and version = 2; update changes set fields = 'null' where user_id = 1 and version = 3; update changes set fields = '[1]' where user_id = 2 and version = 1`,
    [
      'The history of user 1 cannot be read at version 2.',
      'The history of user 1 cannot be read at version 3.',
      'The history of user 2 cannot be read at version 1.',
    ],
  ],
  [
    'a last version that is missing',
    'update users set version = 4 where id = 1',
    ['The history of user 1 ends at version 3, and they are at 4.'],
  ],
  [
    'a history that contradicts itself',
    `update changes set fields = '{"3":["Eda","Ada Lovelace"]}' where user_id = 1 and version = 3`,
    ['The history of user 1 does not fit together at full_name of version 3.'],
  ],
  [
    'a time that goes back',
    'update changes set at = 1 where user_id = 1 and version = 3',
    ['The history of user 1 has version 3 earlier than the one before.'],
  ],
  [
    'a user without a history',
    'delete from changes where user_id = 2',
    [/^Change set \d+ says that it changed 1 user/, 'The history of user 2 does not say how they came.'],
  ],
  [
    'a history of nobody',
    `delete from deleted_users where id = 3`,
    ['The history of user 3 is there, and they are neither there nor deleted nor erased.'],
  ],
  [
    'somebody deleted with other values',
    `update deleted_users set version = 7 where id = 3`,
    ['The history of user 3 does not end with what they were when they were deleted.'],
  ],
  [
    'values of somebody erased',
    `update changes set fields = '{"3":[null,"Tom"]}' where user_id = 4 and version = 2`,
    ['The history of user 4 still has values, and they were erased.'],
  ],
  [
    'a session of nobody',
    `insert into sessions (token_hash, user_id, created_at, seen_at, address, browser) values ('x', 99, 1, 1, '', '')`,
    ['There is a session of user 99, who is not there.'],
  ],
  [
    'a recovery code of nobody',
    `insert into recovery_codes (code_hash, user_id) values ('x', 99)`,
    ['There is a recovery code of user 99, who is not there.'],
  ],
  [
    'somebody missing in the list by last sign-in',
    'delete from last_sign_ins',
    ['The list by last sign-in has user 2 not at all.'],
  ],
  [
    'somebody in it who may not sign in',
    'insert into last_sign_ins (user_id, at) values (1, -1)',
    ['The list by last sign-in has user 1, who may not sign in.'],
  ],
  [
    'a wrong time in it',
    'update last_sign_ins set at = 77',
    ['The list by last sign-in has user 2 at another time than theirs.'],
  ],
  [
    'a set of a deletion that is not there',
    'update deleted_users set set_id = 999 where id = 3; update changes set set_id = 999 where user_id = 3 and version = 2',
    [
      /^The next change set would get the number \d+, and 999 was given already\.$/,
      'Someone was deleted in change set 999, which is not there.',
      /^Change set \d+ says that it changed 1 user/,
      'The history of user 3 has version 2 of a change set that is not there.',
    ],
  ],
  [
    'a job of no change set',
    `insert into jobs (kind, state, set_id, params, cursor, total, done, left_out, notes, leased_until) values ('undo', 'done', 998, '{}', 0, 1, 1, 0, '[]', 0)`,
    ['A job works in change set 998, which is not there.'],
  ],
  [
    'an undo of nothing',
    `update change_sets set undoes = 997 where id = {set2}`,
    [/^Change set \d+ undoes one that is not there\.$/],
  ],
])('%s is found', (_what, statement, expected) => {
  test('and nothing else', async () => {
    const url = await readyUrl();
    const db = await temporaryDatabase(url);
    await fill(db);
    expect(await said(db)).toEqual([]);
    const isSqlite = inject('engine') === 'sqlite';
    const words = {
      true: isSqlite ? '1' : 'true',
      false: isSqlite ? '0' : 'false',
      slot: isSqlite ? '' : ' and slot = 0',
      set2: set(2),
    };
    await breakBy(
      url,
      Object.entries(words).reduce((text, [name, word]) => text.replaceAll(`{${name}}`, word), statement),
    );
    const found = await said(db);
    expect(found).toEqual(
      expected.map((one) => (typeof one === 'string' ? one : expect.stringMatching(one))),
    );
  });
});

describe('a form that is not what Roster makes', () => {
  const isSqlite = inject('engine') === 'sqlite';
  const evil = isSqlite
    ? `create trigger evil after insert on sessions begin update users set role = 'admin'; end`
    : `create function evil() returns trigger language plpgsql as 'begin update users set role = 1; return new; end';
       create trigger evil after insert on sessions execute function evil()`;
  const dropAll = isSqlite ? 'drop table absent_users' : 'drop table absent_users cascade';
  test.each([
    [
      'a trigger',
      evil,
      `There is a trigger evil${isSqlite ? '' : ' on sessions'}, which is none of Roster's.`,
    ],
    ['a table that is missing', dropAll, 'The table absent_users is missing.'],
    [
      'a unique index that is missing',
      'drop index users_email_key',
      isSqlite
        ? 'The index users_email_key is missing.'
        : 'The unique index of users (email_key) is missing.',
    ],
    [
      'a column that is too many',
      'alter table sessions add column stolen text',
      isSqlite
        ? 'The table sessions is not as Roster makes it.'
        : "There is a column sessions.stolen, which is none of Roster's.",
    ],
    [
      'a column that is missing',
      'alter table made_up_people rename column user_id to other_id',
      isSqlite
        ? 'The table made_up_people is not as Roster makes it.'
        : 'The column made_up_people.user_id is missing.',
    ],
    ['totals that are missing', 'drop table user_counts', 'The table user_counts is missing.'],
    [
      'a view in the place of a table',
      'alter table kept_answers rename to hidden; create view kept_answers as select * from hidden',
      'The table kept_answers is missing.',
    ],
  ])('%s is found, by a quick check as well', async (_what, statement, expected) => {
    const url = await readyUrl();
    const db = await temporaryDatabase(url);
    await fill(db);
    await breakBy(url, statement);
    for (const quick of [true, false])
      expect((await findingsOf(db, quick)).map(({ what }) => what)).toContain(expected);
    const { out, code } = await runCommand(['check'], {
      DATABASE_URL: url,
      SECRET_KEY_FILE: join(temporaryFolder(), 'secret.key'),
    });
    expect(out).toContain(`${expected}\n`);
    expect(code).toBe(1);
  });

  test('is none with searches of any number, and none of what others keep beside it on a server', async () => {
    const url = await readyUrl();
    const db = await temporaryDatabase(url);
    await transact(db, (trx) => engineOf(trx).writeLastId(trx, 3_000_000));
    await addUser(db, { username: 'far' });
    if (!isSqlite)
      await breakBy(url, 'create table others (id integer); create view mine as select id from users');
    expect(
      (await findingsOf(db, true)).filter(({ what }) => /there is a|missing|not as/i.test(what)),
    ).toEqual([]);
  });
});

test('numbers that would be given twice are found', async () => {
  const url = await readyUrl();
  const db = await temporaryDatabase(url);
  await fill(db);
  const isSqlite = inject('engine') === 'sqlite';
  await breakBy(
    url,
    isSqlite ? `update sqlite_sequence set seq = 2 where name = 'users'` : `select setval('users_id_seq', 2)`,
  );
  expect(await said(db)).toEqual(['The next user would get the number 3, and 4 was given already.']);
});

test.each([
  ['jobs', 'job'],
  ['imports', 'import'],
  ['maintenance_runs', 'backup or check'],
] as const)('so are those of %s', async (table, name) => {
  const url = await readyUrl();
  const db = await temporaryDatabase(url);
  await transact(db, async (trx) => {
    const set_id = await beginSet(trx, commandLine, { at: 3, kind: 'changed' });
    await insertJob(trx, { kind: 'undo', set_id, actor_id: null, params: '{}', total: 2 });
    await insertAbsent(trx, 1, [{ first_id: 1, last_id: 2 }]);
    await engineOf(trx).writeLastId(trx, 1, 'imports');
    await beginRun(trx, 'check', 1);
  });
  await breakBy(
    url,
    inject('engine') === 'sqlite'
      ? `delete from sqlite_sequence where name = '${table}'`
      : `alter sequence ${table}_id_seq restart`,
  );
  expect(await said(db)).toEqual([`The next ${name} would get the number 1, and 1 was given already.`]);
});

test('what a rebuild mends is told so, and is clean after it', async () => {
  const url = await readyUrl();
  const db = await temporaryDatabase(url);
  await fill(db);
  await breakBy(
    url,
    `update user_counts set count = 5; delete from user_counts where role = 'member'; update users set name_sort = 'x'; delete from last_sign_ins`,
  );
  const todos = new Set((await findingsOf(db)).map(({ todo }) => todo));
  expect([...todos]).toEqual(['Have it made anew: npm run roster -- rebuild-search.']);
  await transact(db, (trx) => rebuildSearch(trx));
  expect(await findingsOf(db)).toEqual([]);
});

test('of many of a kind the first twenty are told, and how many more there are', async () => {
  const url = await readyUrl();
  const db = await temporaryDatabase(url);
  await seedUsers(db, 1_500);
  await breakBy(url, `update users set name_sort = 'x'`);
  const found = await said(db);
  expect(found.length).toBe(21);
  expect(found.at(-1)).toBe(
    'And 1,480 more users who are found or sorted by something else than their values.',
  );
});

test('beside people who create, change, delete and bring back nothing seems wrong', async () => {
  const db = await temporaryDatabase();
  await seedUsers(db, 1_000);
  let isOver = false;
  const writer = async (name: string) => {
    for (let at = 0; !isOver; at++) {
      const { id } = await addUser(db, { username: `${name}${at}`, role: at % 3 ? 'member' : 'viewer' });
      const doing = [
        () =>
          transact(db, (trx) =>
            changeUser(trx, commandLine, id, { full_name: `${at}`, role: 'member' }, NOW),
          ),
        () => transact(db, (trx) => deleteUser(trx, commandLine, id, NOW)),
        () => (at % 2 ? transact(db, (trx) => restoreUser(trx, commandLine, id, NOW)) : undefined),
      ];
      for (const act of doing) await act();
    }
    return true;
  };
  const writers = ['ann', 'ben', 'cem'].map(writer);
  try {
    for (let time = 1; time <= 3; time++) expect(await findingsOf(db)).toEqual([]);
  } finally {
    isOver = true;
    await Promise.all(writers);
  }
  expect(await findingsOf(db)).toEqual([]);
});
