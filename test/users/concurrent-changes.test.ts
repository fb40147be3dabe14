/** Two people at one user. */
import fc from 'fast-check';
import { describe, expect, inject, test } from 'vitest';
import { type Actor, commandLine } from '../../src/auth/actor.ts';
import type { Db, User } from '../../src/db/schema.ts';
import { transact } from '../../src/db/transact.ts';
import { BadSubmissionError } from '../../src/errors.ts';
import { isDeletion, unpackFields } from '../../src/history/fields.ts';
import { KINDS, WAYS } from '../../src/history/kinds.ts';
import { type ChangeSet, findChangeSet } from '../../src/history/queries.ts';
import { type Choices, digestOf, type Undone, undoChangeSet } from '../../src/undo/commands.ts';
import type { Step } from '../../src/undo/steps.ts';
import { changeUser, deleteUser, restoreUser } from '../../src/users/commands.ts';
import { findUser, getUser } from '../../src/users/queries.ts';
import type { UserChanges } from '../../src/users/validation.ts';
import { pageOf } from '../page.ts';
import { addPerson, HOUR, movableClock, PASSWORD, signedIn } from '../people.ts';
import { runs } from '../runs.ts';
import { addUser, get, post, startApp, temporaryDatabase } from '../support.ts';

async function start() {
  const clock = movableClock();
  const app = await startApp({}, undefined, clock);
  const ann = await addPerson(app.db, 'ann', 'admin');
  const bob = await addPerson(app.db, 'bob', 'editor');
  const max = await addUser(app.db, { username: 'max', full_name: 'Max' }, clock());
  const [asAnn, asBob] = [await signedIn(app, ann), await signedIn(app, bob)];
  const path = `/users/${max.id}`;
  const edit = async () => pageOf(await get(app, `${path}/edit`, asAnn)).form('Save changes');
  /** What a form holds, with some of it typed anew, as a browser sends it. */
  const filled = (form: Awaited<ReturnType<typeof edit>>, typed: Record<string, string>) => ({
    ...Object.fromEntries(
      ['username', 'email', 'full_name', 'version'].map((name) => [name, form.field(name)]),
    ),
    is_active: form.field('is_active').startsWith('Active') ? '1' : '0',
    ...typed,
  });
  const stored = () => getUser(app.db, max.id);
  return { app, clock, ann, bob, max, asAnn, asBob, path, edit, filled, stored };
}

describe('what only one of two has changed', () => {
  test('is kept, of both, and the message says what the other did', async () => {
    const { app, asAnn, asBob, path, edit, filled, stored } = await start();
    const form = await edit();
    await post(app, path, { full_name: 'Max Power' }, asBob);
    const answer = await post(app, path, filled(form, { email: 'new@example.org' }), asAnn);
    expect([answer.statusCode, answer.body]).toEqual([
      303,
      'Saved. Meanwhile bob had changed the full name; both are kept.\n',
    ]);
    expect(await stored()).toMatchObject({ full_name: 'Max Power', email: 'new@example.org', version: 3 });
    // Once more, as by a double click or Back.
    const again = await post(app, path, filled(form, { email: 'new@example.org' }), asAnn);
    expect(again.body).toBe('Nothing to save. Meanwhile bob had changed the full name.\n');
    expect(await stored()).toMatchObject({ version: 3 });
  });

  test('is told where the other has changed nothing, and then nothing is written', async () => {
    const { app, asAnn, asBob, path, edit, filled, stored } = await start();
    const form = await edit();
    await post(app, path, { full_name: 'Max Power' }, asBob);
    const answer = await post(app, path, filled(form, {}), asAnn);
    expect([answer.statusCode, answer.body]).toEqual([
      303,
      'Nothing to save. Meanwhile bob had changed the full name.\n',
    ]);
    expect(await stored()).toMatchObject({ full_name: 'Max Power', version: 2 });
  });

  test.each([
    ['untouched', {}],
    ['with what was there at first typed anew', { full_name: 'Max' }],
  ])('is one’s own where a form is saved after Back, %s', async (_how, typed) => {
    const { app, asAnn, path, edit, filled, stored } = await start();
    const form = await edit();
    await post(app, path, filled(form, { full_name: 'Max Power' }), asAnn);
    const back = await post(app, path, filled(form, typed), asAnn);
    expect(back.body).toBe('Nothing to save. Meanwhile you had changed the full name.\n');
    expect(await stored()).toMatchObject({ full_name: 'Max Power', version: 2 });
  });

  test('is not told of what is not known, and where nobody else has changed anything', async () => {
    const { app, asAnn, path, edit, filled, max } = await start();
    const form = await edit();
    expect((await post(app, path, filled(form, {}), asAnn)).body).toBe(
      'Nothing to save: max is so already.\n',
    );
    await transact(app.db, (trx) => changeUser(trx, commandLine, max.id, { full_name: 'Max B' }, 2));
    await transact(app.db, (trx) => trx.deleteFrom('changes').where('user_id', '=', max.id).execute());
    const { version, ...rest } = filled(form, {}) as Record<string, string>;
    const again = await post(app, path, { ...rest, full_name: 'Max B', version: `${version}` }, asAnn);
    expect(again.body).toBe('Nothing to save: max is so already.\n');
  });

  test('is called one’s own where it was, and all of it where there were several', async () => {
    const { app, asAnn, asBob, path, edit, filled } = await start();
    const form = await edit();
    await post(app, path, filled(form, { full_name: 'Max P' }), asAnn);
    const back = await post(app, path, filled(form, { full_name: 'Max P', email: 'm@example.org' }), asAnn);
    expect(back.body).toBe('User max updated!\n');
    const later = await post(app, path, filled(form, { is_active: '0' }), asAnn);
    expect(later.body).toBe('Saved. Meanwhile you had changed the email and full name; both are kept.\n');
    await post(app, path, { username: 'maxi' }, asBob);
    const third = await post(app, path, filled(form, { role: 'viewer' }), asAnn);
    expect(third.body).toBe(
      'Saved. Meanwhile bob and you had changed the username, email, full name, and status; all is kept.\n',
    );
  });

  test('is neither judged nor written where a form only sends it back', async () => {
    const { app, asAnn, asBob, path, edit, filled, stored } = await start();
    const form = await edit();
    await post(app, path, { username: 'taken.later' }, asBob);
    await addUser(app.db, { username: 'max', email: 'other@example.org' });
    const answer = await post(app, path, filled(form, { full_name: 'M' }), asAnn);
    expect(answer.statusCode).toBe(303);
    expect(await stored()).toMatchObject({ username: 'taken.later', full_name: 'M' });
  });

  test('is what the buttons of a page change that has grown old', async () => {
    const { app, asAnn, asBob, path, stored } = await start();
    const form = pageOf(await get(app, path, asAnn)).form('Deactivate');
    const fields = { version: form.field('version'), is_active: form.field('is_active') };
    await post(app, path, { full_name: 'Max Power' }, asBob);
    expect((await post(app, path, fields, asAnn)).body).toContain('Meanwhile bob had changed the full name');
    expect(await stored()).toMatchObject({ full_name: 'Max Power', is_active: false });
    // By now it is so already.
    expect((await post(app, path, fields, asBob)).body).toBe(
      'Nothing to save. Meanwhile you had changed the full name.\n',
    );
  });

  test('does not tell whom one may not see', async () => {
    const { app, ann, asAnn } = await start();
    const eve = await addPerson(app.db, 'eve', 'admin');
    const vic = await addPerson(app.db, 'vic', 'viewer');
    const asVic = await signedIn(app, vic);
    await post(app, `/users/${vic.id}`, { username: 'victor' }, await signedIn(app, eve));
    await post(app, `/users/${eve.id}/delete`, {}, asAnn);
    const answer = await post(app, '/account/profile', { full_name: 'Vic', version: '1' }, asVic);
    expect(answer.body).toBe('Saved. Meanwhile somebody else had changed the username; both are kept.\n');
    expect(ann.id).not.toBe(eve.id);
  });
});

describe('what both have changed', () => {
  test('comes back field by field with mine chosen, and only what is confirmed is written', async () => {
    const { app, clock, asAnn, asBob, path, edit, filled, stored } = await start();
    const form = await edit();
    await post(app, path, { full_name: 'Max B', email: 'b@example.org', username: 'maxb' }, asBob);
    clock.move(2 * HOUR);
    const mine = filled(form, { full_name: 'Max A', email: 'a@example.org', is_active: '0' });
    const answer = await post(app, path, mine, asAnn);
    const page = pageOf(answer);
    expect([answer.statusCode, page.title]).toEqual([409, 'Error: Edit maxb · Roster']);
    expect(page.text).toMatch(/bob changed this user .*, after you had opened the form/);
    expect(page.text).toContain('You both changed two fields');
    expect(page.text).toMatch(/Before Max .*There now Max B bob, .*Yours Max A/);
    expect(page.text).toMatch(/so it stays Username was max maxb bob.* Status was Active Inactive You, now/);
    expect(page.focused).toEqual([expect.stringContaining('choose what is to stay')]);
    expect(await stored()).toMatchObject({ full_name: 'Max B', version: 2, is_active: true });

    const choice = page.form('Save my choices');
    expect([choice.action, page.link('Discard mine'), choice.field('version')]).toEqual([path, path, '2']);
    expect(choice.field('full_name')).toMatch(/Yours Max A$/);
    expect(choice.fields).not.toContain('username');
    const chosen = {
      version: '2',
      is_active: choice.field('is_active'),
      full_name: 'Max B',
      email: 'a@example.org',
    };
    expect((await post(app, path, chosen, asAnn)).body).toBe('User maxb updated!\n');
    expect(await stored()).toMatchObject({
      username: 'maxb',
      full_name: 'Max B',
      email: 'a@example.org',
      is_active: false,
      version: 3,
    });
    expect((await post(app, path, chosen, asAnn)).body).toBe('Nothing to save: maxb is so already.\n');
    expect(await stored()).toMatchObject({ version: 3 });
  });

  test('meets the same rule when it is changed once more before it is confirmed', async () => {
    const { app, asAnn, asBob, path, edit, filled, stored } = await start();
    const form = await edit();
    await post(app, path, { full_name: 'Max B' }, asBob);
    await post(app, path, filled(form, { full_name: 'Max A' }), asAnn);
    await post(app, path, { full_name: 'Max C' }, asBob);
    const page = await post(app, path, { version: '2', full_name: 'Max A' }, asAnn);
    expect(page.statusCode).toBe(409);
    expect(pageOf(page).text).toMatch(/Before Max B .*There now Max C/);
    expect(await stored()).toMatchObject({ full_name: 'Max C' });
  });

  test('is one’s own where it was, as after Back', async () => {
    const { app, asAnn, path, edit, filled } = await start();
    const form = await edit();
    await post(app, path, filled(form, { full_name: 'One' }), asAnn);
    const page = pageOf(await post(app, path, filled(form, { full_name: 'Two' }), asAnn));
    expect(page.heading).toBe('Saved by you already');
    expect(page.text).toContain('You changed one field twice');
    expect(page.text).not.toContain('someone else');
  });

  test('is shown without what was before where nobody knows that', async () => {
    const { app, asAnn, path, stored, max } = await start();
    await transact(app.db, (trx) => changeUser(trx, commandLine, max.id, { full_name: 'Max B' }, 2));
    await transact(app.db, (trx) => trx.deleteFrom('changes').where('user_id', '=', max.id).execute());
    const form = { version: '1', full_name: 'Max A', username: 'max', email: 'max@example.org' };
    const page = pageOf(await post(app, path, form, asAnn));
    expect(page.text).toMatch(
      /it is not known what it was then.* What differs .*There now Max B.*Yours Max A/,
    );
    expect(page.text).not.toContain('Before');
    expect((await post(app, path, { version: '2', full_name: 'Max A' }, asAnn)).statusCode).toBe(303);
    expect(await stored()).toMatchObject({ full_name: 'Max A', version: 3 });
  });

  test('stays in the form as it was typed while something of it is wrong', async () => {
    const { app, asAnn, asBob, path, edit, filled } = await start();
    const form = await edit();
    await post(app, path, { full_name: 'Max B' }, asBob);
    const wrong = await post(app, path, filled(form, { full_name: 'Max A', email: 'no' }), asAnn);
    const page = pageOf(wrong);
    expect([wrong.statusCode, page.field('full_name'), page.field('email'), page.field('version')]).toEqual([
      422,
      'Max A',
      'no',
      '1',
    ]);
    const sent = filled(page.form('Save changes'), { email: 'max@example.org' });
    expect((await post(app, path, sent, asAnn)).statusCode).toBe(409);
  });

  test('of one’s own account, an email among it, asks for the password there', async () => {
    const { app, bob, asAnn, asBob } = await start();
    await post(app, `/users/${bob.id}`, { email: 'bob@new.example', full_name: 'Bob N' }, asAnn);
    const mine = { version: '1', email: 'bob@mine.example', full_name: 'Bob M', password: PASSWORD };
    const answer = await post(app, '/account/profile', mine, asBob);
    const page = pageOf(answer);
    expect([answer.statusCode, page.title]).toEqual([409, 'Error: Your name and email · Roster']);
    expect(page.field('password')).toBe('');
    const theirs = { version: '2', email: 'bob@new.example', full_name: 'Bob M' };
    const without = { ...theirs, email: 'bob@mine.example' };
    expect(pageOf(await post(app, '/account/profile', without, asBob)).errorOf('password')).toContain(
      'Enter',
    );
    expect((await post(app, '/account/profile', theirs, asBob)).body).toBe(
      'Your name and email are saved.\n',
    );
    expect(await getUser(app.db, bob.id)).toMatchObject({ email: 'bob@new.example', full_name: 'Bob M' });
  });
});

test('a version that is still to come is refused, and without one what is sent is changed', async () => {
  const { app, asAnn, path, stored } = await start();
  expect((await post(app, path, { full_name: 'X', version: '2' }, asAnn)).statusCode).toBe(400);
  await post(app, '/update_user/3', { full_name: 'One' }, asAnn);
  expect((await post(app, '/update_user/3', { full_name: 'Two' }, asAnn)).statusCode).toBe(303);
  expect(await stored()).toMatchObject({ full_name: 'Two', email: 'max@example.org', version: 3 });
});

describe('someone who was deleted meanwhile', () => {
  test('is brought back with what was typed, in one act', async () => {
    const { app, clock, asAnn, asBob, path, edit, filled, stored, max } = await start();
    const form = await edit();
    await post(app, path, { username: 'maxb', full_name: 'Max B' }, asBob);
    await post(app, `${path}/delete`, {}, asBob);
    clock.move(HOUR);
    const answer = await post(app, path, filled(form, { full_name: 'Max A', role: 'viewer' }), asAnn);
    const page = pageOf(answer);
    expect([answer.statusCode, page.title]).toEqual([409, 'Error: Max B is deleted · Roster']);
    expect(page.text).toMatch(
      /Nothing of yours is saved, and nothing of it is lost.* bob deleted this user /,
    );
    const restoring = page.form('Bring back with these changes');
    expect([restoring.field('username'), restoring.field('full_name'), restoring.field('role')]).toEqual([
      'maxb',
      'Max A',
      'Viewer',
    ]);
    expect(restoring.text).toContain('When deleted: Max B');
    const sent = { ...filled(restoring, { role: 'viewer' }) };
    const back = await post(app, restoring.action, sent, asAnn);
    expect([back.statusCode, back.body]).toEqual([303, 'User maxb is back!\n']);
    expect(await stored()).toMatchObject({ full_name: 'Max A', role: 'viewer', version: 5, id: max.id });
    const shown = pageOf(await get(app, path, asAnn)).text;
    expect(shown).toMatch(
      /Activity ann brought back .* Full name was Max B Max A Role was Member Viewer .*bob deleted/,
    );
    expect(shown.match(/brought back/g)).toHaveLength(1);
    // A second press finds it done.
    expect((await post(app, restoring.action, sent, asAnn)).body).toBe(
      'Nothing to save: maxb is so already.\n',
    );
  });

  test('is nobody to those who may not know, and nothing to an editor who may not change them', async () => {
    const { app, asAnn, asBob } = await start();
    const vic = await addPerson(app.db, 'vic', 'viewer');
    await post(app, `/users/${vic.id}/delete`, {}, asAnn);
    expect((await post(app, `/users/${vic.id}`, { full_name: 'V' }, asBob)).statusCode).toBe(403);
    expect((await post(app, `/users/${vic.id}/restore`, { role: 'admin' }, asBob)).statusCode).toBe(403);
    const nobody = await post(app, '/users/99', { full_name: 'V' }, asBob);
    expect([nobody.statusCode, pageOf(nobody).text]).toEqual([
      404,
      expect.stringContaining('Nothing was changed; what you typed is one step back.'),
    ]);
    const max = await addUser(app.db, { username: 'mia' });
    await post(app, `/users/${max.id}/delete`, {}, asAnn);
    const promoted = await post(app, `/users/${max.id}/restore`, { role: 'admin' }, asBob);
    expect(promoted.statusCode).toBe(403);
    expect(await findUser(app.db, max.id)).toBeUndefined();
  });

  test('gets another name where theirs is taken by now, with every mistake at its field', async () => {
    const { app, asAnn, path, stored } = await start();
    await post(app, `${path}/delete`, {}, asAnn);
    const other = await addUser(app.db, { username: 'MAX', email: 'max@example.org' });
    const taken = await post(app, `${path}/restore`, { version: '1' }, asAnn);
    const page = pageOf(taken);
    expect(taken.statusCode).toBe(422);
    expect(page.errorOf('username')).toContain('That username already belongs to MAX.');
    expect(page.errorOf('email')).toContain('That email already belongs to MAX.');
    const { action } = page.form('Bring back with these changes');
    const wrong = await post(app, action, { version: '1', username: 'a b', email: 'm@x.example' }, asAnn);
    expect([wrong.statusCode, pageOf(wrong).field('username')]).toEqual([422, 'a b']);
    const fields = { version: '1', username: 'max2', email: 'max2@example.org' };
    expect((await post(app, action, fields, asAnn)).body).toBe('User max2 is back!\n');
    expect(await stored()).toMatchObject({ username: 'max2', full_name: 'Max', version: 4 });
    expect(other.id).not.toBe((await stored()).id);
    const set = await app.db.selectFrom('change_sets').selectAll().where('kind', '=', 6).execute();
    expect(set).toHaveLength(1);
    expect(set[0]).toMatchObject({ users: 1 });
  });

  test('and brought back by somebody else is changed as anyone is', async () => {
    const { app, asAnn, asBob, path, stored } = await start();
    await post(app, `${path}/delete`, {}, asBob);
    await post(app, `${path}/restore`, {}, asBob);
    await post(app, path, { email: 'b@example.org' }, asBob);
    const sent = { version: '1', full_name: 'Max A', email: 'max@example.org' };
    const answer = await post(app, `${path}/restore`, sent, asAnn);
    expect(answer.body).toBe('Saved. Meanwhile bob had changed the email; both are kept.\n');
    expect(await stored()).toMatchObject({ full_name: 'Max A', email: 'b@example.org' });
  });

  test('and deleted again with other values is shown again first', async () => {
    const { app, asAnn, asBob, path } = await start();
    await post(app, `${path}/delete`, {}, asBob);
    await post(app, `${path}/restore`, { full_name: 'Max B' }, asBob);
    await post(app, `${path}/delete`, {}, asBob);
    const sent = { version: '1', full_name: 'Max', email: 'a@example.org' };
    const page = await post(app, `${path}/restore`, sent, asAnn);
    expect([page.statusCode, pageOf(page).field('full_name'), pageOf(page).field('email')]).toEqual([
      409,
      'Max B',
      'a@example.org',
    ]);
    expect(pageOf(page).text).toContain('This user was brought back and deleted again');
    const plain = await post(app, `${path}/restore`, { version: '1' }, asAnn);
    expect([plain.statusCode, pageOf(plain).buttons]).toEqual([409, ['Bring back']]);
  });
});

describe('deleting someone', () => {
  test('who was changed since it was asked is asked again, with what was changed', async () => {
    const { app, asAnn, asBob, path, max } = await start();
    const asked = pageOf(await get(app, `${path}/delete`, asAnn)).form('Delete user');
    await post(app, path, { full_name: 'Max B' }, asBob);
    const answer = await post(app, asked.action, { version: asked.field('version') }, asAnn);
    const page = pageOf(answer);
    expect([answer.statusCode, page.title]).toEqual([409, 'Error: Delete max? · Roster']);
    expect(page.text).toMatch(/changed after you had been asked.*Full name was Max Max B bob, /);
    expect(await findUser(app.db, max.id)).toBeDefined();
    const version = page.form('Delete user').field('version');
    expect((await post(app, asked.action, { version }, asAnn)).body).toBe('User max deleted!\n');
  });

  test('who was changed and changed back is done', async () => {
    const { app, asAnn, asBob, path } = await start();
    await post(app, path, { full_name: 'Max B' }, asBob);
    await post(app, path, { full_name: 'Max' }, asBob);
    expect((await post(app, `${path}/delete`, { version: '1' }, asAnn)).statusCode).toBe(303);
  });
});

const changes: fc.Arbitrary<UserChanges> = fc.record(
  {
    username: fc.constantFrom('u1', 'u2', 'u3'),
    email: fc.constantFrom('a@example.org', 'b@example.org'),
    full_name: fc.constantFrom(null, 'A', 'B', 'C'),
    is_active: fc.boolean(),
    role: fc.constantFrom('member' as const, 'viewer' as const),
  },
  { requiredKeys: [] },
);
const act = fc.record({
  who: fc.nat(2),
  what: fc.constantFrom('open', 'save', 'save', 'delete and restore', 'undo', 'undo'),
  mine: changes,
  choice: fc.boolean(),
  /** Of the last sets, the one that is undone. */
  which: fc.nat(4),
});
type Acted = { which: number; choice: boolean; mine: UserChanges };
const FIELDS = ['username', 'email', 'full_name', 'is_active', 'role'] as const;

test('no edit that was acknowledged is overwritten by someone who has not seen it', async () => {
  const outcomes = new Map<string, number>();
  const property = fc.asyncProperty(fc.array(act, { minLength: 4, maxLength: 25 }), async (acts) => {
    const db = await temporaryDatabase();
    const { id } = await addUser(db, { username: 'u0' }, 1);
    /** What each of them has before their eyes. */
    const seen = Array.from({ length: 3 }, () => getUser(db, id));
    const shown: User[] = await Promise.all(seen);
    for (const { who, what, mine, choice, which } of acts) {
      const actor: Actor = { ...commandLine, via: 'form' };
      if (what === 'undo')
        for (const kind of await undoOne(db, id, { which, choice, mine }))
          outcomes.set(...counted(outcomes, kind));
      if (what === 'open') shown[who] = await getUser(db, id);
      if (what === 'delete and restore') {
        await transact(db, (trx) => deleteUser(trx, actor, id, 1));
        await transact(db, (trx) => restoreUser(trx, actor, id, 1));
      }
      if (what !== 'save') continue;
      const before = await getUser(db, id);
      const base = shown[who] as User;
      const outcome = await transact(db, (trx) => changeUser(trx, actor, id, mine, 1, base.version));
      outcomes.set(...counted(outcomes, outcome.kind));
      expectNothingLost(base, before, mine, await getUser(db, id), outcome.kind);
      if (outcome.kind === 'conflict') {
        // All is shown now, and chosen from.
        shown[who] = outcome.user;
        const chosen = Object.fromEntries(
          outcome.merge.conflicts.map((field) => [field, choice ? mine[field] : outcome.user[field]]),
        );
        const all = { ...outcome.merge.changes, ...chosen } as UserChanges;
        await transact(db, (trx) => changeUser(trx, actor, id, all, 1, outcome.user.version));
        expect(await getUser(db, id)).toMatchObject(all);
      }
    }
    await db.destroy();
  });
  await fc.assert(property, runs(300));
  // The rare ones may be missing among a few hundred acts.
  const rare = inject('isLong') ? ['unchanged', 'undone as chosen'] : [];
  for (const kind of ['changed', 'conflict', 'undone', 'asks', ...rare])
    expect(outcomes.get(kind), kind).toBeGreaterThan(0);
});

function counted(outcomes: ReadonlyMap<string, number>, kind: string): [string, number] {
  return [kind, (outcomes.get(kind) ?? 0) + 1];
}

const form: Actor = { ...commandLine, via: 'form' };

/** Pressed once, and where it asks, perhaps after somebody else has changed something, as it is decided. @returns what came of each press */
async function undoOne(db: Db, id: number, { which, choice, mine }: Acted) {
  const { changed, activated, deactivated, access } = KINDS;
  const sets = db
    .selectFrom('change_sets')
    .selectAll()
    .where('kind', 'in', [changed, activated, deactivated, access]);
  const all = await sets.where('event', 'is', null).orderBy('id', 'desc').execute();
  const set = all[which % all.length];
  if (set === undefined) return ['nothing'];
  const asked = await pressUndo(db, id, set, [], undefined);
  if (asked.kind !== 'asks') return [asked.kind];
  if (which % 2 === 0) await transact(db, (trx) => changeUser(trx, form, id, mine, 1));
  const { kind } = await pressUndo(db, id, set, asked.steps, choice);
  return ['asks', kind === 'undone' ? 'undone as chosen' : kind];
}

/** @param seen what was asked, if anything was */
async function pressUndo(
  db: Db,
  id: number,
  set: ChangeSet,
  seen: readonly Step[],
  isBack = false,
): Promise<Undone> {
  const before = await getUser(db, id);
  const last = new Map<string, ChangeSet | undefined>();
  for (const field of FIELDS) last.set(field, await findLastOf(db, field));
  const choices = seen.length > 0 ? chosen(seen, isBack) : undefined;
  const done = await transact(db, (trx) => undoChangeSet(trx, form, set, choices, 1));
  const after = await getUser(db, id);
  if (done.kind !== 'undone') expect(after).toEqual(before);
  for (const field of FIELDS.filter((one) => after[one] !== before[one])) {
    const [step] = seen;
    const differences = step && 'differences' in step ? step.differences : [];
    const difference = differences.find((one) => one.field === field);
    // What somebody else has done since was before their eyes, as it is.
    if (difference) expect(before[field]).toBe(difference.now);
    else if (last.get(field)?.via !== WAYS.undo) expect(last.get(field)?.id).toBe(set.id);
  }
  return done;
}

/** The change set that has set a field last. */
async function findLastOf(db: Db, field: string): Promise<ChangeSet | undefined> {
  const changes = await db.selectFrom('changes').selectAll().orderBy('version', 'desc').execute();
  const isSet = (fields: string | null) =>
    fields !== null && !isDeletion(fields) && field in unpackFields(fields);
  const last = changes.find(({ fields }) => isSet(fields));
  return last && findChangeSet(db, last.set_id);
}

/** Whoever was asked puts all of it back, or leaves it. */
function chosen(steps: readonly Step[], isBack: boolean): Choices {
  const fieldsOf = (step: Step) => {
    const differences = 'differences' in step ? step.differences : [];
    return isBack ? Object.fromEntries(differences.map(({ field, was }) => [field, was])) : {};
  };
  return { seen: digestOf(steps), isWhole: () => isBack, fieldsOf };
}

test('what was changed and changed back by somebody else is as it was shown: it is no conflict, and undone as it was decided', async () => {
  const { app, asAnn, asBob, path, edit, filled, stored } = await start();
  const form = await edit();
  for (const full_name of ['Max B', 'Max']) await post(app, path, { full_name }, asBob);
  // Ann saw the value that she replaces.
  const saved = await post(app, path, filled(form, { full_name: 'Max A' }), asAnn);
  expect([saved.statusCode, saved.body]).toEqual([303, 'User max updated!\n']);
  const sets = app.db.selectFrom('change_sets').select('id').orderBy('id', 'desc');
  const { id: set } = await sets.executeTakeFirstOrThrow();
  await post(app, path, { full_name: 'Max C' }, asBob);
  const asked = pageOf(await post(app, `/history/${set}/undo`, {}, asAnn));
  for (const full_name of ['Max D', 'Max C']) await post(app, path, { full_name }, asBob);
  const sent = { seen: asked.field('seen'), '3.full_name': 'back' };
  expect((await post(app, `/history/${set}/undo`, sent, asAnn)).statusCode).toBe(303);
  expect(await stored()).toMatchObject({ full_name: 'Max' });
});

function expectNothingLost(base: User, before: User, mine: UserChanges, after: User, kind: string): void {
  if (kind !== 'changed') expect(after).toEqual(before);
  for (const field of FIELDS) {
    const typed = mine[field] === undefined || mine[field] === base[field] ? undefined : mine[field];
    if (after[field] !== before[field]) expect([before[field], after[field]]).toEqual([base[field], typed]);
    // Whatever was typed is there, or has come back to be chosen.
    if (typed !== undefined && kind !== 'conflict') expect(after[field]).toBe(typed);
  }
}

test('a form that was filled from a version that is still to come changes nothing', async () => {
  const db = await temporaryDatabase();
  const { id } = await addUser(db, { username: 'max' });
  const change = transact(db, (trx) => changeUser(trx, commandLine, id, { full_name: 'M' }, 1, 2));
  await expect(change).rejects.toThrow(BadSubmissionError);
});
