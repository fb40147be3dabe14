/** Erasing someone: who may, what is asked first, what everyone is told afterwards. */
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sql } from 'kysely';
import { describe, expect, inject, test } from 'vitest';
import { type Actor, commandLine } from '../../src/auth/actor.ts';
import { findCredentials, setRecoveryCodes } from '../../src/auth/credentials.ts';
import { addDraft, findDrafts } from '../../src/auth/drafts.ts';
import { findSessionsOf, insertSession } from '../../src/auth/sessions.ts';
import { insertTicket } from '../../src/auth/tickets.ts';
import { newKey, newToken } from '../../src/auth/tokens.ts';
import type { Db } from '../../src/db/schema.ts';
import { transact } from '../../src/db/transact.ts';
import { eraseUser } from '../../src/erasure/commands.ts';
import { readLedger } from '../../src/erasure/ledger.ts';
import { TABLES } from '../../src/erasure/tables.ts';
import { type ChangeSet, findChangeSet, findChangesInSet } from '../../src/history/queries.ts';
import { inOneSet, recordAccess } from '../../src/history/record.ts';
import { insertInvitation } from '../../src/invitations/queries.ts';
import { insertJob } from '../../src/jobs/queries.ts';
import { undoChangeSet } from '../../src/undo/commands.ts';
import { changeUser, deleteUser } from '../../src/users/commands.ts';
import { findUser, getUser } from '../../src/users/queries.ts';
import { tablesOf } from '../engines.ts';
import { bring } from '../imports/by-pages.ts';
import { changeMany } from '../jobs/many.ts';
import { pageOf } from '../page.ts';
import { addPerson, type Headers, signedIn } from '../people.ts';
import { addUser, get, interrupted, post, startApp, temporaryDatabase } from '../support.ts';

/** Ada, who was changed, deleted, and can be erased. */
async function start() {
  const app = await startApp();
  const { db } = app;
  const ann = await signedIn(app, await addPerson(db, 'ann', 'admin'));
  const ed = await signedIn(app, await addPerson(db, 'ed', 'editor'));
  const vera = await signedIn(app, await addPerson(db, 'vera', 'viewer'));
  const { id } = await addUser(db, { username: 'ada', full_name: 'Ada Byron' });
  await post(app, `/users/${id}`, { full_name: 'Ada Lovelace' }, ann);
  const remove = () => post(app, `/users/${id}/delete`, {}, ann);
  const erase = (fields: Record<string, string> = { username: 'ada' }) =>
    post(app, `/users/${id}/erase`, fields, ann);
  return { app, db, ann, ed, vera, id, remove, erase };
}

describe('erasing', () => {
  test('is of whoever was deleted before', async () => {
    const { app, ann, id, erase, remove } = await start();
    expect((await get(app, `/users/${id}/erase`, ann)).statusCode).toBe(404);
    expect((await erase()).statusCode).toBe(404);
    expect(pageOf(await get(app, `/users/${id}`, ann)).text).toContain('Ada Lovelace');
    await remove();
    expect(pageOf(await get(app, `/users/${id}`, ann)).link('Erase for good…')).toBe(`/users/${id}/erase`);
  });

  test('asks for the username, and keeps what was typed', async () => {
    const { app, ann, id, erase, remove } = await start();
    await remove();
    const nothing = pageOf(await erase({}));
    expect(nothing.text).toContain('Type the username.');
    const wrong = await erase({ username: 'Adam' });
    expect(wrong.statusCode).toBe(422);
    expect(pageOf(wrong).text).toContain('That is another username.');
    expect(pageOf(wrong).field('username')).toBe('Adam');
    expect((await get(app, `/users/${id}`, ann)).statusCode).toBe(404);
    // As usernames are compared.
    expect((await erase({ username: ' ADA ' })).statusCode).toBe(303);
  });

  test('leaves a page that says so to those who may know of the deleted, and none to others', async () => {
    const { app, ann, ed, vera, id, erase, remove } = await start();
    await remove();
    const { headers, body } = await erase();
    expect(body).toBe(`User ${id} is erased.\n`);
    await app.scrub();
    const page = await get(app, `/users/${id}`, ed);
    expect(page.statusCode).toBe(410);
    expect(pageOf(page).text).toMatch(/ann erased this user .* What they were called is not known any more/);
    expect((await get(app, `/users/${id}`, vera)).statusCode).toBe(404);
    expect((await get(app, `/users/${id}?at=2026-01-31`, ann)).statusCode).toBe(404);
    expect((await post(app, `/users/${id}/restore`, {}, ann)).statusCode).toBe(404);
    // A second administrator has the form open.
    expect(pageOf(await erase()).text).toContain('ann erased this user');
    expect((await get(app, `/users/${id}/erase`, ann)).statusCode).toBe(410);
    const list = pageOf(await get(app, `/history?user=${id}`, ann)).text;
    expect(list).toContain(`ann Erased user ${id}`);
    expect(list).not.toMatch(/ada|lovelace|byron/i);
    expect(pageOf(await get(app, `${headers.location}`, vera)).text).toContain(`ann`);
    expect(pageOf(await get(app, '/history?kind=erased', vera)).text).toContain(`ann Erased user ${id}`);
  });

  test('is refused where nobody could note it', async () => {
    const { app, ann, id, erase, remove } = await start();
    await remove();
    app.ledger = join(app.ledger, 'no folder');
    const refused = await erase();
    expect(refused.statusCode).toBe(422);
    expect(pageOf(refused).text).toContain(
      'Nobody was erased: Roster cannot write the file that says who was',
    );
    expect((await get(app, `/users/${id}`, ann)).statusCode).toBe(404);
  });

  test('is said not to be noted until it is', async () => {
    const { app, ann, erase, remove } = await start();
    await remove();
    writeFileSync(app.ledger, 'damaged\n');
    const { headers } = await erase();
    await app.scrub();
    const show = async () => pageOf(await get(app, `${headers.location}`, ann)).text;
    expect(await show()).toContain('Not noted yet: no page shows it any more.');
    rmSync(app.ledger);
    await app.scrub();
    expect(await show()).toMatch(/Gone from (every byte|the tables)/);
    // What has become of one says nothing of the next.
    const { id } = await addUser(app.db, { username: 'bob' });
    await post(app, `/users/${id}/delete`, {}, ann);
    await transact(app.db, (trx) => eraseUser(trx, commandLine, id, Date.now()));
    expect(pageOf(await get(app, `/users/${id}`, ann)).text).toContain('Under way:');
    expect(readLedger(app.ledger).length).toBe(1);
  });

  test.runIf(inject('engine') === 'sqlite')(
    'is noted also where the disk is too full to overwrite anything, and the page says that it is',
    async () => {
      const { app, db, ann, id, remove } = await start();
      for (let index = 0; index < 300; index++) await addUser(db, { username: `other${index}` });
      await remove();
      const { set } = await transact(db, (trx) => eraseUser(trx, commandLine, id, Date.now()));
      // All that is free in the file is used up, and it cannot grow.
      await transact(db, async (trx) => {
        const { rows } = await sql<{ freelist_count: number }>`pragma freelist_count`.execute(trx);
        await sql`insert into zeros values (zeroblob(${4_096 * ((rows[0]?.freelist_count ?? 0) + 1)}))`.execute(
          trx,
        );
        await sql`pragma max_page_count = 1`.execute(trx);
      });
      await app.scrub();
      expect(readLedger(app.ledger)).toMatchObject([{ users: [{ user_id: id }] }]);
      const full = await get(app, `/history/${set}`, ann);
      expect(pageOf(full).text).toContain('Not overwritten yet: no page shows it any more, and it is noted');
      expect(pageOf(full).text).toContain('cannot be overwritten: its disk is full. Roster tries again');
      expect(full.headers.refresh).toBeUndefined();
      await transact(db, (trx) => sql`pragma max_page_count = 1000000`.execute(trx));
      await app.scrub();
      expect(pageOf(await get(app, `/history/${set}`, ann)).text).toContain('Gone from every byte');
    },
  );

  test('is noted before the answer, while what others left is still being overwritten', async () => {
    const { app, id, erase, remove } = await start();
    await remove();
    const { scrub } = app;
    app.scrub = async () => {};
    expect((await erase()).statusCode).toBe(303);
    app.scrub = scrub;
    expect(readLedger(app.ledger)).toMatchObject([{ users: [{ user_id: id }] }]);
  });

  test('is not undone, and nothing that was done before brings them back', async () => {
    const { app, ann, id, erase, remove } = await start();
    const before = await app.db.selectFrom('change_sets').select('id').execute();
    await remove();
    const { headers } = await erase();
    const sets = [...before.map(({ id: set }) => `/history/${set}`), `${headers.location}`];
    const { id: deletion } = await app.db
      .selectFrom('change_sets')
      .select('id')
      .where('kind', '=', 5)
      .executeTakeFirstOrThrow();
    for (const set of [...sets, `/history/${deletion}`]) {
      await post(app, `${set}/undo`, {}, ann);
      expect((await get(app, `/users/${id}`, ann)).statusCode, set).toBe(410);
    }
    // The number stays taken.
    expect((await addUser(app.db, { username: 'next' })).id).toBeGreaterThan(id);
    // Their names are free.
    expect((await addUser(app.db, { username: 'ada' })).id).toBeGreaterThan(id);
  });

  test('leaves what was done to many to be undone for the others', async () => {
    const app = await startApp();
    const { db } = app;
    const ann = await signedIn(app, await addPerson(db, 'ann', 'admin'));
    const set = await changeMany(db, 3);
    const [first, second] = (await findChangesInSet(db, set, { user_id: 0, version: 0 }, 3)).map(
      ({ user_id }) => user_id,
    );
    const { username } = await getUser(db, first ?? 0);
    await post(app, `/users/${first}/delete`, {}, ann);
    await post(app, `/users/${first}/erase`, { username }, ann);
    const undone = await post(app, `/history/${set}/undo`, {}, ann);
    expect(undone.body).toBe('Undone for 2 of 3 users; 1 was left, or done in part.\n');
    expect((await getUser(db, second ?? 0)).full_name).toBe('Before');
    const page = pageOf(await get(app, `/history/${set}/undo`, ann)).text;
    expect(page).toContain(`user ${first} was erased`);
  });

  // On SQLite one waits for the other.
  test.runIf(inject('engine') === 'postgres')(
    'while somebody undoes the deletion leaves that one, and the others are brought back',
    async () => {
      const app = await startApp();
      const { db } = app;
      const ann = await signedIn(app, await addPerson(db, 'ann', 'admin'));
      const ids = (await Promise.all([1, 2].map((one) => addUser(db, { username: `one${one}` })))).map(
        ({ id }) => id,
      );
      const [lost = 0] = ids;
      const set = await transact(db, async (trx) => {
        const begun = { at: Date.now(), kind: 'deleted' } as const;
        const removeAll = async (actor: Actor) => {
          for (const id of ids) await deleteUser(trx, actor, id, Date.now());
        };
        return (await inOneSet(trx, commandLine, begun, removeAll)).set ?? 0;
      });
      // Once it is planned, somebody erases one of them.
      const racing = interrupted(
        db,
        ({ id, fields }) => id === lost && fields !== undefined,
        () => transact(db, (trx) => eraseUser(trx, commandLine, lost, Date.now())),
      );
      const changeSet = (await findChangeSet(db, set)) as ChangeSet;
      const undone = await transact(racing, (trx) =>
        undoChangeSet(trx, commandLine, changeSet, undefined, Date.now()),
      );
      expect(undone).toMatchObject({ kind: 'undone', left: [{ id: lost, why: 'erased' }] });
      expect(await findUser(db, ids[1] ?? 0)).toBeDefined();
      expect((await get(app, `/users/${lost}`, ann)).statusCode).toBe(410);
    },
  );

  test('forgets every form that waits, whomever it is about: nobody can tell whom it names', async () => {
    const { app, db, id, erase, remove } = await start();
    const drafts = [
      { form: `/users/${id}/edit?from=page%3D2`, fields: { full_name: 'Nobody' } },
      { form: '/users/new', fields: { username: 'someone', full_name: ' ADA  Lovelace' } },
      { form: '/users/1/edit?from=q%3Dlovelace', fields: { full_name: 'Ann' } },
      { form: '/users/new', fields: { username: 'lovlace' } },
    ];
    for (const draft of drafts) {
      const row = { token: newToken(), user_id: 2, address: '', browser: '' };
      const session = await transact(db, (trx) => insertSession(trx, row, Date.now()));
      await transact(db, (trx) => addDraft(trx, session, draft));
    }
    await remove();
    expect(
      pageOf(await get(app, `/users/${id}/erase`, await signedIn(app, await getUser(db, 1)))).text,
    ).toContain('Everyone’s forms that wait for somebody to sign in again');
    const waiting = () => db.selectFrom('sessions').select('draft').where('draft', 'is not', null).execute();
    expect((await waiting()).length).toBe(4);
    await erase();
    expect(await waiting()).toEqual([]);
    expect((await get(app, `/users/${id}`, await signedIn(app, await getUser(db, 1)))).statusCode).toBe(410);
  });

  // On SQLite one waits for the other in any case.
  test.runIf(inject('engine') === 'postgres')(
    'waits for whoever keeps a form about them, and is waited for',
    async () => {
      const { db, id, remove } = await start();
      await remove();
      const row = { token: newToken(), user_id: 1, address: '', browser: '' };
      const session = await transact(db, (trx) => insertSession(trx, row, Date.now()));
      const [erased, end] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
      const erasing = transact(db, async (trx) => {
        await eraseUser(trx, commandLine, id, Date.now());
        erased.resolve();
        await end.promise;
      });
      await erased.promise;
      let isKept = false;
      const draft = { form: `/users/${id}/edit`, fields: { username: 'ada' } };
      const keeping = transact(db, (trx) => addDraft(trx, session, draft)).then(() => {
        isKept = true;
      });
      const waiting = sql`select from pg_locks where not granted and relation = 'roster_version'::regclass or
      not granted and locktype = 'transactionid'`;
      await expect.poll(async () => isKept || (await waiting.execute(db)).rows.length > 0).toBe(true);
      end.resolve();
      await Promise.all([erasing, keeping]);
      expect(await findDrafts(db, session)).toEqual([]);
    },
  );

  test('forgets what was kept for forms that are sent twice, and all counts of wrong passwords', async () => {
    const { app, db, ann, ed, id, erase, remove } = await start();
    const key = newKey();
    await post(app, `/users/${id}`, { full_name: 'Ada King', key }, ed);
    await post(app, '/sign-in', { username: 'ada', password: 'wrong' });
    expect(await db.selectFrom('guesses').selectAll().execute()).not.toEqual([]);
    await remove();
    await erase();
    expect(await db.selectFrom('guesses').selectAll().execute()).toEqual([]);
    const kept = await db.selectFrom('kept_answers').select('answer').execute();
    expect(kept).toEqual([{ answer: '' }]);
    expect((await post(app, `/users/${id}`, { full_name: 'Ada King', key }, ed)).statusCode).toBe(303);
    expect((await get(app, `/users/${id}`, ann)).statusCode).toBe(410);
  });

  test('leaves it known that a form was sent, so that it does nothing twice', async () => {
    const { app, db, ann, remove, erase } = await start();
    const forms = [
      ['/users', { username: 'alice', email: 'alice@example.org', key: newKey() }],
      ['/invite', { email: 'kim@example.org', role: 'viewer', key: newKey() }],
    ] as const;
    for (const [address, form] of forms) expect((await post(app, address, form, ann)).statusCode).toBe(303);
    await remove();
    await erase();
    for (const [address, form] of forms) {
      const again = await post(app, address, form, ann);
      expect([again.statusCode, again.headers.location, again.body]).toEqual([
        303,
        '/users',
        'This was done already, when it was sent before. To do it once more, open the form anew.\n',
      ]);
    }
    expect(
      await db.selectFrom('users').select('id').where('username', 'like', 'kim%').execute(),
    ).toHaveLength(1);
  });

  test('takes what was typed about them out of jobs, and leaves what was typed about others', async () => {
    const { app, db, id, erase, remove } = await start();
    const fields = { [`${id}.username.other`]: 'ada2', [`${id}1.username.other`]: 'eve2', rest: 'leave' };
    const params = JSON.stringify({ undoes: 1, fields, seen: { [id]: 'x' } });
    await transact(db, (trx) =>
      insertJob(trx, { kind: 'undo', set_id: 1, actor_id: null, params, total: 1 }),
    );
    await remove();
    await erase();
    const kept = await app.db.selectFrom('jobs').select('params').executeTakeFirstOrThrow();
    expect(JSON.parse(kept.params)).toEqual({
      undoes: 1,
      fields: { [`${id}1.username.other`]: 'eve2', rest: 'leave' },
      seen: {},
    });
  });
});

function missing(): never {
  throw new Error('There are no credentials.');
}

async function userNamed(db: Db, username: string) {
  const named = db.selectFrom('users').select('id').where('username', '=', username);
  return named.executeTakeFirstOrThrow();
}

describe('what is kept of someone', () => {
  test('is a file for them and for administrators, without secrets', async () => {
    const { app, db, ann, ed, vera } = await start();
    const { id } = await userNamed(db, 'vera');
    await post(app, `/users/${id}`, { full_name: 'Vera Rubin' }, ann);
    for (const [headers, status] of [
      [ann, 200],
      [vera, 200],
      [ed, 403],
    ] as const)
      expect((await get(app, `/users/${id}/data`, headers)).statusCode).toBe(status);
    const file = await get(app, `/users/${id}/data`, vera);
    expect(file.headers['content-type']).toBe('application/json; charset=utf-8');
    expect(file.headers['content-disposition']).toBe(`attachment; filename="user-${id}.json"`);
    const data = file.json();
    expect(data.users).toMatchObject([{ id, username: 'vera', full_name: 'Vera Rubin', role: 'viewer' }]);
    expect(data.changes).toMatchObject([
      { version: 2, what: 'changed', by: 1, fields: { full_name: { became: 'Vera Rubin' } } },
      { version: 1, what: 'created' },
    ]);
    expect(data.sessions).toMatchObject([
      { address: '127.0.0.1', browser: expect.stringContaining('Firefox') },
    ]);
    expect(data.credentials).toMatchObject([{ has_second_factor: false }]);
    expect(file.body).not.toMatch(/argon2|token|hash/);
    // It stays in no cache of whoever else uses the browser.
    expect(file.headers['cache-control']).toBe('private, no-store');
  });

  test('names each act once, with what it was about, and a form that waits to the one alone who has sent it', async () => {
    const { app, db, ann, ed } = await start();
    const { id } = await userNamed(db, 'vera');
    await post(app, `/users/${id}`, { role: 'editor', full_name: 'Vera' }, ann);
    const vera = await signedIn(app, await getUser(db, id));
    const herself: Actor = { ...commandLine, via: 'form', user: { id, username: 'vera' } };
    await transact(db, async (trx) => {
      await recordAccess(trx, herself, 'password changed', { id, username: 'vera' }, Date.now());
      await setRecoveryCodes(trx, id, ['one', 'two']);
      const [session] = await findSessionsOf(db, id, 1);
      await addDraft(trx, session?.id ?? 0, { form: '/users/new', fields: { username: 'somebody' } });
    });
    const fileFor = async (by: Headers) => (await get(app, `/users/${id}/data`, by)).json();
    const [own, others] = [await fileFor(vera), await fileFor(ann)];
    expect(own.recovery_codes).toEqual([{ left: 2 }]);
    expect(own.change_sets).toMatchObject([
      { event: 'password changed', detail: null, by: id },
      { event: 'role changed', detail: 'editor', by: 1 },
    ]);
    expect(own.sessions).toMatchObject([{ waiting: [{ form: '/users/new' }] }]);
    expect(JSON.stringify(others)).not.toContain('somebody');
    for (const address of [`/users/${id}`, `/users/${id}/data`])
      expect((await get(app, address, ann)).statusCode).toBe(200);
    expect(pageOf(await get(app, `/users/${id}`, ann)).link('Download')).toBe(`/users/${id}/data`);
    expect(pageOf(await get(app, `/users/${id}`, ed)).text).not.toContain(
      'everything that Roster keeps about',
    );
  });

  test('is everything that the list of tables names', async () => {
    const { app, db, ann } = await start();
    const { id } = await addPerson(db, 'max', 'admin', { hasCode: true, recoveryHashes: ['one'] });
    const max = await signedIn(app, await getUser(db, id));
    await bring(app, max, 'username,email\nbo,bo@example.org\n', 'people of max.csv');
    await post(app, '/users', { username: 'by.max', email: 'by.max@example.org' }, max);
    await transact(db, async (trx) => {
      await insertInvitation(trx, id, newToken(), Date.UTC(2026, 0, 31));
      await insertTicket(trx, (await findCredentials(trx, id)) ?? missing(), Date.UTC(2026, 1, 1));
    });
    const file = (await get(app, `/users/${id}/data`, ann)).json();
    const tables = Object.entries(TABLES).filter(([, table]) => 'read' in table);
    expect(Object.keys(file)).toEqual(tables.map(([name]) => name));
    expect(file.invitations).toEqual([{ created_at: '2026-01-31T00:00:00.000Z' }]);
    expect(file.tickets).toEqual([{ created_at: '2026-02-01T00:00:00.000Z' }]);
    expect(file.imports).toMatchObject([{ file_name: 'people of max.csv', size: expect.any(Number) }]);
    // Nobody is there and deleted at once.
    const empty = Object.keys(file).filter((table) => file[table].length === 0);
    expect(empty).toEqual(['deleted_users']);
  });

  test('is of one moment, whatever is done to them meanwhile', async () => {
    const db = await temporaryDatabase();
    const { id } = await addUser(db, { username: 'vera', full_name: 'Vera Cooper' });
    // Once it was seen that there is somebody, and what they are was read.
    let reads = 0;
    const racing = interrupted(
      db,
      (row) => row.id === id && 'search_text' in row && ++reads === 2,
      () => transact(db, (trx) => changeUser(trx, commandLine, id, { full_name: 'Vera Rubin' }, Date.now())),
    );
    const app = await startApp({}, racing);
    const ann = await signedIn(app, await addPerson(db, 'ann', 'admin'));
    const { users, changes } = (await get(app, `/users/${id}/data`, ann)).json();
    expect(reads).toBe(2);
    expect(users).toMatchObject([{ full_name: 'Vera Cooper', version: 1 }]);
    expect(changes).toMatchObject([{ version: 1 }]);
    expect((await get(app, `/users/${id}/data`, ann)).json().changes).toHaveLength(2);
  });

  test('is there of the deleted, for administrators, and of nobody who is erased', async () => {
    const { app, ann, id, erase, remove } = await start();
    await remove();
    const { deleted_users, changes } = (await get(app, `/users/${id}/data`, ann)).json();
    expect(deleted_users).toMatchObject([{ id, username: 'ada', full_name: 'Ada Lovelace' }]);
    expect(changes.length).toBe(3);
    await erase();
    expect((await get(app, `/users/${id}/data`, ann)).statusCode).toBe(404);
    expect((await get(app, '/users/999/data', ann)).statusCode).toBe(404);
  });

  test('is in tables that are all known', async () => {
    const known = [...Object.keys(TABLES), 'roster_version', 'sqlite_sequence', 'zeros'];
    for (const table of await tablesOf(await temporaryDatabase()))
      if (!/^users_search_\d+_/.test(table)) expect(known).toContain(table);
  });
});
