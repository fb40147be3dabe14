import { join } from 'node:path';
import { type KyselyPlugin, sql } from 'kysely';
import { describe, expect, inject, test } from 'vitest';
import { findCredentials } from '../../src/auth/credentials.ts';
import { findDrafts } from '../../src/auth/drafts.ts';
import { writeKey } from '../../src/auth/key-file.ts';
import { isPassword } from '../../src/auth/password-hashing.ts';
import { openSecret } from '../../src/auth/second-factor-secrets.ts';
import { loadKey } from '../../src/auth/secret-key.ts';
import { findSession } from '../../src/auth/sessions.ts';
import { findFaults } from '../../src/check/run.ts';
import { derivedColumns } from '../../src/db/derived-columns.ts';
import { engineOf } from '../../src/db/engine.ts';
import { migrate } from '../../src/db/migrate.ts';
import { MIGRATIONS } from '../../src/db/migration-list.ts';
import * as names from '../../src/db/migrations/0006-names.ts';
import type { Db } from '../../src/db/schema.ts';
import { transact } from '../../src/db/transact.ts';
import { countByKind } from '../../src/db/user-counts.ts';
import { KINDS, ROLE_CHANGED } from '../../src/history/kinds.ts';
import { type HistoryFilter, readHistory } from '../../src/history/list.ts';
import { findInvitation } from '../../src/invitations/queries.ts';
import { Deadline } from '../../src/lib/deadline.ts';
import { parseSearch } from '../../src/search/terms.ts';
import { readCounts } from '../../src/users/counts.ts';
import { tablesOf } from '../engines.ts';
import { addUser, expectLastSignIns, SECRET_KEY, temporaryDatabase, temporaryFolder } from '../support.ts';
import { catalogueOf } from './catalogue.ts';
import { openAsItIs, restoreVersion } from './versions/restore.ts';

/** Searches, and whom they find. */
const NAMES = {
  'grace hopper': 7,
  'renamed@example.org': 8,
  'muller jurg': 53,
  'lodz strasse': 54,
  "d'arc": 55,
  ΣΊΣΥΦΟΣ: 56,
  नमस्ते: 57,
  かぎ: 58,
  istanbul: 800_000,
};
/** The one after the last was made, too, and deleted. */
const NEXT = 800_002;
/** When the invitation had just been made. */
const THEN = Date.UTC(2026, 10, 23, 6);
/** When the one of version 7 had signed in. */
const SIGNED_IN = Date.UTC(2026, 10, 23, 5, 9);

async function find(db: Db, q: string): Promise<number[]> {
  const search = await engineOf(db).searchIndexOf(db);
  const question = { terms: parseSearch(q), condition: undefined, isReversed: false, limit: 5_000 };
  return search.find(db, question, Deadline.in(60_000));
}

async function usersOf(db: Db) {
  return db.selectFrom('users').selectAll().orderBy('id').execute();
}

async function expectCounts(db: Db): Promise<void> {
  const counts = (await readCounts(db)).filter(({ count }) => count > 0);
  const right = countByKind(await usersOf(db));
  expect(counts).toHaveLength(right.length);
  expect(counts).toEqual(expect.arrayContaining(right));
}

/** Every row of the tables that say who may sign in, and who has. */
async function accessOf(db: Db, tables: readonly string[]) {
  const rows = tables.map(async (table) => {
    const all = await sql<object>`select * from ${sql.table(table)} order by 1`.execute(db);
    // What a later version has added there.
    return [table, all.rows.filter((row) => !('name' in row && row.name === 'identity'))] as const;
  });
  return Object.fromEntries(await Promise.all(rows));
}

/** As today's Roster makes it, with the indexes that those of every version have. */
async function newDatabase(): Promise<Db> {
  const db = await temporaryDatabase();
  await transact(db, (trx) => engineOf(trx).writeLastId(trx, NEXT - 1));
  await addUser(db, { username: 'far' });
  return db;
}

async function accessTablesOf(db: Db): Promise<string[]> {
  return (await tablesOf(db)).filter((name) => !/^(users|user_counts|roster_version|sqlite_)/.test(name));
}

/** The tables, indexes and constraints of a new one. */
let ofNew: string | undefined;

const VERSIONS = MIGRATIONS.map((_migration, index) => index + 1);

describe.each(VERSIONS)('a database of version %i', (version) => {
  test('has its users, found and counted, and the form of a new one, once it has been opened, and a check finds nothing', async () => {
    const url = await restoreVersion(version);
    const before = await usersOf(openAsItIs(url));
    expect(before).toHaveLength(58);

    const db = await temporaryDatabase(url);
    ofNew ??= await catalogueOf(await newDatabase());
    expect(await catalogueOf(db)).toBe(ofNew);
    expect(await Array.fromAsync(findFaults(db, { quick: false }))).toEqual([]);
    expect(await usersOf(db)).toMatchObject(
      before.map((user) => ({ ...user, role: user.role ?? 'member', ...derivedColumns(user) })),
    );
    await expectCounts(db);
    await expectLastSignIns(db);
    expect(await find(db, 'example')).toEqual(before.map(({ id }) => id));
    for (const [q, id] of Object.entries(NAMES)) expect(await find(db, q), q).toEqual([id]);

    expect((await addUser(db, { username: 'late', full_name: 'Zoë Späth' })).id).toBe(NEXT);
    expect(await find(db, 'zoe spath')).toEqual([NEXT]);
    await expectCounts(db);
  });
});

test('more users than are read at once are all found', async () => {
  const url = await restoreVersion(1);
  const db = openAsItIs(url);
  await transact(db, async (trx) => {
    await sql`
      insert into users (username, username_key, email, email_key, is_active, created_at, updated_at)
      select 'many' || n, 'many' || n, 'many' || n || '@example.org', 'many' || n || '@example.org', is_active, 0, 0
      from (select row_number() over () as n, one.is_active from users as one, users as other) as many`.execute(
      trx,
    );
    for (const isActive of [true, false])
      await sql`
        update user_counts set count = count + (select count(*) from users where username like 'many%' and is_active = ${isActive})
        where is_active = ${isActive} and ${engineOf(trx).counterShard}`.execute(trx);
  });
  const today = await temporaryDatabase(url);
  const users = await usersOf(today);
  expect(users).toHaveLength(58 + 58 * 58);
  expect(await find(today, 'example')).toEqual(users.map(({ id }) => id));
  expect(await find(today, 'many3364')).toEqual([users.at(-1)?.id]);
  await expectCounts(today);
});

/** Roles, credentials and sessions came with version 3. */
describe.each(VERSIONS.slice(2))('a database of version %i', (version) => {
  test('lets everyone in as before', async () => {
    const url = await restoreVersion(version);
    const asItWas = openAsItIs(url);
    const tables = await accessTablesOf(asItWas);
    const before = await accessOf(asItWas, tables);

    const db = await temporaryDatabase(url);
    expect(await accessOf(db, tables)).toMatchObject(before);
    const hash = (await findCredentials(db, 11))?.password_hash;
    expect(await isPassword('password of 11', hash)).toBe(true);
    const session = await findSession(db, 'token of 11');
    expect(session).toMatchObject({ user_id: 11, role: 'editor' });
    expect(await findDrafts(db, Number(session?.id))).toEqual([
      { form: '/users/new', fields: { username: 'Zoë' } },
    ]);
    expect(await findInvitation(db, 'link of 12', THEN)).toMatchObject({ kind: 'good', user: { id: 12 } });

    const path = join(temporaryFolder(), 'key');
    writeKey(path, SECRET_KEY);
    const { key } = await loadKey(db, path);
    const credentials = await findCredentials(db, 6);
    expect(openSecret(key, 6, credentials?.code_secret ?? '')).toBe('JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP');
  });
});

describe('when someone has last signed in', () => {
  const lastSignIns = async (db: Db) => {
    const rows = await db
      .selectFrom('credentials')
      .select(['user_id', 'last_sign_in_at'])
      .orderBy('user_id')
      .execute();
    return rows.map(({ user_id, last_sign_in_at }) => [user_id, last_sign_in_at]);
  };

  test('is known of those whose sessions were there before it was noted, and of no others', async () => {
    const url = await restoreVersion(6);
    const old = openAsItIs(url);
    await transact(old, async (trx) => {
      await sql`delete from sessions where user_id = 6`.execute(trx);
      await sql`
        insert into sessions (token_hash, user_id, created_at, seen_at, address, browser)
        values ('later', 11, ${THEN}, ${THEN}, '192.0.2.7', 'Firefox on Linux')`.execute(trx);
    });
    const db = await temporaryDatabase(url);
    expect(await lastSignIns(db)).toEqual([
      [6, 0],
      [11, THEN],
    ]);
  });

  test('is kept', async () => {
    const db = await temporaryDatabase(await restoreVersion(7));
    expect(await lastSignIns(db)).toEqual([
      [6, null],
      [11, SIGNED_IN],
    ]);
  });
});

describe('the order and the search of names, made in steps', () => {
  const { step } = names;

  /** Runs so many steps, each saved by itself; one more is begun, and then the process is gone. */
  async function endAfter(steps: number, url: string): Promise<boolean> {
    const db = openAsItIs(url);
    const { name } = engineOf(db);
    for (let done = 0; done < steps; done++)
      if (!(await transact(db, (trx) => step[name](trx)))) return false;
    const killed = transact(db, async (trx) => {
      await step[name](trx);
      throw new Error('killed');
    });
    await expect(killed).rejects.toThrow('killed');
    return true;
  }

  test('are gone on with wherever they were ended', async () => {
    const today = await newDatabase();
    for (let steps = 0; ; steps++) {
      const url = await restoreVersion(5);
      const isMore = await endAfter(steps, url);
      const db = await temporaryDatabase(url);
      const users = await usersOf(db);
      expect(users).toHaveLength(58);
      expect(users).toMatchObject(users.map((user) => derivedColumns(user)));
      for (const [q, id] of Object.entries(NAMES))
        expect(await find(db, q), `${q} after ${steps}`).toEqual([id]);
      expect(await catalogueOf(db)).toBe(await catalogueOf(today));
      if (!isMore) break;
    }
  });

  test('are made once by two that start at the same time, and take turns', async () => {
    const url = await restoreVersion(5);
    const both = [openAsItIs(url), openAsItIs(url)];
    await Promise.all(both.map((db) => migrate(db, MIGRATIONS, 0)));
    const db = await temporaryDatabase(url);
    for (const [q, id] of Object.entries(NAMES)) expect(await find(db, q), q).toEqual([id]);
    expect(await catalogueOf(db)).toBe(await catalogueOf(await newDatabase()));
  });

  test('go on where an older Roster has made the search anew meanwhile', async () => {
    const url = await restoreVersion(5);
    const before = (await usersOf(openAsItIs(url))).map(({ id, search_text }) => ({ id, search_text }));
    await endAfter(100, url);
    const old = openAsItIs(url);
    await transact(old, async (trx) => {
      for (const { id, search_text } of before) {
        const [{ search_text: now } = { search_text: '' }] = await trx
          .selectFrom('users')
          .select('search_text')
          .where('id', '=', id)
          .execute();
        await sql`update users set search_text = ${search_text} where id = ${id}`.execute(trx);
        await engineOf(trx).indexSearchTexts(trx, [{ id, before: now, after: search_text }]);
      }
      if (engineOf(trx).name === 'postgres')
        await sql`create index if not exists users_search_text on users (search_text)`.execute(trx);
    });
    const db = await temporaryDatabase(url);
    for (const [q, id] of Object.entries(NAMES)) expect(await find(db, q), q).toEqual([id]);
    expect(await usersOf(db)).toMatchObject((await usersOf(db)).map((user) => derivedColumns(user)));
  });

  test.runIf(inject('engine') === 'postgres')(
    'find who is changed by an older Roster while a step is at work: it waits',
    async () => {
      const url = await restoreVersion(5);
      const old = openAsItIs(url);
      const db = openAsItIs(url);
      const writeOld = (id: number, set: string, text: string) =>
        transact(old, (trx) =>
          sql`update users set ${sql.raw(set)}, search_text = ${`\n\n${text}`} where id = ${id}`.execute(trx),
        );
      await transact(db, (trx) => step.postgres(trx));
      let change: Promise<unknown> | undefined;
      const whenRead: KyselyPlugin = {
        transformQuery: ({ node }) => node,
        transformResult: async ({ result }) => {
          if (change === undefined && 'full_name' in (result.rows[0] ?? {})) {
            let isOver = false;
            change = writeOld(7, "full_name = 'Zoë Späth'", 'zoe spath').then(() => {
              isOver = true;
            });
            while (!isOver && !(await isAnyoneWaiting(db)));
          }
          return result;
        },
      };
      await transact(db, (trx) => step.postgres(trx.withPlugin(whenRead)));
      await change;
      await migrate(db, MIGRATIONS);
      expect(await find(db, 'spaeth')).toEqual([7]);
      await expect(writeOld(8, 'version = version', 'late')).rejects.toThrow('users_search_text_has_fields');
    },
  );

  async function isAnyoneWaiting(db: Db): Promise<boolean> {
    const { rows } = await sql`
      select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`.execute(
      db,
    );
    return rows.length > 0;
  }

  test('find who was written by an older Roster meanwhile', async () => {
    const url = await restoreVersion(5);
    await endAfter(100, url);
    const old = openAsItIs(url);
    const text = '\n\nlate\n\nlate@example.org\n\nzoe spath';
    await transact(old, async (trx) => {
      await sql`
        insert into users (id, username, username_key, email, email_key, full_name, search_text, is_active, role, created_at, updated_at)
        values (59, 'late', 'late', 'late@example.org', 'late@example.org', 'Zoë Späth', ${text}, ${true}, 'member', 1, 1)
      `.execute(trx);
      await engineOf(trx).indexSearchTexts(trx, [{ id: 59, before: undefined, after: text }]);
    });
    const db = await temporaryDatabase(url);
    expect(await find(db, 'spaeth zoe')).toEqual([59]);
    expect(await find(db, 'la')).toEqual([59]);
  });
});

test('what an earlier Roster noted beside changes of roles stands once in each list, with what it stood beside', async () => {
  const url = await restoreVersion(14);
  const old = openAsItIs(url);
  const at = Date.UTC(2026, 10, 23, 7);
  const set = { at, subject_id: 13, users: 1, kind: KINDS.access, via: 1, actor_kind: 3 };
  await transact(old, (trx) =>
    trx
      .insertInto('change_sets')
      .values([
        { ...set, id: 901, event: 'role changed', detail: 'editor' },
        { ...set, id: 902, event: 'own role changed', detail: 'viewer' },
        { ...set, id: 903, event: 'session ended' },
      ])
      .execute(),
  );
  const db = await temporaryDatabase(url);
  const read = async (filter: HistoryFilter) =>
    (await readHistory(db, { ...filter, from: at }, undefined, 10)).sets.map(({ id }) => id);
  expect(await read({ kinds: ['changed', 'access'] })).toEqual([903]);
  expect(await read({ kinds: ['access', 'role'] })).toEqual([903, 901]);
  expect(await read({ kinds: [], own: { id: 13, kinds: ['access', 'own role'] } })).toEqual([903, 902]);
  const events = db.selectFrom('change_sets').select('event').where('id', '>', 900).orderBy('id');
  expect((await events.execute()).map(({ event }) => event)).toEqual([
    ROLE_CHANGED,
    ROLE_CHANGED,
    'session ended',
  ]);
});
