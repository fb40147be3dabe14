/** Who acts, on locked rows: what that keeps others from, and what it does not. */
import { sql } from 'kysely';
import { describe, expect, test, vi } from 'vitest';
import { commandLine } from '../../../src/auth/actor.ts';
import { shareAdministrators } from '../../../src/auth/administrators.ts';
import { lockErasing } from '../../../src/auth/drafts.ts';
import { deleteSessionsOf, findRoleOf } from '../../../src/auth/sessions.ts';
import { hashOf, newToken } from '../../../src/auth/tokens.ts';
import { doToAll } from '../../../src/bulk/commands.ts';
import type { Db, Trx } from '../../../src/db/schema.ts';
import { transact } from '../../../src/db/transact.ts';
import { eraseUser } from '../../../src/erasure/commands.ts';
import { ContendedError } from '../../../src/errors.ts';
import { type ChangeSet, findChangeSet } from '../../../src/history/queries.ts';
import { beginSet, inOneSet } from '../../../src/history/record.ts';
import { acceptInvitation } from '../../../src/invitations/commands.ts';
import { insertInvitation } from '../../../src/invitations/queries.ts';
import type { Work } from '../../../src/jobs/batch.ts';
import { lockBesideActor } from '../../../src/jobs/job-actor.ts';
import { insertJob } from '../../../src/jobs/queries.ts';
import { runJobs } from '../../../src/jobs/run.ts';
import { Mutex } from '../../../src/lib/mutex.ts';
import { makeAdministrator } from '../../../src/setup/commands.ts';
import { beginUndo, undoBatch } from '../../../src/undo/job.ts';
import { changeUser, createUser, deleteUser } from '../../../src/users/commands.ts';
import { lockUsers } from '../../../src/users/queries.ts';
import { runnerOf } from '../../jobs/many.ts';
import { meeting } from '../../meeting.ts';
import { pageOf } from '../../page.ts';
import { addPerson, PASSWORD, signedIn } from '../../people.ts';
import { addUser, post, startApp } from '../../support.ts';

async function start() {
  const app = await startApp();
  const ann = await addPerson(app.db, 'ann', 'admin');
  const eve = await addPerson(app.db, 'eve', 'admin');
  const headers = await signedIn(app, eve);
  const { id } = await app.db.selectFrom('sessions').select('id').executeTakeFirstOrThrow();
  const session = { id, token_hash: hashOf(headers.cookie.split('=')[1] ?? '') };
  return { app, ann, eve, headers, session };
}

/** Waits until some connection to the database waits for a lock. */
async function someoneWaits(db: Db): Promise<void> {
  const waiting = sql`
    select 1 from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`;
  await expect.poll(async () => (await waiting.execute(db)).rows.length, { interval: 1 }).toBeGreaterThan(0);
}

/** The order in which a transaction that holds something ends, and another that has to wait for it. */
async function orderOf(
  db: Db,
  hold: (trx: Trx) => Promise<unknown>,
  other: () => Promise<unknown>,
): Promise<string[]> {
  const ended: string[] = [];
  let waiting: Promise<unknown> = Promise.resolve();
  await transact(db, async (trx) => {
    await hold(trx);
    waiting = other().then(() => ended.push('the other'));
    await someoneWaits(db);
    ended.push('who acts');
  });
  await waiting;
  return ended;
}

/** What is done amid a batch of a job, by whoever has begun it. */
async function runBatch(db: Db, actorId: number | null, amid: () => Promise<unknown>): Promise<void> {
  await transact(db, async (trx) => {
    const set_id = await beginSet(trx, { ...commandLine, via: 'open' }, { at: 1, kind: 'changed' });
    await insertJob(trx, { kind: 'undo', set_id, actor_id: actorId, params: '{}', total: 1 });
  });
  const work: Work = async (_trx, _actor, _job, { lock }) => {
    await lock([]);
    await amid();
    return { cursor: 1, seen: 1, users: 1, left: [], isLast: true };
  };
  await runJobs(
    {
      db,
      alone: new Mutex(),
      kinds: { undo: { via: 'undo', work } },
      clock: () => 1,
      stopwatch: () => 0,
      note: () => {},
      warn: (_job, error) => {
        throw error;
      },
    },
    () => false,
  );
}

/** The same as `orderOf`, for a batch. */
async function orderOfBatch(
  db: Db,
  actorId: number | null,
  other: (trx: Trx) => Promise<unknown>,
): Promise<string[]> {
  const ended: string[] = [];
  let waiting: Promise<unknown> = Promise.resolve();
  await runBatch(db, actorId, async () => {
    waiting = transact(db, other).then(() => ended.push('the other'));
    await someoneWaits(db);
    ended.push('who acts');
  });
  await waiting;
  return ended;
}

const ENDS: [string, (trx: Trx, id: number) => Promise<unknown>][] = [
  ['given another role', (trx, id) => changeUser(trx, commandLine, id, { role: 'viewer' }, 1)],
  ['deactivated', (trx, id) => changeUser(trx, commandLine, id, { is_active: false }, 1)],
  ['deleted', (trx, id) => deleteUser(trx, commandLine, id, 2)],
];

const becomeFirst = (trx: Trx) => {
  const user = { username: 'ann', email: 'ann@example.org', full_name: null };
  return makeAdministrator(trx, commandLine, user, '$argon2id$', 1);
};

describe('until the end of what somebody does', () => {
  test.each(ENDS)('they are not %s', async (_what, change) => {
    const { app, eve, session } = await start();
    const order = await orderOf(
      app.db,
      (trx) => findRoleOf(trx, session),
      () => transact(app.db, (trx) => change(trx, eve.id)),
    );
    expect(order).toEqual(['who acts', 'the other']);
    expect(await transact(app.db, (trx) => findRoleOf(trx, session))).toBeUndefined();
  });

  test.each(ENDS)('nor are they %s amid a batch of a job that they have begun', async (_what, change) => {
    const { app, eve } = await start();
    const order = await orderOfBatch(app.db, eve.id, (trx) => change(trx, eve.id));
    expect(order).toEqual(['who acts', 'the other']);
  });

  test.each(['among those who are changed', 'beside them'])(
    'who may do less by then, %s, does nothing',
    async (where) => {
      const { app, ann, eve } = await start();
      await transact(app.db, (trx) => changeUser(trx, commandLine, eve.id, { role: 'viewer' }, 1));
      const ids = where === 'beside them' ? [ann.id] : [ann.id, eve.id];
      const locking = app.db
        .transaction()
        .execute((trx) => lockBesideActor(trx, { user: eve, role: 'admin' }, ids));
      await expect(locking).rejects.toThrow(ContendedError);
    },
  );

  test('but they sign in amid such a batch', async () => {
    const { app, eve } = await start();
    let answer: Awaited<ReturnType<typeof post>> | undefined;
    await runBatch(app.db, eve.id, async () => {
      answer = await post(app, '/sign-in', { username: 'eve', password: PASSWORD });
    });
    expect(answer?.statusCode).toBe(303);
  });

  test('where nobody signs in, nobody becomes the administrator', async () => {
    const app = await startApp();
    const order = await orderOf(app.db, shareAdministrators, () => transact(app.db, becomeFirst));
    expect(order).toEqual(['who acts', 'the other']);
  });

  test('nor amid a batch of a job that was begun then', async () => {
    const app = await startApp();
    expect(await orderOfBatch(app.db, null, becomeFirst)).toEqual(['who acts', 'the other']);
  });
});

test('a link that somebody uses as their email is changed is not said to have ended', async () => {
  const { app, ann, headers } = await start();
  const token = newToken();
  await transact(app.db, (trx) => insertInvitation(trx, ann.id, token, app.clock()));
  let changing: ReturnType<typeof post> | undefined;
  await transact(app.db, async (trx) => {
    await acceptInvitation(trx, commandLine, token, '$argon2id$', app.clock());
    changing = post(app, `/users/${ann.id}`, { email: 'moved@example.org' }, headers);
    await someoneWaits(app.db);
  });
  expect((await changing)?.body).toBe('User ann updated!\n');
});

test('a link that somebody uses as they are deleted is one that no longer works', async () => {
  const { app, ann } = await start();
  const token = newToken();
  await transact(app.db, (trx) => insertInvitation(trx, ann.id, token, app.clock()));
  const chosen = { new_password: PASSWORD, new_password_again: PASSWORD };
  let accepting: ReturnType<typeof post> | undefined;
  await transact(app.db, async (trx) => {
    await deleteUser(trx, commandLine, ann.id, app.clock());
    accepting = post(app, `/invitations/${token}`, chosen);
    await someoneWaits(app.db);
  });
  const answer = await accepting;
  expect(answer?.statusCode).toBe(404);
  expect(answer?.body).toContain('This link no longer works');
});

test('a username that is taken as somebody becomes the administrator is said to be, and nothing beside the email', async () => {
  const app = await startApp();
  const ann = { username: 'ann', email: 'ann@example.org' };
  const chosen = { ...ann, new_password: PASSWORD, new_password_again: PASSWORD };
  let sent: ReturnType<typeof post> | undefined;
  await transact(app.db, async (trx) => {
    const other = { ...ann, email: 'other@example.org', full_name: null };
    await createUser(trx, commandLine, { ...other, role: 'member', is_active: true }, app.clock());
    sent = post(app, `/setup/${app.setupToken}`, chosen);
    await someoneWaits(app.db);
  });
  const page = pageOf((await sent)?.body ?? '');
  expect(page.errorOf('username')).toContain('That is the username of someone whose email is not');
  expect(page.text).not.toContain('That email was taken');
});

/** @returns the set */
async function changeAll(
  db: Db,
  ids: readonly number[],
  field: 'full_name' | 'username',
): Promise<ChangeSet> {
  return transact(db, async (trx) => {
    const { set = 0 } = await inOneSet(trx, commandLine, { at: 1, kind: 'changed' }, async (actor) => {
      for (const id of ids) await changeUser(trx, actor, id, { [field]: `other${id}` }, 1);
    });
    return findChangeSet(trx, set) as Promise<ChangeSet>;
  });
}

/** A transaction that meets a deadlock is done again, a second later. */
describe('nobody waits for themselves, or for somebody who waits for them', () => {
  test('who saves their own page many times at once', async () => {
    const { app, eve, headers } = await start();
    const transactions = vi.spyOn(app.db, 'transaction');
    const answers = await Promise.all(
      Array.from({ length: 6 }, (_, number) =>
        post(app, `/users/${eve.id}`, { full_name: `Eve ${number}` }, headers),
      ),
    );
    expect(answers.map(({ statusCode }) => statusCode)).toEqual([303, 303, 303, 303, 303, 303]);
    expect(transactions).toHaveBeenCalledTimes(6);
  });

  test('two administrators who change each other', async () => {
    const { app, ann, eve, headers } = await start();
    const others = await signedIn(app, ann);
    const transactions = vi.spyOn(app.db, 'transaction');
    const answers = await Promise.all(
      Array.from({ length: 4 }, (_, number) => [
        post(app, `/users/${ann.id}`, { full_name: `Ann ${number}` }, headers),
        post(app, `/users/${eve.id}`, { full_name: `Eve ${number}` }, others),
      ]).flat(),
    );
    for (const { statusCode } of answers) expect(statusCode).toBe(303);
    expect(transactions).toHaveBeenCalledTimes(8);
  });

  test.each([
    ['two jobs of one administrator that both change them', 'ann', 'ann', false],
    ['jobs of two administrators that both change them', 'ann', 'eve', false],
    ['jobs of two administrators, each of which changes the other alone', 'ann', 'eve', true],
  ] as const)('%s', async (_what, first, second, isOtherAlone) => {
    const { app, ann, eve } = await start();
    const { db } = app;
    const people = { ann, eve };
    for (const [name, other, field] of [
      [first, second, 'full_name'],
      [second, first, 'username'],
    ] as const) {
      const set = await changeAll(db, isOtherAlone ? [people[other].id] : [ann.id, eve.id], field);
      const actor = { ...commandLine, via: 'form' as const, user: people[name] };
      await transact(db, (trx) => beginUndo(trx, actor, set, 2));
    }
    const both = meeting(2);
    const work = vi.fn<Work>(async (...given) => {
      await both();
      return undoBatch(...given);
    });
    await Promise.all([1, 2].map(() => runJobs(runnerOf(db, undefined, work), () => false)));
    expect(work).toHaveBeenCalledTimes(2);
    expect(await db.selectFrom('jobs').select('state').execute()).toEqual([
      { state: 'done' },
      { state: 'done' },
    ]);
  });

  test.each([
    ['deactivates', { is_active: false }],
    ['deletes', undefined],
  ] as const)(
    'who %s somebody who has just begun to change another of the same users',
    async (_, changes) => {
      const { app, ann, eve, headers } = await start();
      const { db } = app;
      let saved: Promise<unknown> | undefined;
      let attempts = 0;
      await transact(db, async (trx) => {
        attempts++;
        await lockUsers(trx, [ann.id, eve.id]);
        if (saved === undefined) {
          saved = post(app, `/users/${ann.id}`, { full_name: 'Ann' }, headers);
          await someoneWaits(db);
        }
        if (changes) await changeUser(trx, commandLine, eve.id, changes, 1);
        else await deleteUser(trx, commandLine, eve.id, 1);
      });
      // Whoever has begun comes first.
      expect(await saved).toMatchObject({ statusCode: 303 });
      expect(attempts).toBe(2);
      expect((await post(app, `/users/${ann.id}`, { full_name: 'A' }, headers)).statusCode).toBe(401);
    },
  );

  test('who ends the sessions of somebody who has just begun to end one of theirs', async () => {
    const { app, ann, eve, session } = await start();
    const { db } = app;
    const headers = await signedIn(app, ann);
    let ending: ReturnType<typeof post> | undefined;
    let attempts = 0;
    await transact(db, async (trx) => {
      attempts++;
      await findRoleOf(trx, session);
      if (ending === undefined) {
        ending = post(app, `/users/${eve.id}/sessions/${session.id}/delete`, {}, headers);
        await someoneWaits(db);
      }
      await deleteSessionsOf(trx, ann.id);
    });
    expect(attempts).toBe(1);
    expect(await ending).toMatchObject({ statusCode: 401 });
  });

  test('who deactivates somebody, with somebody else who is gone, and who erases a third', async () => {
    const { app, ann } = await start();
    const { db } = app;
    await signedIn(app, ann);
    const users = [
      await addUser(db, { username: 'gone' }),
      await addUser(db, { username: 'erased' }),
    ] as const;
    for (const { id } of users) await transact(db, (trx) => deleteUser(trx, commandLine, id, 1));
    const [gone, erased] = users;
    // A form of hers waits, which goes with whoever is erased, and with her session.
    await transact(db, (trx) =>
      trx.updateTable('sessions').set({ draft: '[]' }).where('user_id', '=', ann.id).execute(),
    );
    const transactions = vi.spyOn(db, 'transaction');
    let changing: ReturnType<typeof doToAll> | undefined;
    await transact(db, async (trx) => {
      await lockErasing(trx);
      changing = transact(db, (other) => doToAll(other, commandLine, { do: 'deactivate' }, [ann, gone], 2));
      await someoneWaits(db);
      await eraseUser(trx, commandLine, erased.id, 2);
    });
    expect(await changing).toMatchObject({ done: 1, left: [{ why: 'gone' }] });
    expect(transactions).toHaveBeenCalledTimes(2);
  });

  test('who sends a new password twice', async () => {
    const { app, headers } = await start();
    const chosen = 'a bicycle in the library';
    const transactions = vi.spyOn(app.db, 'transaction');
    const fields = { current_password: PASSWORD, new_password: chosen, new_password_again: chosen };
    const answers = await Promise.all([1, 2].map(() => post(app, '/account/password', fields, headers)));
    expect(answers.map(({ statusCode }) => statusCode).sort()).toEqual([303, 401]);
    // For each the counting of an attempt, the taking back of it, and the change.
    expect(transactions).toHaveBeenCalledTimes(6);
  });
});
