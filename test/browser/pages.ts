/** Every kind of page, as whom and how a person comes to it, with the longest names and the most there can be. */
import type { FastifyInstance } from 'fastify';
import type { Page } from 'playwright-core';
import { expect } from 'vitest';
import { commandLine } from '../../src/auth/actor.ts';
import { addDraft, type Draft } from '../../src/auth/drafts.ts';
import { insertSession } from '../../src/auth/sessions.ts';
import { newToken } from '../../src/auth/tokens.ts';
import type { Db } from '../../src/db/schema.ts';
import { transact } from '../../src/db/transact.ts';
import type { ErasureProgress } from '../../src/erasure/scrubbing.ts';
import { beginSet, inOneSet, insertHistory } from '../../src/history/record.ts';
import { MOST_GONE_THROUGH } from '../../src/history/versions.ts';
import { saveImport } from '../../src/imports/queries.ts';
import { takeBack } from '../../src/imports/take-back.ts';
import { insertInvitation } from '../../src/invitations/queries.ts';
import { findJobOfSet, insertJob, saveJob } from '../../src/jobs/queries.ts';
import { markMadeUp } from '../../src/made-up-people/queries.ts';
import { beginRun, endRun } from '../../src/maintenance/queries.ts';
import { changeUser, deleteUser } from '../../src/users/commands.ts';
import { findUserByUsername } from '../../src/users/queries.ts';
import { erase } from '../backup/backed-up.ts';
import { replaceInEngine } from '../engines.ts';
import { apply, check, csv, importOf } from '../imports/bringing.ts';
import { addPerson, codeAt, PASSWORD } from '../people.ts';
import { addUser } from '../support.ts';
import { RARE } from './rare-pages.ts';
import { REFUSALS, show } from './refusals.ts';

const LONG = 'w'.repeat(64);
const LONGEST = {
  email: `${'m'.repeat(64)}@${'w'.repeat(60)}.example.org`,
  full_name: 'W'.repeat(200),
};
/** Whose session ends, and whose account is deactivated then. */
const SIGNED_OUT = `s${LONG.slice(1)}`;
const WORDS = 'Wilhelmina Konstantinopolitanska '.repeat(6).trim();
const LONG_ADDRESS = '2001:db8:85a3:8d3:1319:8a2e:370:7348';
const BROWSER = 'Mozilla/5.0 (X11; Linux) Firefox/150.0';
const TOKEN = newToken();

/** Most pages are of the first: an administrator looks at someone with all there can be. */
const LONG_ID = 1;
const WORDS_ID = 2;
const MEMBER_ID = 3;
const ANN_ID = 4;

/** @returns a set of many users, of whom all but one were changed since. */
async function changeManyTwice(db: Db): Promise<number> {
  const ids: number[] = [];
  for (let count = 0; count < 16; count++) {
    const username =
      `${String.fromCharCode(97 + count)}${newToken().slice(0, 8).replaceAll('-', '.')}${LONG}`.slice(0, 64);
    ids.push((await addUser(db, { username, full_name: WORDS })).id);
  }
  const rename = (names: string, some: readonly number[]) =>
    transact(db, (trx) =>
      inOneSet(trx, commandLine, { at: Date.now(), kind: 'changed' }, async (acting) => {
        for (const id of some) await changeUser(trx, acting, id, { full_name: names }, Date.now());
      }),
    );
  const { set = 0 } = await rename(LONGEST.full_name, ids);
  await rename('Since', ids.slice(1));
  return set;
}

/** More often than a page of history goes through. @returns who that was */
async function changeVeryOften(db: Db): Promise<number> {
  const { id } = await addUser(db, { username: `u${newToken().slice(0, 8).replaceAll('-', '.')}` });
  await transact(db, async (trx) => {
    const set_id = await beginSet(trx, commandLine, { at: Date.now(), kind: 'changed' });
    const versions = Array.from({ length: MOST_GONE_THROUGH }, (_, index) => index + 2);
    const changes = versions.map((version) => ({ user_id: id, version, set_id, at: null, fields: '{}' }));
    await insertHistory(trx, { changes });
  });
  return id;
}

/** Whom these pages are about, and who looks at them. */
export async function addEveryone(db: Db): Promise<void> {
  await addPerson(db, LONG, 'editor', { ...LONGEST, hasCode: true, recoveryHashes: ['a', 'b', 'c'] });
  await addUser(db, { username: 'long.words', full_name: WORDS, role: 'editor', is_active: false });
  await addUser(db, { username: 'mia', full_name: '李小龍' });
  await addPerson(db, 'ann', 'admin', { full_name: 'Ann Ada' });
  await addPerson(db, 'vic', 'viewer');
  await transact(db, async (trx) => {
    await insertInvitation(trx, LONG_ID, TOKEN, Date.now());
    for (let sessions = 0; sessions < 7; sessions++) {
      const session = { token: newToken(), user_id: LONG_ID, address: LONG_ADDRESS, browser: BROWSER };
      await insertSession(trx, session, Date.now());
    }
  });
  // More than ten pages, where there is one of the list on each.
  for (const letter of 'abcdef') await addUser(db, { username: `more.${letter}` });
}

/** Of backups and a check, with the longest there is to say of them. */
async function noteRuns(db: Db): Promise<void> {
  const file = `/${LONG}/${LONG}/${WORDS}/roster.db`;
  const ends = [
    ['backup', { outcome: 'good', file, size: 4e12, users: 1e7 }],
    ['backup', { outcome: 'bad', problem: `${file} cannot be written.` }],
    ['check', { outcome: 'bad', problem: `2 found, the first: ${WORDS}.` }],
    ['check', { outcome: null, problem: `It could not be done: ${file} cannot be read.` }],
  ] as const;
  for (const [kind, ended] of ends)
    await transact(db, async (trx) => endRun(trx, await beginRun(trx, kind, 1), ended, 2));
}

/** In the session of whoever looks. */
async function keepDraft(db: Db, draft: Draft): Promise<void> {
  const sessions = db.selectFrom('sessions').select('id').where('user_id', '=', ANN_ID);
  const { id } = await sessions.executeTakeFirstOrThrow();
  await transact(db, (trx) => addDraft(trx, id, draft));
}

/** With what there may be said of how far it is. */
async function showErased(page: Page, app: FastifyInstance, progress: ErasureProgress, said: string) {
  const { db, erasureProgressOf } = app;
  const { id } = await addUser(db, { username: `e${newToken().slice(0, 8).replaceAll(/[_-]/g, '.')}z` });
  await erase(db, id);
  app.erasureProgressOf = () => progress;
  await page.goto(`/users/${id}`);
  app.erasureProgressOf = erasureProgressOf;
  await page.getByText(said).waitFor();
}

export type Visit = (page: Page, app: FastifyInstance) => Promise<unknown>;
const at =
  (address: string): Visit =>
  (page) =>
    page.goto(address);
/** Presses what leads to another page. */
const press = (page: Page, name: string | RegExp) =>
  Promise.all([page.waitForEvent('load'), page.getByRole('button', { name, exact: true }).first().click()]);

/** Of people whom nobody else is called like, and mistakes. @returns what all of their usernames begin with */
async function bringLongest(app: FastifyInstance): Promise<{ id: number; list: string }> {
  const list = `i${newToken().slice(0, 8).replaceAll(/[_-]/g, '.')}`;
  const names = ['n', 'o', 'p', 'q'].map((letter) => `${list}.${letter}${LONG}`.slice(0, 64));
  await addUser(app.db, { username: names[3] ?? '', full_name: LONGEST.full_name });
  const rows = names.map((name) => [name, `${name}@example.org`, WORDS, 'viewer', 'inactive', LONG]);
  const wrong = Array.from({ length: 12 }, () => [WORDS, LONG, LONGEST.full_name, WORDS, LONG]);
  const header = ['username', 'email', 'full name', 'role', 'status', LONGEST.full_name];
  const empty = header.map(() => '');
  return { id: await check(app, csv(header, ...rows, ...wrong, empty)), list };
}

/** In the middle, since its rows were found to be gone; somebody has changed one of them. Nothing of it is undone yet. */
async function takeLongestBack(app: FastifyInstance): Promise<number> {
  const { id, list } = await bringLongest(app);
  const { db } = app;
  await apply(app, id);
  const { set_id } = await importOf(app, id);
  const changed = await db.selectFrom('users').select('id').where('username', 'like', `${list}.n%`).execute();
  for (const user of changed)
    await transact(db, (trx) => changeUser(trx, commandLine, user.id, { is_active: true }, Date.now()));
  const job = await findJobOfSet(db, set_id ?? 0);
  if (job) await transact(db, (trx) => takeBack(trx, job, 'file gone', Date.now()));
  return id;
}

/** By who looks. */
export const PAGES: Record<string, Record<string, Visit>> = {
  ann: {
    'the list, with what is left to do': at('/users?sort=-username'),
    'a page of the list, and the letters': async (page) => {
      await page.goto('/users?sort=name&per_page=1&page=2');
      await page.getByText('Go to a letter').waitFor({ state: 'attached' });
    },
    'the list with filters and a notice': at('/users?status=inactive&created_after=2019-01-01&sort=x'),
    'a search': at('/users?q=konst+wil&status=inactive'),
    'a search without a match': at('/users?q=nobody&role=viewer'),
    'nobody since then': at('/users?created_after=2130-01-01'),
    'inviting someone, with mistakes': async (page) => {
      await page.goto('/invite');
      await page.getByLabel('Username').fill(`${LONG} ${LONG}`);
      await press(page, 'Invite');
    },
    'a user with all there can be': at(`/users/${LONG_ID}`),
    'an inactive user of long words': at(`/users/${WORDS_ID}`),
    'a member': at(`/users/${MEMBER_ID}?from=page%3D2`),
    'a member who is to be let in': async (page) => {
      await page.goto(`/users/${MEMBER_ID}`);
      await page.getByText('Let them in').click();
    },
    'the last administrator': at(`/users/${ANN_ID}`),
    'a flash message': async (page) => {
      await page.goto(`/users/${LONG_ID}`);
      await press(page, 'Withdraw link');
    },
    'an access link': async (page) => {
      await page.goto(`/users/${LONG_ID}`);
      await press(page, /^Create (access|new) link$/);
    },
    'the form of a user': at(`/users/${LONG_ID}/edit`),
    'the form with every mistake': async (page) => {
      await page.goto('/users/new');
      await page.getByLabel('Username').fill(`${LONG} ${LONG}`);
      await page.getByLabel('Email').fill(LONG);
      await page.getByLabel('Full name').fill('W'.repeat(201));
      await page.evaluate("for (const radio of document.querySelectorAll('[type=radio]')) radio.value = 'x'");
      await press(page, 'Create user');
    },
    'the form with what others have': async (page) => {
      await page.goto(`/users/${MEMBER_ID}/edit`);
      await page.getByLabel('Username').fill(LONG);
      await page.getByLabel('Email').fill(LONGEST.email);
      await press(page, 'Save changes');
    },
    'a conflict with somebody else': async (page, { db }) => {
      await page.goto(`/users/${WORDS_ID}/edit`);
      const { full_name } = LONGEST;
      const theirs = { full_name, email: `x${LONGEST.email.slice(1)}`, is_active: true };
      await transact(db, (trx) => changeUser(trx, commandLine, WORDS_ID, theirs, Date.now()));
      await page.getByLabel('Username').fill('other.words');
      await page.getByLabel('Email').fill(`y${LONGEST.email.slice(1)}`);
      await page.getByLabel('Full name').fill('');
      await page.getByLabel('Administrator').check();
      await press(page, 'Save changes');
    },
    'a conflict over one’s own account': async (page, { db }) => {
      await page.goto('/account/profile');
      const { full_name } = LONGEST;
      await transact(db, (trx) => changeUser(trx, commandLine, ANN_ID, { full_name }, Date.now()));
      await page.getByLabel('Full name').fill(WORDS);
      await page.getByLabel('Email').fill('ann.ada@example.org');
      await page.getByLabel('Your password').fill(PASSWORD);
      await press(page, 'Save changes');
    },
    'a form of somebody deleted meanwhile': async (page, { db }) => {
      const gone = await addUser(db, { username: `y${LONG.slice(1)}`, full_name: LONGEST.full_name });
      await page.goto(`/users/${gone.id}/edit`);
      await transact(db, (trx) => deleteUser(trx, commandLine, gone.id, Date.now()));
      await page.getByLabel('Full name').fill(WORDS);
      await page.getByLabel('Administrator').check();
      await page.getByRole('radio', { name: /^Inactive/ }).check();
      await press(page, 'Save changes');
    },
    'the empty form, with what was sent when the session had ended': async (page, { db }) => {
      await keepDraft(db, { form: '/users/new', fields: { username: 'x' } });
      await page.goto('/users/new');
    },
    'the question before deleting': at(`/users/${LONG_ID}/delete`),
    'the question before deleting someone changed since it was asked': async (page, { db }) => {
      const { id } = await addUser(db, { username: `z${LONG.slice(1)}`, full_name: WORDS });
      await page.goto(`/users/${id}/delete`);
      const { full_name } = LONGEST;
      await transact(db, (trx) => changeUser(trx, commandLine, id, { full_name }, Date.now()));
      await press(page, 'Delete user');
    },
    'an export': at('/export?all=on&from=role%3Dmember%26status%3Dinactive%26q%3Da'),
    'the question before many are changed': at('/bulk?do=role&all=on'),
    'the same, of whom somebody was changed since': async (page, { db }) => {
      const { id } = await addUser(db, { username: `t${LONG.slice(1)}`, full_name: WORDS });
      await page.goto(`/bulk?do=delete&tick.${LONG_ID}=on&tick.${ANN_ID}=on&tick.${id}=on`);
      await transact(db, (trx) => changeUser(trx, commandLine, id, { is_active: false }, Date.now()));
      await press(page, /^Delete/);
      await page.getByText('who this is about has changed').waitFor();
    },
    'choosing a file to import, with a mistake': async (page) => {
      await page.goto('/import');
      await press(page, 'Check the file');
    },
    'what a file would do, since others have changed who is in it': async (page, app) => {
      const { id, list } = await bringLongest(app);
      await addUser(app.db, { username: `${list}.n${LONG}`.slice(0, 64), full_name: WORDS });
      await apply(app, id);
      await page.goto(`/imports/${id}`);
      await page.getByText('Roster has changed since').waitFor();
      await page.getByText('Read it differently', { exact: true }).click();
    },
    'what a file would do that another machine has': async (page, app) => {
      const { id } = await bringLongest(app);
      await transact(app.db, (trx) => saveImport(trx, id, { folder: 'another', host: LONG }));
      await page.goto(`/imports/${id}`);
    },
    'an import that is being applied elsewhere': async (page, app) => {
      const { id } = await bringLongest(app);
      const elsewhere = { folder: 'another', host: LONG, state: 'applying' } as const;
      await transact(app.db, (trx) => saveImport(trx, id, elsewhere));
      await page.goto(`/imports/${id}`);
    },
    'every refused row of a file': async (page, app) => {
      const { id } = await bringLongest(app);
      await page.goto(`/imports/${id}/refused-rows`);
    },
    'an import that is done': async (page, app) => {
      const { id } = await bringLongest(app);
      await apply(app, id);
      await page.goto(`/imports/${id}`);
      await page.getByRole('button', { name: 'Undo' }).waitFor();
    },
    'an import that is being taken back': async (page, app) => {
      await page.goto(`/imports/${await takeLongestBack(app)}`);
      await page.getByRole('heading', { name: 'Taking the import back' }).waitFor();
    },
    'an import that was taken back, but for whom somebody has changed': async (page, app) => {
      // The page before asks for itself again.
      await page.goto('about:blank');
      const id = await takeLongestBack(app);
      await app.runJobs();
      await page.goto(`/imports/${id}`);
      await page.getByText('somebody has changed meanwhile').waitFor();
    },
    'a file that cannot be read, to be read differently': async (page, app) => {
      await page.goto(`/imports/${await check(app, `${LONGEST.full_name}\n${WORDS}\n`)}`);
      await page.getByText('Read it differently').click();
    },
    'everyone’s history': at('/history'),
    'the history, limited to what nobody did': at(
      `/history?user=${LONG_ID}&by=2&kind=restored&from=2026-01-31&to=2026-01-31`,
    ),
    'the history of somebody changed very often, of which a part was looked through': async (
      page,
      { db },
    ) => {
      await page.goto(`/history?user=${await changeVeryOften(db)}&kind=restored`);
      await page.getByRole('link', { name: 'Go on' }).waitFor();
    },
    'one change set': async (page) => {
      await page.goto(`/users/${WORDS_ID}`);
      await Promise.all([
        page.waitForEvent('load'),
        page.locator('.timeline a[href^="/history/"]').first().click(),
      ]);
    },
    'an undo that asks, of what somebody else has by now, too': async (page, { db }) => {
      const { id } = await addUser(db, { username: `v${LONG.slice(1)}`, full_name: WORDS });
      const changes = { username: 'other', ...LONGEST, email: `v${LONGEST.email.slice(1)}` };
      await transact(db, (trx) => changeUser(trx, commandLine, id, changes, Date.now()));
      await transact(db, (trx) => changeUser(trx, commandLine, id, { full_name: null }, Date.now()));
      await addUser(db, { username: `v${LONG.slice(1)}`, email: 'taken@example.org' });
      await page.goto(`/history?user=${id}&kind=changed`);
      await page.locator('tr').last().getByRole('button', { name: 'Undo' }).click();
      await page.getByText('Nothing is undone yet.').waitFor();
    },
    'an undo that puts back what nobody has changed since, sent when the session had ended': async (
      page,
      { db },
    ) => {
      const { id } = await addUser(db, { username: `u${LONG.slice(1)}`, full_name: LONGEST.full_name });
      const changed = await transact(db, (trx) =>
        changeUser(trx, commandLine, id, { full_name: null, is_active: false }, Date.now()),
      );
      const form = `/history/${'set' in changed ? changed.set : 0}/undo`;
      await keepDraft(db, { form, fields: { seen: 'x' } });
      await page.goto(form);
      const widthOf = async (part: string) => (await page.locator(part).boundingBox())?.width;
      expect(await widthOf('.draft')).toBe(await widthOf('.draft ~ form'));
    },
    'what is under way': async (page, { db }) => {
      await page.goto(`/history/${await addJob(db, { leased_until: 1e15 })}`);
    },
    'what was stopped': async (page, { db }) => {
      await page.goto(`/history/${await addJob(db, { state: 'stopped', failures: 5 })}`);
    },
    'many who are changed, under way': async (page, { db }) => {
      await page.goto(`/history/${await addJob(db, { kind: 'bulk', leased_until: 1e15 })}`);
    },
    'many who were changed': async (page, { db }) => {
      await page.goto(`/history/${await addJob(db, { kind: 'bulk', state: 'done' })}`);
    },
    'an undo that asks about too many for one page': async (page, { db }) => {
      await page.goto(`/history/${await changeManyTwice(db)}/undo`);
    },
    'those about whom an undo asks, page by page': async (page, { db }) => {
      await page.goto(`/history/${await changeManyTwice(db)}/undo?after=${LONG_ID}`);
      await page.getByText('Nothing is undone yet.').waitFor();
    },
    'what is undone in part': async (page, { db }) => {
      const set = await changeManyTwice(db);
      await page.goto(`/history/${set}/undo`);
      await press(page, 'Undo');
      await page.goto(`/history/${set}`);
      await page.getByText('left, or undone in part').waitFor();
    },
    'someone as they were': (page) =>
      page.goto(`/users/${LONG_ID}?at=${new Date().toISOString().slice(0, 10)}`),
    'someone deleted, whose name is taken by now': async (page, { db }) => {
      const gone = await addUser(db, { username: `x${LONG.slice(1)}`, full_name: LONGEST.full_name });
      await transact(db, (trx) => deleteUser(trx, commandLine, gone.id, Date.now()));
      await addUser(db, { username: `x${LONG.slice(1)}`, email: 'other@example.org' });
      await page.goto(`/users/${gone.id}`);
      await press(page, 'Bring back');
    },
    'the form of a user, with the name of someone deleted': async (page, { db }) => {
      const gone = await addUser(db, { username: `y${LONG.slice(1)}`, full_name: LONGEST.full_name });
      await transact(db, (trx) => deleteUser(trx, commandLine, gone.id, Date.now()));
      await page.goto('/users/new');
      await page.getByLabel('Username').fill(`y${LONG.slice(1)}`);
      await page.getByLabel('Email').fill('new@example.org');
      await press(page, 'Create user');
      await page.getByText('Who it is').waitFor();
    },
    'the question before erasing, with a mistake': async (page, { db }) => {
      const gone = await addUser(db, { username: `erase.${LONG.slice(6)}`, full_name: LONGEST.full_name });
      await transact(db, (trx) => deleteUser(trx, commandLine, gone.id, Date.now()));
      await page.goto(`/users/${gone.id}/erase`);
      await press(page, 'Erase for good');
    },
    'someone erased': async (page, { db }) => {
      const gone = await addUser(db, { username: `erased.${LONG.slice(7)}` });
      await erase(db, gone.id);
      await page.goto(`/users/${gone.id}`);
    },
    'someone erased, while something holds it up': (page, app) =>
      showErased(page, app, { kind: 'held up' }, 'Almost gone:'),
    'someone erased, who could not be noted': (page, app) =>
      showErased(page, app, { kind: 'not noted', why: 'its disk is full' }, 'Not noted yet:'),
    'someone erased, as with PostgreSQL before purge': async (page, app) => {
      const putBack = replaceInEngine(app.db, { isLogKept: true });
      await showErased(page, app, { kind: 'kept' }, 'PostgreSQL’s write-ahead log keeps');
      putBack();
    },
    'the roles': at('/roles'),
    'the status': at('/admin/status'),
    'the list, where the status is to be looked at': async (page, app) => {
      await noteRuns(app.db);
      await page.goto('/users');
      await page.getByText('The last good backup is').waitFor();
    },
    'the status, where all went wrong': async (page, app) => {
      await noteRuns(app.db);
      await page.goto('/admin/status');
    },
    'the account': at('/account'),
    'setting up a second factor': at('/account/code'),
    'setting up a second factor, with every mistake': async (page) => {
      await page.goto('/account/code');
      await press(page, 'Turn on');
    },
    'no such user': at('/users/424242'),
    'no such page': at('/users?page=99'),
    'a form that is not understood': async (page) => {
      await page.goto('/users/new');
      await page.evaluate("document.querySelector('#username').name = 'email'");
      await press(page, 'Create user');
    },
    'an address that is none': at('/%ff'),
    ...RARE,
  },
  vic: {
    'a user, for a viewer': at(`/users/${LONG_ID}`),
    'what a viewer may not do': at('/users/new'),
    'choosing a password where somebody else is signed in': async (page, { db }) => {
      await transact(db, (trx) => insertInvitation(trx, LONG_ID, TOKEN, Date.now()));
      await page.goto(`/invitations/${TOKEN}`);
    },
    'signing out, to sign in as somebody else': at(`/sign-in?username=${LONG}`),
  },
  [LONG]: {
    'setting up another second factor': at('/account/code'),
    'the account with many sessions and a second factor, unfolded and with mistakes': async (page) => {
      await page.goto('/account');
      await press(page, 'Change password');
      for (const fold of await page.locator('summary').all()) await fold.click();
    },
    'recovery codes': async (page) => {
      await page.goto('/account');
      await page.getByText('Make new recovery codes…').click();
      await page.getByLabel('Your password, for new recovery codes').fill(PASSWORD);
      await page.getByLabel('Your code, for new recovery codes').fill(codeAt(Date.now()));
      await press(page, 'Make new recovery codes');
      await page.getByText('Keep these recovery codes').waitFor();
    },
    'one’s own name and email, with mistakes': async (page) => {
      await page.goto('/account/profile');
      await page.getByLabel('Email').fill(LONG);
      await press(page, 'Save changes');
    },
    'the list, for an editor': at('/users?role=editor'),
    'signing out': at('/sign-out'),
  },
  nobody: {
    'signing in': at('/sign-in'),
    'signing in before going on': at('/users/3'),
    'a wrong password': async (page) => {
      await page.goto('/sign-in');
      await page.getByLabel('Username or email').fill(LONG.slice(1));
      await press(page, 'Sign in');
    },
    'signing in after a form was refused': async (page) => {
      await page.goto('/sign-in');
      await page.evaluate("document.querySelector('form').action = '/users/3'");
      await press(page, 'Sign in');
    },
    'a code, and a recovery code': async (page) => {
      await page.goto('/sign-in');
      await page.getByLabel('Username or email').fill(LONG);
      await page.getByLabel('Password').fill(PASSWORD);
      await press(page, 'Sign in');
      await page.getByText('Without your telephone?').click();
    },
    'choosing a password, with mistakes': async (page, { db }) => {
      await transact(db, (trx) => insertInvitation(trx, LONG_ID, TOKEN, Date.now()));
      await page.goto(`/invitations/${TOKEN}`);
      await press(page, 'Save password');
    },
    'a link that no longer works': at('/invitations/x'),
    'signing in to send what was typed': async (page, { db }) => {
      const { id } = await addPerson(db, SIGNED_OUT, 'editor');
      await page.goto('/sign-in?next=%2Fusers%2Fnew');
      await page.getByLabel('Username or email').fill(SIGNED_OUT);
      await page.getByLabel('Password').fill(PASSWORD);
      await press(page, 'Sign in');
      await transact(db, (trx) =>
        trx.updateTable('sessions').set({ seen_at: 0 }).where('user_id', '=', id).execute(),
      );
      await press(page, 'Create user');
      await page.getByText('what you sent will be there, to be sent again').waitFor();
    },
    'signing in once the account is deactivated': async (page, { db }) => {
      const { id } = (await findUserByUsername(db, SIGNED_OUT)) ?? { id: 0 };
      await transact(db, (trx) => changeUser(trx, commandLine, id, { is_active: false }, Date.now()));
      await page.goto('/users');
      await page.getByText('Your account has been deactivated').waitFor();
    },
  },
};

/** In a Roster without an administrator, the last one without what it needs. */
export const FIRST: Record<string, Visit> = {
  'an empty directory': at('/users'),
  'the first administrator, with mistakes': async (page, app) => {
    await page.goto(`/setup/${app.setupToken}`);
    await press(page, 'Become administrator');
  },
  'the list with made-up people': async (page, { db }) => {
    const { id } = await addUser(db, { username: 'made.up', full_name: WORDS });
    await transact(db, (trx) => markMadeUp(trx, [id]));
    await page.goto('/users');
  },
  ...Object.fromEntries(
    Object.entries(REFUSALS).map(([name, refusal]): [string, Visit] => [
      name,
      async (page, app) => show(page, await refusal(app)),
    ]),
  ),
  'a failure of ours': async (page, { db }) => {
    await transact(db, (trx) => trx.schema.dropTable('user_counts').execute());
    await page.goto('/users');
  },
};

/** Of a million users, some of whom were left. @returns its change set */
async function addJob(db: Db, job: Parameters<typeof saveJob>[2]): Promise<number> {
  return transact(db, async (trx) => {
    const set_id = await beginSet(trx, commandLine, { at: Date.now(), kind: 'changed' });
    await insertJob(trx, { kind: 'undo', set_id, actor_id: ANN_ID, params: '{}', total: 1_000_000 });
    const { id } = await trx
      .selectFrom('jobs')
      .select('id')
      .where('set_id', '=', set_id)
      .executeTakeFirstOrThrow();
    const notes = JSON.stringify(Array.from({ length: 100 }, () => LONG_ID));
    await saveJob(trx, id, { done: 400_000, left_out: 1_000, notes, ...job });
    return set_id;
  });
}
