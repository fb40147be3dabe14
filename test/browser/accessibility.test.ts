import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { FastifyInstance } from 'fastify';
import { HtmlValidate, StaticConfigLoader } from 'html-validate';
import type { Page, Response } from 'playwright-core';
import { expect, onTestFinished, test } from 'vitest';
import { commandLine } from '../../src/auth/actor.ts';
import { newToken } from '../../src/auth/tokens.ts';
import { seedUsers } from '../../src/cli/seed.ts';
import { transact } from '../../src/db/transact.ts';
import { insertInvitation } from '../../src/invitations/queries.ts';
import { markMadeUp } from '../../src/made-up-people/queries.ts';
import { changeUser, deleteUser } from '../../src/users/commands.ts';
import { addPerson, PASSWORD, signedIn } from '../people.ts';
import { giveRoles, listen, startApp } from '../support.ts';
import { sharedChromium } from './chromium.ts';
import { layoutProblems, targetAt } from './measure.ts';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

const chromium = sharedChromium();

/** Every kind of page, and how a person comes to it. */
const PAGES: Record<string, (page: Page, app: FastifyInstance) => Promise<unknown>> = {
  'the list': (page) => page.goto('/users?page=2&sort=-username'),
  'the list with filters and a notice': (page) =>
    page.goto('/users?status=active&created_after=2019-01-01&sort=x'),
  'no match': (page) => page.goto('/users?created_after=2030-01-01'),
  'a role': (page) => page.goto('/users?role=editor&status=active'),
  'a search': (page) => page.goto('/users?q=an+ar&status=active'),
  'a search without a match': (page) => page.goto('/users?q=nobody&status=active'),
  'the letters': (page) => page.goto('/users?sort=username&per_page=2'),
  'a user': (page) => page.goto('/users/3?from=page%3D2'),
  'the empty form': (page) => page.goto('/users/new'),
  'the form with errors': async (page) => {
    await page.goto('/users/new');
    await page.getByLabel('Email').fill('ada.abbott@example.com');
    await page.getByRole('button', { name: 'Create user' }).click();
  },
  'a conflict': async (page, app) => {
    await page.goto('/users/5/edit');
    const theirs = { full_name: 'Changed', is_active: false, email: 'new@example.org' };
    await transact(app.db, (trx) => changeUser(trx, commandLine, 5, theirs, Date.now()));
    await page.getByLabel('Full name').fill('');
    await page.getByLabel('Email').fill('other@example.org');
    await page.getByLabel('Username').fill('other');
    await page.getByRole('button', { name: 'Save changes' }).click();
  },
  'someone deleted': async (page, app) => {
    await transact(app.db, (trx) => deleteUser(trx, commandLine, 6, Date.now()));
    await page.goto('/users/6');
  },
  'a form of someone deleted meanwhile': async (page, app) => {
    await page.goto('/users/7/edit');
    await transact(app.db, (trx) => deleteUser(trx, commandLine, 7, Date.now()));
    await page.getByLabel('Full name').fill('Typed');
    await page.getByRole('button', { name: 'Save changes' }).click();
  },
  'the question before deleting': (page) => page.goto('/users/3/delete'),
  'the same once more, of someone changed since': async (page, app) => {
    await page.goto('/users/8/delete');
    const full_name = 'Changed';
    await transact(app.db, (trx) => changeUser(trx, commandLine, 8, { full_name }, Date.now()));
    await page.getByRole('button', { name: 'Delete user' }).click();
  },
  'a flash message': async (page) => {
    await page.goto('/users/4');
    await page.getByRole('button', { name: /ctivate/ }).click();
  },
  'no such user': (page) => page.goto('/users/424242'),
  'no such page': (page) => page.goto('/users?page=99'),
  'a form not understood': async (page) => {
    await page.goto('/users/new');
    await page.evaluate("document.querySelector('#username').name = 'email'");
    await page.getByRole('button', { name: 'Create user' }).click();
  },
  'the list with made-up people, and without an administrator': async (page, app) => {
    await transact(app.db, (trx) => markMadeUp(trx, [3]));
    await page.goto('/users');
  },
  'the empty list': async (page, app) => {
    await transact(app.db, async (trx) => {
      await trx.deleteFrom('users').execute();
      await trx.updateTable('user_counts').set({ count: 0 }).execute();
    });
    await page.goto('/users');
  },
  'a failure of ours': async (page, app) => {
    await transact(app.db, (trx) => trx.schema.dropTable('user_counts').execute());
    await page.goto('/users');
  },
};

/** The same where people sign in: as whom. */
const DOORS: [
  name: string,
  asker: 'nobody' | 'admin' | 'editor',
  visit: (page: Page, app: FastifyInstance) => Promise<unknown>,
][] = [
  ['signing in', 'nobody', (page) => page.goto('/users')],
  [
    'a wrong password',
    'nobody',
    async (page) => {
      await page.goto('/sign-in');
      await page.getByRole('button', { name: 'Sign in' }).click();
    },
  ],
  [
    'the code',
    'nobody',
    async (page) => {
      await page.goto('/sign-in');
      await page.getByLabel('Username or email').fill(LONG);
      await page.getByLabel('Password').fill(PASSWORD);
      await page.getByRole('button', { name: 'Sign in' }).click();
      await page.getByText('Without your telephone?').click();
    },
  ],
  [
    'choosing a password',
    'nobody',
    async (page, app) => {
      const token = newToken();
      await transact(app.db, (trx) => insertInvitation(trx, 1, token, app.clock()));
      await page.goto(`/invitations/${token}`);
      await page.getByRole('button', { name: 'Save password' }).click();
    },
  ],
  ['the account', 'editor', (page) => page.goto('/account')],
  [
    'the account with errors',
    'admin',
    async (page) => {
      await page.goto('/account');
      await page.getByRole('button', { name: 'Change password' }).click();
    },
  ],
  [
    'one’s own name and email, with errors',
    'editor',
    async (page) => {
      await page.goto('/account/profile');
      await page.getByLabel('Email').fill('no');
      await page.getByRole('button', { name: 'Save changes' }).click();
    },
  ],
  ['a second factor', 'admin', (page) => page.goto('/account/code')],
  ['the roles', 'admin', (page) => page.goto('/roles')],
  ['the status', 'admin', (page) => page.goto('/admin/status')],
  ['what is left to do', 'admin', (page) => page.goto('/users')],
  ['someone with access', 'admin', (page) => page.goto('/users/2')],
  ['their form', 'admin', (page) => page.goto('/users/2/edit')],
  ['the last administrator', 'admin', (page) => page.goto('/users/1')],
  [
    'a link',
    'admin',
    async (page) => {
      await page.goto('/users/2');
      await page.getByRole('button', { name: 'Create access link' }).click();
    },
  ],
  [
    'inviting someone, with errors',
    'admin',
    async (page) => {
      await page.goto('/invite');
      await page.getByLabel('Username').fill('a b');
      await page.getByRole('button', { name: 'Invite' }).click();
    },
  ],
  ['what one may not do', 'editor', (page) => page.goto('/roles')],
  ['the list of an editor', 'editor', (page) => page.goto('/users?role=editor')],
  [
    'the account with a second factor, unfolded',
    'editor',
    async (page) => {
      await page.goto('/account');
      await page.getByText('Turn off…').click();
      await page.getByRole('button', { name: 'Turn off' }).click();
      await page.getByText('Make new recovery codes…').click();
    },
  ],
  [
    'recovery codes',
    'editor',
    async (page) => {
      await page.goto('/account');
      await page.getByText('Make new recovery codes…').click();
      await page.getByLabel('Your password, for new recovery codes').fill(PASSWORD);
      await page.getByRole('button', { name: 'Make new recovery codes' }).click();
    },
  ],
];

const LONG = `editor.${'w'.repeat(57)}`;

const CHECKER = new HtmlValidate(
  new StaticConfigLoader({ extends: ['html-validate:standard', 'html-validate:a11y'] }),
);
const sent = new WeakMap<Page, Response>();

/** Every page is looked at in each of these, without being loaded again. */
const LOOKS = (['light', 'dark'] as const).flatMap((colorScheme) =>
  [1280, 320].map((width) => ({ colorScheme, width })),
);

async function openBrowser(baseURL: string): Promise<Page> {
  // axe is a script, which the pages' own policy would rightly keep out.
  const context = await chromium().newContext({ baseURL, bypassCSP: true, reducedMotion: 'reduce' });
  onTestFinished(() => context.close());
  const page = await context.newPage();
  page.on('response', (response) => {
    const isPage = response.request().isNavigationRequest() && !response.headers().location;
    if (isPage) sent.set(page, response);
  });
  return page;
}

test('axe and a checker of HTML find nothing to mend where people sign in', {
  timeout: 120_000,
}, async () => {
  const app = await startApp();
  const admin = await addPerson(app.db, 'ann', 'admin', { full_name: 'Ann Ada' });
  const editor = await addPerson(app.db, LONG, 'editor', { hasCode: true, email: 'ed@example.org' });
  const baseURL = await listen(app);
  for (const asker of ['nobody', 'admin', 'editor'] as const) {
    const page = await openBrowser(baseURL);
    if (asker !== 'nobody') {
      const { cookie } = await signedIn(app, asker === 'admin' ? admin : editor);
      const [name = '', value = ''] = cookie.split('=');
      await page.context().addCookies([{ name, value, url: baseURL }]);
    }
    for (const [name, , visit] of DOORS.filter(([, by]) => by === asker)) {
      await visit(page, app);
      await lookAt(page, name);
    }
  }
});

test('axe and a checker of HTML find nothing to mend on any page', { timeout: 120_000 }, async () => {
  const app = await startApp();
  await seedUsers(app.db, 25);
  await giveRoles(app.db);
  const page = await openBrowser(await listen(app));
  for (const [name, visit] of Object.entries(PAGES)) {
    await visit(page, app);
    await lookAt(page, name);
  }
});

/** In either colour scheme, wide and narrow. */
async function lookAt(page: Page, name: string): Promise<void> {
  expect(await mistakesIn(page), name).toEqual([]);
  await page.evaluate(AXE);
  for (const { colorScheme, width } of LOOKS) {
    await page.setViewportSize({ width, height: 900 });
    await page.emulateMedia({ colorScheme });
    expect(await violationsOn(page), `${name}, ${colorScheme}, ${width} px wide`).toEqual([]);
    if (colorScheme === 'light')
      expect(await layoutProblems(page, targetAt(width)), `${name}, ${width} px wide`).toEqual([]);
  }
}

/** What the checker has to say about a page as it was sent. */
async function mistakesIn(page: Page): Promise<string[]> {
  const html = await sent.get(page)?.text();
  const { results } = await CHECKER.validateString(html ?? '');
  return results.flatMap(({ messages }) =>
    messages.map(({ ruleId, message, line }) => `${ruleId}, line ${line}: ${message}`),
  );
}

/** What axe has to say about a page. */
async function violationsOn(page: Page): Promise<string[]> {
  const { violations } = (await page.evaluate(
    'axe.run({ rules: { "target-size": { enabled: true } } })',
  )) as AxeResults;
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
}

type AxeResults = { violations: { id: string; nodes: { html: string }[] }[] };
