/** Whatever people write, wherever it shows: a browser with its scripts on takes it for text. */
import type { AddressInfo } from 'node:net';
import type { FastifyInstance } from 'fastify';
import type { Browser, Cookie, Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { sessionCookie } from '../../src/auth/cookie.ts';
import { type Credentials, findCredentials } from '../../src/auth/credentials.ts';
import { setDraft } from '../../src/auth/drafts.ts';
import { insertSession } from '../../src/auth/sessions.ts';
import { insertTicket } from '../../src/auth/tickets.ts';
import { newToken, seal } from '../../src/auth/tokens.ts';
import type { User } from '../../src/db/schema.ts';
import { transact } from '../../src/db/transact.ts';
import { HEADERS } from '../../src/http/security.ts';
import { createEta } from '../../src/http/templates.ts';
import { insertInvitation } from '../../src/invitations/queries.ts';
import { parseForm } from '../../src/lib/forms.ts';
import { newUserSchema } from '../../src/users/validation.ts';
import { addPerson, PASSWORD } from '../people.ts';
import { addUser, cookieName, get, listen, post, startApp } from '../support.ts';
import { launchChromium } from './chromium.ts';
import { PAYLOADS, type Payload, type Place } from './payloads.ts';

/** All that a page of ours is made of; nothing else may come to be on one. */
const TAGS =
  'html head meta title link body a header div img span nav form button main p search input label details summary select option h1 h2 table thead tbody tr th td bdi mark wbr time dl dt dd section fieldset legend em strong ul ol li svg rect path';
const ATTRIBUTES =
  'lang charset name content rel href type class id src alt width height method action value autocomplete autocapitalize spellcheck placeholder for scope datetime title translate tabindex role autofocus required readonly dir inputmode size selected checked open novalidate formaction viewBox shape-rendering fill d aria-label aria-current aria-hidden aria-labelledby aria-describedby aria-invalid aria-sort';

/** Added to every page before anything else of it: how a page is looked over, and how a form is sent from it. */
const OBSERVER = `{
  const TAGS = new Set(${JSON.stringify(TAGS)}.split(' '));
  const ATTRIBUTES = new Set(${JSON.stringify(ATTRIBUTES)}.split(' '));
  const ADDRESSES = ['href', 'src', 'action', 'formaction'];
  const { submit } = HTMLFormElement.prototype;
  const { origin } = new URL(document.baseURI);

  const tell = ({ effectiveDirective, blockedURI }) =>
    noticed('violation of ' + effectiveDirective + ': ' + blockedURI);
  addEventListener('securitypolicyviolation', tell);

  const isOurs = (address) => {
    const url = URL.parse(address, document.baseURI);
    return url?.protocol === 'mailto:' ? url.search === '' : url?.origin === origin;
  };
  globalThis.lookOver = () => {
    const strange = [], shown = [document.documentElement.textContent];
    for (const element of document.querySelectorAll('*')) {
      const isHidden = document.body.contains(element) && ['link', 'meta', 'title'].includes(element.localName);
      if (isHidden || !TAGS.has(element.localName)) strange.push('<' + element.localName + '>');
      for (const { name, value } of element.attributes) {
        shown.push(value);
        const isStrange = !ATTRIBUTES.has(name) || (ADDRESSES.includes(name) && !isOurs(value));
        if (isStrange) strange.push('<' + element.localName + ' ' + name + '=' + value.slice(0, 60) + '>');
      }
    }
    return { strange, shown: shown.join('\\n') };
  };
  let frame;
  globalThis.show = (html, isApart) =>
    new Promise((resolve) => {
      if (isApart || frame?.contentDocument === null) {
        frame?.remove();
        frame = undefined;
      }
      frame ??= document.body.appendChild(document.createElement('iframe'));
      const { contentDocument: page, contentWindow: view } = frame;
      page.open();
      view.addEventListener('securitypolicyviolation', tell);
      const look = () => {
        try {
          resolve(view.lookOver());
        } catch {
          resolve({ strange: ['another page'], shown: '' });
        }
      };
      frame.onload = look;
      setTimeout(look, 2000);
      page.write(html);
      page.close();
    });
  globalThis.send = (action, fields) => {
    const form = document.createElement('form');
    Object.assign(form, { action, method: 'post' });
    for (const [name, value] of fields) {
      const input = document.createElement('input');
      Object.assign(input, { type: 'hidden', name, value });
      form.append(input);
    }
    document.body.append(form);
    setTimeout(() => submit.call(form));
  };
}`;

let browser: Browser;
beforeAll(async () => {
  browser = await launchChromium();
});
afterAll(() => browser.close());

/** What a template that runs in Roster itself has called. */
const ranInRoster: unknown[] = [];
beforeEach(() => {
  Object.assign(globalThis, { pwned: (mark: unknown) => ranInRoster.push(mark) });
});

type Fields = Readonly<Record<string, string>>;

/** A window whose every page is looked over. */
type Watched = {
  page: Page;
  /** All that happened, and that was seen, which should not. */
  found: Set<string>;
  pages: number;
  /** Opens a page, or sends a form to it; `shows` are texts that have to be on it, whole. */
  /** What is found on a page that is none of ours, on its own. */
  look(html: string): Promise<string[]>;
  visit(
    path: string,
    more?: { fields?: Fields; shows?: readonly string[]; isOpened?: boolean },
  ): Promise<void>;
};

type Seen = { strange: string[]; shown: string };

const POLICY = HEADERS['content-security-policy'];
/** One page in so many is opened, and its form sent, by the window itself; the others come in frames, at a tenth of the time. */
const OPENED = 61;

function addressOf(app: FastifyInstance): string {
  return `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`;
}

async function cookiesOf(page: Page): Promise<string> {
  const cookies = await page.context().cookies();
  return cookies.map(({ name, value }) => `${name}=${value}`).join('; ');
}

async function openWindow(app: FastifyInstance, bypassCSP: boolean, cookies: Fields = {}): Promise<Watched> {
  const baseURL = addressOf(app);
  const context = await browser.newContext({ baseURL, bypassCSP });
  onTestFinished(() => context.close());
  await context.addCookies(Object.entries(cookies).map(([name, value]) => ({ name, value, url: baseURL })));
  const found = new Set<string>();
  let at = '';
  const note = (what: string) => void found.add(`${at}: ${what}`);
  await context.exposeFunction('pwned', (mark: unknown) => note(`ran ${mark}`));
  await context.exposeFunction('noticed', note);
  await context.addInitScript(OBSERVER);
  const page = await context.newPage();
  page.on('dialog', (dialog) => {
    note(`ran a dialog: ${dialog.message()}`);
    dialog.dismiss().catch(() => {});
  });
  page.on('request', (request) => {
    if (URL.parse(request.url())?.origin !== baseURL) note(`request for ${request.url().slice(0, 80)}`);
  });
  page.on('response', (response) => {
    if (response.status() >= 500) note(`status ${response.status()}`);
    if ('x-pwned' in response.headers()) note('a header of theirs');
  });
  page.on('console', (message) => {
    if (/content.security.policy/i.test(message.text())) note(`violation: ${message.text().slice(0, 200)}`);
  });
  page.on('pageerror', (error) => note(`an error of a script: ${error.message}`));
  page.on('frameattached', (frame) => {
    if (frame.parentFrame() !== page.mainFrame()) note('a frame');
  });
  page.on('popup', () => note('another window'));
  page.on('download', () => note('a download'));

  const watched: Watched = {
    page,
    found,
    pages: 0,
    async look(html) {
      found.clear();
      at = '';
      if (page.url() === 'about:blank') await page.goto('/users');
      const { strange } = (await page.evaluate(`show(${JSON.stringify(html)}, true)`)) as Seen;
      for (const what of strange) note(`there is ${what}`);
      // What runs by itself does so by the next frame or two; a machine at work may take longer.
      for (let waits = 0; waits < 2 || (waits < 20 && found.size === 0); waits++)
        await page.waitForTimeout(20);
      return [...found].map((what) => what.slice(2));
    },
    async visit(path, { fields, shows = [], isOpened = watched.pages % OPENED === 0 } = {}) {
      at = `${fields ? 'POST' : 'GET'} ${path.slice(0, 200)}`;
      let seen: Seen;
      if (!isOpened) {
        const headers = { cookie: await cookiesOf(page), 'sec-fetch-site': 'same-origin' };
        const { body, headers: answered } = await (fields
          ? post(app, path, fields, headers)
          : get(app, path, headers));
        if (answered['content-security-policy'] !== POLICY) note('another policy');
        seen = (await page.evaluate(`show(${JSON.stringify(body)})`)) as Seen;
      } else {
        if (fields === undefined) await page.goto(path);
        else {
          const sending = page.evaluate(
            `send(${JSON.stringify(path)}, ${JSON.stringify(Object.entries(fields))})`,
          );
          await Promise.all([page.waitForNavigation(), sending]);
        }
        seen = (await page.evaluate('lookOver()')) as Seen;
      }
      watched.pages++;
      for (const what of seen.strange) note(`there is ${what}`);
      if (!page.url().startsWith(`${baseURL}/`)) note(`led to ${page.url()}`);
      const bare = bareOf(seen.shown);
      for (const text of shows) if (!bare.includes(bareOf(text))) note(`does not show ${text}`);
    },
  };
  return watched;
}

/** Text without what pages, fields and sentences leave out: space, and whatever does not show. */
function bareOf(text: string): string {
  return text.normalize('NFC').replaceAll(/[\s\p{C}\p{Z}\uFFFD]/gu, '');
}

/** As much of a text as a sentence quotes for certain. */
function quoted(text: string): string {
  return Array.from(text.trim()).slice(0, 50).join('');
}

/** A text in the path of an address. */
function segment(text: string): string {
  return encodeURIComponent(text.slice(0, 1_000).toWellFormed());
}

function query(parameters: Fields): string {
  return new URLSearchParams(parameters).toString();
}

/** A name that no form takes, for what else may come to be in the database. */
function named(mark: number): string {
  return `"><img src=x onerror=pwned(${mark})><%= pwned(${mark}) %>`;
}

/** A session, which has begun then, and its cookie. */
async function addSession(app: FastifyInstance, user: User, began = app.clock()) {
  const token = newToken();
  const session = { token, user_id: user.id, address: '127.0.0.1', browser: 'Chrome' };
  const id = await transact(app.db, (trx) => insertSession(trx, session, began));
  return { id, cookies: { [sessionCookie(app).name]: token } };
}

/** Whoever a form would take, with a payload for a name or an email. */
function storable(): { text: string; user: { username: string; email: string; full_name: string | null } }[] {
  const taken = new Set<string>();
  return PAYLOADS.flatMap(({ text }, number) => {
    const usual = { username: `u${number}`, email: `u${number}@example.org`, full_name: 'Somebody' };
    return [{ full_name: text }, { email: text }, { username: text }].flatMap((change, index) => {
      const whole = { ...usual, username: `${usual.username}.${index}`, email: `${index}.${usual.email}` };
      const form = parseForm(newUserSchema, { ...whole, ...change });
      if (!form.ok || taken.has(form.value.username.toLowerCase())) return [];
      taken.add(form.value.username.toLowerCase());
      return [{ text, user: form.value }];
    });
  });
}

/** A page on which a payload stands as it is, where it would come to life; undefined where there is no such place. */
function unsound({ text, place }: Payload): string | undefined {
  const unescaped = decodeURIComponent(text.replaceAll(/%(?!3c|3e|20|2f)/gi, '%25'));
  const decoded = unescaped
    .replaceAll(/&(?:#0*60|#x3c|lt);?/gi, '<')
    .replaceAll(/&(?:#0*62|#x3e|gt);?/gi, '>')
    .replaceAll('&quot;', '"')
    .replaceAll(/\\u003c|\\x3c/g, '<')
    .replaceAll(/\\u003e|\\x3e/g, '>')
    .normalize('NFKC');
  const pages: Partial<Record<Place, string>> = {
    text: `<p>${text}</p>`,
    double: `<form id="f"></form><input value="${text}">`,
    single: `<input value='${text}'>`,
    bare: `<input value=${text}>`,
    address: `<a href="${text}">x</a>`,
    style: `<p style="${text.replaceAll('"', "'")}">x</p><style>p{${text}}</style>`,
    script: `<script>var x = "${text}";</script><script>var x = "${text.replaceAll('"', '\\"')}";</script>`,
    decoded: `<p>${decoded}</p>`,
  };
  const body = pages[place];
  return (
    body &&
    `<!doctype html><html lang="en"><head><title>x</title></head><body>${body}<p class="x">x</p><p class='x'>x</p></body></html>`
  );
}

const MODES = [
  { name: 'with the policy of its pages', bypassCSP: false },
  { name: 'without any policy', bypassCSP: true },
];

describe.each(MODES)('$name', ({ bypassCSP }) => {
  test('nothing that people write is more than text, on any page', { timeout: 180_000 }, async () => {
    const app = await startApp();
    const open = await startApp();
    const base = await listen(app);
    await listen(open);
    const admin = await addPerson(app.db, named(-1), 'admin', { email: 'admin@example.org' });
    const coded = await addPerson(app.db, 'coded', 'viewer', { hasCode: true });
    const stored: { text: string; user: User }[] = [];
    for (const { text, user } of storable())
      stored.push({ text, user: await addUser(app.db, { ...user, role: 'viewer' }) });
    expect(stored.length).toBeGreaterThan(150);
    const credentials = await findCredentials(app.db, coded.id);
    const ticket = await transact(app.db, (trx) =>
      insertTicket(trx, credentials as Credentials, app.clock()),
    );
    const windows: Watched[] = [];
    async function windowOf(at: FastifyInstance, cookies: Fields = {}): Promise<Watched> {
      const watched = await openWindow(at, bypassCSP, cookies);
      windows.push(watched);
      return watched;
    }

    /** Everyone who is stored, wherever they show. */
    async function readUsers(): Promise<void> {
      const { cookies } = await addSession(app, admin);
      const { visit } = await windowOf(app, cookies);
      for (let from = 0; from < stored.length + 2; from += 100) {
        const page = String(from / 100 + 1);
        const there = stored.slice(Math.max(0, from - 2), from + 98).map(({ text }) => text);
        await visit(`/users?${query({ per_page: '100', page })}`, { shows: there });
        await visit(`/users?${query({ per_page: '100', page, sort: '-username', q: 'u' })}`);
      }
      for (const { text, user } of stored) {
        const from = `?${query({ from: query({ q: text, status: text }) })}`;
        for (const path of ['', '/edit', '/delete'])
          await visit(`/users/${user.id}${path}${from}`, { shows: [text] });
        await visit(`/users/${user.id}/invitation${from}`, {
          fields: {},
          shows: [user.full_name ?? user.username],
        });
      }
    }

    /** Forms that are refused, out of date, or sent again after a session has ended. */
    async function sendForms(): Promise<void> {
      const { id, cookies } = await addSession(app, admin);
      const { visit } = await windowOf(app, cookies);
      await visit('/users');
      for (const [index, { text }] of PAYLOADS.entries()) {
        const typed = { username: text, email: text, full_name: text, is_active: text, role: text };
        await visit('/users', { fields: typed, shows: [text] });
        await visit('/users', { fields: { [text]: text }, shows: ['Enter a username.'] });
        const there = stored[index % stored.length] as { text: string; user: User };
        const form = `/users/${there.user.id}/edit`;
        await transact(app.db, (trx) => setDraft(trx, id, { form, fields: { ...typed, version: '99' } }));
        await visit(form, { shows: [text, there.text, 'This is what you sent', 'There now:'] });
        await transact(app.db, (trx) => setDraft(trx, id, undefined));
        const fields = { full_name: text, username: 'other', email: 'other@example.org', version: '99' };
        await visit(`/users/${there.user.id}`, { fields, shows: [text, there.text, 'There now:'] });
      }
    }

    /** Addresses: the list and its search, and pages that are not there. */
    async function askForPages(): Promise<void> {
      const { cookies } = await addSession(app, admin);
      const { visit } = await windowOf(app, cookies);
      const names = 'q status role sort page per_page created_after created_before from after before'.split(
        ' ',
      );
      for (const { text } of PAYLOADS) {
        const short = text.slice(0, 300);
        const parameters = Object.fromEntries([...names, short].map((name) => [name, short]));
        await visit(`/users?${query(parameters)}`, { shows: [quoted(text)] });
        await visit(`/users?${query({ q: short, page: '7' })}`);
        const isTaken = stored.some(({ user }) => user.username === text);
        await visit(`/users/by-username/${segment(text)}`, isTaken ? {} : { shows: [quoted(text)] });
        await visit(`/users/${segment(text)}`, { shows: [quoted(text)] });
        await visit(`/${segment(text)}?${query({ [short]: short })}`, { shows: ['Page not found'] });
      }
    }

    /** The door, for those who are not signed in, or no longer. */
    async function knock(): Promise<void> {
      const { cookies } = await addSession(app, admin, Date.now() - 20 * 24 * 60 * 60_000);
      const { page, visit } = await windowOf(app, cookies);
      const token = newToken();
      const invited = await addPerson(app.db, named(-2), 'viewer', { email: 'invited@example.org' });
      await transact(app.db, (trx) => insertInvitation(trx, invited.id, token, app.clock()));
      for (const { text } of PAYLOADS) {
        const flash = text.slice(0, 300).toWellFormed();
        const value = seal(app.secretKey, 'flash', flash);
        await page.context().addCookies([{ name: cookieName('flash'), value, url: base }]);
        await visit(`/sign-in?${query({ next: text.slice(0, 1_000) })}`, { shows: [flash] });
        const fields = { username: text, password: text, code: text, next: text, draft: text };
        await visit('/sign-in', { fields: { ...fields, ticket: text }, shows: [text] });
        await visit('/sign-in', { fields: { ...fields, ticket }, shows: [text, 'Enter your code'] });
        const late = `/users?${query({ from: query({ q: text.slice(0, 300) }) })}`;
        await visit(late, { fields, shows: ['Your session has ended'] });
      }
      const again = { new_password: named(-3), new_password_again: 'x' };
      await visit(`/invitations/${token}`, {
        fields: again,
        shows: [invited.username, 'There is a problem'],
      });
      await visit(`/invitations/${segment(again.new_password)}`, { shows: ['Not found'] });
    }

    /** The form for the first administrator. */
    async function setUp(): Promise<void> {
      const { visit } = await windowOf(open);
      await visit(`/setup/${open.setupToken}`);
      for (const { text } of PAYLOADS) {
        const fields = { username: text, email: text, full_name: text, new_password: text };
        await visit(`/setup/${open.setupToken}`, { fields, shows: [text] });
      }
      await visit(`/setup/${segment(named(-4))}`, { shows: ['Not found'] });
    }

    /** One's own account, from browsers and addresses of any name; and a draft as it really comes to be. */
    async function lookAtAccount(): Promise<void> {
      const owner = await addPerson(app.db, 'owner', 'admin');
      const texts = PAYLOADS.map(({ text }) => text.replaceAll('\0', '').toWellFormed());
      const { cookies } = await addSession(app, owner, Date.now() - 20 * 24 * 60 * 60_000);
      const { page, visit } = await windowOf(app, cookies);
      await visit('/sign-in');
      const text = named(-5);
      const fields = { username: text, email: text, full_name: text };
      await visit(`/users?${query({ from: query({ q: text }) })}`, { fields, isOpened: true });
      await page.fill('[name=password]', PASSWORD);
      await page.fill('[name=username]', 'owner');
      await Promise.all([page.waitForNavigation(), page.click('main [type=submit]')]);
      expect(new URL(page.url()).pathname).toBe('/users/new');
      await visit(new URL(page.url()).pathname + new URL(page.url()).search, {
        shows: [text, 'This is what you sent'],
      });
      // No more than the page shows of them.
      for (let from = 0; from < texts.length; from += 90) {
        const shown = texts.slice(from, from + 90);
        await transact(app.db, async (trx) => {
          for (const text of shown) {
            const session = { token: newToken(), user_id: owner.id, address: text, browser: text };
            await insertSession(trx, session, app.clock());
          }
        });
        await visit('/account', { shows: shown });
      }
      await visit('/account/password', { fields: { [text]: text }, shows: ['That is not your password.'] });
    }

    await Promise.all([readUsers(), sendForms(), askForPages(), knock(), setUp(), lookAtAccount()]);
    const cookies = await Promise.all(windows.map(({ page }) => page.context().cookies()));
    const names = new Set(cookies.flat().map(({ name }: Cookie) => name));
    expect(windows.flatMap(({ found }) => [...found])).toEqual([]);
    expect(
      [...names].filter((name) => !(['session', 'flash', 'device'] as const).map(cookieName).includes(name)),
    ).toEqual([]);
    expect(ranInRoster).toEqual([]);
    expect(Object.hasOwn(Object.prototype, 'pwned')).toBe(false);
    if (process.env.COUNT)
      console.log(
        PAYLOADS.length,
        windows.map(({ pages }) => pages),
      );
  });

  test('each payload is noticed where it is put on a page as it is', async () => {
    const app = await startApp();
    await listen(app);
    const duds: string[] = [];
    const ran: string[] = [];
    let violations = 0;
    async function lookAt(payloads: readonly Payload[]): Promise<void> {
      const { page, look } = await openWindow(app, bypassCSP);
      const isForeign = ({ origin }: URL) => origin !== addressOf(app);
      await page.context().route(isForeign, (route) => route.abort());
      const usual = new Map<Place, string[]>();
      for (const payload of payloads) {
        const html = unsound(payload);
        if (html === undefined) continue;
        const { place, text } = payload;
        if (!usual.has(place)) usual.set(place, await look(unsound({ place, text: 'x' }) ?? ''));
        const found = (await look(html)).filter((what) => !usual.get(place)?.includes(what));
        if (found.some((what) => what.startsWith('ran '))) ran.push(text);
        if (found.some((what) => what.startsWith('violation'))) violations++;
        if (found.length === 0) duds.push(text);
      }
    }
    const parts = [0, 1, 2, 3].map((part) => PAYLOADS.filter((_, index) => index % 4 === part));
    await Promise.all(parts.map(lookAt));
    expect(duds).toEqual([]);
    if (bypassCSP) {
      expect(ran.length).toBeGreaterThan(80);
    } else {
      expect(ran).toEqual([]);
      expect(violations).toBeGreaterThan(80);
    }
  });
});

test('a template of theirs that Roster ran would be noticed', () => {
  const eta = createEta();
  const duds: string[] = [];
  for (const { text, place } of PAYLOADS) {
    if (place !== 'template') continue;
    ranInRoster.length = 0;
    try {
      eta.renderString(text, {});
    } catch {}
    if (ranInRoster.length === 0) duds.push(text);
  }
  expect(duds).toEqual([]);
});
