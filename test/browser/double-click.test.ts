/** Two real clicks on every form, the second before the first is answered: the page and the sentence of one, and one act. */
import { EventEmitter, once } from 'node:events';
import { request as ask, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Page } from 'playwright-core';
import { expect, onTestFinished, test } from 'vitest';
import { commandLine } from '../../src/auth/actor.ts';
import { addDraft } from '../../src/auth/drafts.ts';
import { findSessionsOf } from '../../src/auth/sessions.ts';
import type { Db, User } from '../../src/db/schema.ts';
import { transact } from '../../src/db/transact.ts';
import { findChangeSet } from '../../src/history/queries.ts';
import { saveJob } from '../../src/jobs/queries.ts';
import { changeUser, deleteUser } from '../../src/users/commands.ts';
import { findUser } from '../../src/users/queries.ts';
import { begin, changeMany } from '../jobs/many.ts';
import { startMailServer } from '../mail-server.ts';
import { addPerson, codeAt, movableClock, PASSWORD, signedIn } from '../people.ts';
import { addUser, listen, startApp } from '../support.ts';
import { sharedChromium } from './chromium.ts';

const chromium = sharedChromium();
const NEW = 'a bicycle in the library';
const CHOSEN = { new_password: NEW, new_password_again: NEW };

/** To where forms were sent twice, without what follows a question mark. */
const sentTwice = new Set<string>();

/** Passes everything on, but keeps the answer to a form, once it is there, until the form has been sent again. */
async function startSlowWay() {
  const forms = new EventEmitter();
  let [isKept, to] = [false, ''];
  const leadTo = (address: string) => {
    to = address;
  };
  const server = createServer((request, response) => {
    const { method, headers, url } = request;
    const isForm = method === 'POST';
    const isFirst = isForm && !isKept;
    const sentAgain = isFirst && once(forms, 'again');
    const asked = ask(`${to}${url}`, { method, headers }, async (answer) => {
      if (isFirst) forms.emit('first');
      await sentAgain;
      response.writeHead(answer.statusCode ?? 0, answer.rawHeaders);
      answer.pipe(response);
    });
    // What the browser has given up is given up.
    asked.on('error', () => response.destroy());
    response.once('close', () => asked.destroy());
    request.pipe(asked);
    if (!isForm) return;
    if (isKept) {
      sentTwice.add(String(url).split('?')[0] ?? '');
      forms.emit('again');
    }
    isKept = !isKept;
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, forms, leadTo };
}

async function start(settings: (address: string) => Record<string, string> = () => ({})) {
  const clock = movableClock(Date.now());
  const { address, forms, leadTo } = await startSlowWay();
  const app = await startApp(settings(address), undefined, clock);
  leadTo(await listen(app));
  const open = async (user?: User): Promise<Page> => {
    const context = await chromium().newContext({
      baseURL: address,
      javaScriptEnabled: false,
      reducedMotion: 'reduce',
    });
    onTestFinished(() => context.close());
    if (user) {
      const [name = '', value = ''] = (await signedIn(app, user)).cookie.split('=');
      await context.addCookies([{ name, value, url: address }]);
    }
    return context.newPage();
  };
  const visit = async (user?: User) => {
    const page = await open(user);
    return { page, click: clicker(page, forms) };
  };
  return { app, clock, visit };
}

/** These addresses are for scripts; no page has a form that leads there. */
const UNCLICKED = ['POST /add_user', 'POST /update_user/:id', 'POST /delete_user/:id'];

type Fields = Readonly<Record<string, string>>;

/** Opens a page, or stays, fills a form and clicks twice on its button: then a page says something. */
function clicker(page: Page, forms: EventEmitter) {
  return async (path: string | undefined, name: string, says: string, fields: Fields = {}): Promise<void> => {
    if (path) await page.goto(path);
    const button = page.getByRole('button', { name, includeHidden: true }).first();
    if (!(await button.isVisible()))
      await page.locator('details', { has: button }).locator('summary').first().click();
    const form = page.locator('form', { has: button });
    for (const [field, value] of Object.entries(fields)) await form.locator(`[name="${field}"]`).fill(value);
    await button.scrollIntoViewIfNeeded();
    const box = await button.boundingBox();
    if (box === null) throw new Error(`There is no button “${name}”.`);
    const sent = once(forms, 'first');
    const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
    await page.mouse.click(x, y);
    await sent;
    await page.mouse.click(x, y);
    await page.getByRole('main').filter({ hasText: says }).waitFor();
  };
}

async function clickOnUsers(): Promise<void> {
  const { app, visit } = await start();
  const ann = await addPerson(app.db, 'ann', 'admin');
  const { click } = await visit(ann);
  const [session] = await findSessionsOf(app.db, ann.id, 1);
  const draft = { form: '/users/new', fields: { username: 'zoe' } };
  await transact(app.db, (trx) => addDraft(trx, session?.id ?? 0, draft));
  await click('/users/new', 'Discard it', 'What you sent before is discarded.');
  await click('/users', 'Add made-up people', '100 made-up people added.');
  await click(undefined, 'Take them out again', '100 made-up people taken out.');
  const bob = { username: 'bob', email: 'bob@example.org' };
  await click('/users/new', 'Create user', 'User bob created!', bob);
  await click(undefined, 'Deactivate', 'User bob deactivated!');
  await click(undefined, 'Undo', 'User bob is as before!');
  await click('/users/102/edit', 'Save changes', 'User bob updated!', { full_name: 'Bob' });
  await click('/users/102/delete', 'Delete user', 'User bob deleted!');
  await click('/users/102', 'Bring back', 'User bob is back!');
  const max = await addUser(app.db, { username: 'max' });
  await click(
    `/bulk?do=deactivate&tick.${max.id}=on&tick.102=on`,
    'Deactivate 2 users',
    '2 users deactivated',
  );
  await click(`/users/${max.id}/delete`, 'Delete user', 'User max deleted!');
  await click(`/users/${max.id}/erase`, 'Erase for good', `User ${max.id} is erased`, { username: 'max' });
  const changes = await app.db.selectFrom('changes').select('version').where('user_id', '=', 102).execute();
  expect(changes.map(({ version }) => version)).toEqual([1, 2, 3, 4, 5, 6, 7]);
}

async function clickOnImports(): Promise<void> {
  const { app, visit } = await start();
  const { db } = app;
  const { page, click } = await visit(await addPerson(db, 'ann', 'admin'));
  const bringing = async (username: string) => {
    const buffer = Buffer.from(`username,email\n${username},${username}@example.org\n`);
    await page.goto('/import');
    await page.getByLabel('File').setInputFiles({ name: 'users.csv', mimeType: 'text/csv', buffer });
    await click(undefined, 'Check the file', 'Apply 1 row');
  };
  await bringing('ada');
  await click(undefined, 'Apply 1 row', 'From users.csv.');
  await bringing('bob');
  await page.locator('summary', { hasText: 'Read it differently' }).click();
  await page.getByLabel('Column email').selectOption({ label: 'Left out' });
  await click(undefined, 'Read it again', 'There is nothing to apply.');
  await click(undefined, 'Discard the file', 'The file is discarded. Nothing was changed.');
  const imports = await db.selectFrom('imports').select('state').orderBy('id').execute();
  expect(imports.map(({ state }) => state)).toEqual(['done', 'discarded']);
  const max = await addUser(db, { username: 'max', full_name: 'Max' });
  await page.goto(`/users/${max.id}/edit`);
  await transact(db, (trx) => changeUser(trx, commandLine, max.id, { full_name: 'Since' }, Date.now()));
  await click(undefined, 'Save changes', 'You both changed', { full_name: 'Mine' });
  await click(undefined, 'Save my choices', 'User max updated!');
  expect(await findUser(db, max.id)).toMatchObject({ full_name: 'Mine', version: 3 });
}

async function clickOnUndo(): Promise<void> {
  const { app, visit } = await start();
  const { db } = app;
  const { page, click } = await visit(await addPerson(db, 'ann', 'admin'));
  const set = await begin(db, await changeMany(db, 3));
  await transact(db, (trx) => saveJob(trx, 1, { state: 'stopped', failures: 5 }));
  await click(`/history/${set}`, 'Go on', 'Done for 3 of 3 users.');
  expect(await findChangeSet(db, set)).toMatchObject({ users: 3 });
  const max = await addUser(db, { username: 'max', full_name: 'Max' });
  await click(`/users/${max.id}/edit`, 'Save changes', 'User max updated!', { full_name: 'Then' });
  await transact(db, (trx) => changeUser(trx, commandLine, max.id, { full_name: 'Since' }, Date.now()));
  await page.goto(`/history/${(await lastSet(db)) - 1}/undo`);
  await page.getByRole('radio', { name: 'Put back' }).check();
  await click(undefined, 'Undo what I chose', 'User max is as before!');
  expect(await findUser(db, max.id)).toMatchObject({ full_name: 'Max', version: 4 });
}

async function clickOnWhoIsDeleted(): Promise<void> {
  const { app, visit } = await start();
  const { page, click } = await visit(await addPerson(app.db, 'ann', 'admin'));
  const max = await addUser(app.db, { username: 'max' });
  await page.goto(`/users/${max.id}/edit`);
  await transact(app.db, (trx) => deleteUser(trx, commandLine, max.id, Date.now()));
  await click(undefined, 'Save changes', 'Nothing of yours is saved', { full_name: 'Mine' });
  await click(undefined, 'Bring back with these changes', 'User max is back!');
  expect(await findUser(app.db, max.id)).toMatchObject({ full_name: 'Mine', version: 4 });
}

async function clickOnMail(): Promise<void> {
  const { mails, port } = await startMailServer();
  const settings = (ORIGIN: string) => ({
    ORIGIN,
    TRUST_PROXY: '127.0.0.1',
    SMTP_URL: `smtp://127.0.0.1:${port}`,
  });
  const { app, visit } = await start(settings);
  const { click } = await visit(await addPerson(app.db, 'ann', 'admin'));
  const eve = await addPerson(app.db, 'eve', 'viewer');
  await click(`/users/${eve.id}`, 'Create access link', 'Access link for eve created!');
  await click(undefined, 'Send by mail', 'Roster has sent it by mail.');
  expect(mails).toHaveLength(1);
}

async function lastSet(db: Db): Promise<number> {
  const sets = db.selectFrom('change_sets').select('id').orderBy('id', 'desc');
  return (await sets.executeTakeFirstOrThrow()).id;
}

async function clickOnAccess(): Promise<void> {
  const { app, visit } = await start();
  const ann = await addPerson(app.db, 'ann', 'admin');
  const eve = await addPerson(app.db, 'eve', 'viewer', { hasCode: true });
  const { click } = await visit(ann);
  for (let browser = 0; browser < 3; browser++) await signedIn(app, eve);
  await click(`/users/${eve.id}`, 'End Firefox', 'eve is signed out of that browser.');
  await click(undefined, 'End all of them', 'eve is signed out everywhere.');
  await click(undefined, 'Remove second factor', 'The second factor of eve is removed.');
  await click(undefined, 'Create access link', 'Access link for eve created!');
  await click(`/users/${eve.id}`, 'Withdraw link', 'The access link of eve is withdrawn.');
  await click('/roles', 'Save', 'Saved.');
  const mia = await addUser(app.db, { username: 'mia' });
  await click(`/users/${mia.id}`, 'Invite', 'mia can get in with this link');
  await click('/invite', 'Invite', 'zed can get in with this link', { email: 'zed@example.org' });
}

async function clickOnAccount(): Promise<void> {
  const { app, clock, visit } = await start();
  const ann = await addPerson(app.db, 'ann', 'admin');
  for (let browser = 0; browser < 3; browser++) await signedIn(app, ann);
  const { page, click } = await visit(ann);
  const email = { email: 'new@example.org', password: PASSWORD };
  await click('/account/profile', 'Save changes', 'Your name and email are saved.', email);
  await click('/account', 'End Firefox', 'That browser is signed out.');
  await click(undefined, 'End all others', 'Every other browser is signed out.');
  await page.goto('/account/code');
  const secret = (await page.locator('.secret').innerText()).replaceAll(' ', '');
  const code = codeAt(clock(), secret);
  await click(undefined, 'Turn on', 'Your second factor is set already.', { code, password: PASSWORD });
  const withCode = () => {
    clock.move(30_000);
    return { password: PASSWORD, present_code: codeAt(clock(), secret) };
  };
  const isNew = 'You have new recovery codes already.';
  await click('/account', 'Make new recovery codes', isNew, withCode());
  await click(undefined, 'Turn off', 'Your second factor is removed.', withCode());
  const fields = { current_password: PASSWORD, ...CHOSEN };
  await click(undefined, 'Change password', 'Your password is changed;', fields);
  await click('/account', 'Sign out', 'You are signed out.');
  expect(await app.db.selectFrom('sessions').select('id').execute()).toEqual([]);
}

async function clickAtTheDoor(): Promise<void> {
  const { app, clock, visit } = await start();
  const { page, click } = await visit();
  const ann = { username: 'ann', email: 'ann@example.org', ...CHOSEN };
  const isMade = 'You are the administrator.';
  await click('/users', 'Become administrator', 'As the administrator you let others in');
  expect(new URL(page.url()).pathname).toBe(`/setup/${app.setupToken}`);
  await click(undefined, 'Become administrator', isMade, ann);
  await click('/users', 'Hide', 'Users');
  expect(await page.getByRole('button', { name: 'Hide' }).count()).toBe(0);
  expect(await app.db.selectFrom('sessions').select('id').execute()).toHaveLength(1);
  const eve = await addPerson(app.db, 'eve', 'viewer', { hasCode: true });
  await click(`/users/${eve.id}`, 'Create access link', 'eve can get in with this link');
  const link = await page.locator('.secret').innerText();
  await click('/account', 'Sign out', 'You are signed out.');
  await click(new URL(link).pathname, 'Save password', 'Your password is set. Sign in as eve.', CHOSEN);
  await click(undefined, 'Sign in', 'Enter your code', { password: NEW });
  await click(undefined, 'Sign in', 'Users', { code: codeAt(clock()) });
  expect(await app.db.selectFrom('sessions').select('user_id').execute()).toEqual([{ user_id: eve.id }]);
}

/** In milliseconds, for some forty forms in one browser, each of which is slow. */
const LONG = 300_000;

test('two clicks on a form are one act, told once', { timeout: LONG }, async () => {
  await Promise.all([
    clickOnUsers(),
    clickOnImports(),
    clickOnUndo(),
    clickOnWhoIsDeleted(),
    clickOnMail(),
    clickOnAccess(),
    clickOnAccount(),
    clickAtTheDoor(),
  ]);
  const { app } = await start();
  const routes = [...app.rules.keys()].filter((route) => route.startsWith('POST '));
  const clicked = [...sentTwice].map((path) => routeOf(path, routes));
  expect([...new Set(clicked), ...UNCLICKED].sort()).toEqual(routes.sort());
});

/** The one with the fewest parts that may be anything. */
function routeOf(path: string, routes: readonly string[]): string | undefined {
  const wildness = (route: string) => route.split(':').length;
  return routes
    .toSorted((one, other) => wildness(one) - wildness(other))
    .find((route) => new RegExp(`^${route.replaceAll(/:\w+/g, '[^/]+')}$`).test(`POST ${path}`));
}
