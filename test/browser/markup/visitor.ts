/** Someone who goes from page to page, in a window that holds to the policy of the pages and in one that has none. */
import type { FastifyInstance } from 'fastify';
import type { Browser, Page } from 'playwright-core';
import { assetPath } from '../../../src/http/assets.ts';
import { HEADERS } from '../../../src/http/security.ts';
import { addressOf, cookieName, get, post } from '../../support.ts';
import { MODES, openWindow, type Window } from './window.ts';

export type Fields = Readonly<Record<string, string>>;

export type Visitor = {
  /** One of each window. */
  pages: readonly Page[];
  /** Opens a page, or sends a form to it; `shows` are texts that have to be on it, whole. */
  visit(path: string, more?: Visit): Promise<void>;
  /** Gives both windows a cookie. */
  take(name: string, value: string): Promise<void>;
  /** All that happened anywhere, and that was seen, which should not. */
  end(): Promise<string[]>;
};

type Visit = { fields?: Fields; shows?: readonly string[]; isOpened?: boolean };

const POLICY = HEADERS['content-security-policy'];
/** One page in so many is opened, and its form sent, by the windows themselves; the others come in frames, in a moment. */
const OPENED = 61;
/** So many are looked over in one go. */
const TOGETHER = 20;
/** It comes with the pages that are opened, and is the same for all. */
const STYLE = `<link rel="stylesheet" href="${assetPath('app.css')}">`;

const OURS = (['session', 'flash', 'device'] as const).map(cookieName);

export async function startVisit(
  browser: Browser,
  app: FastifyInstance,
  cookies: Fields = {},
): Promise<Visitor> {
  const baseURL = addressOf(app);
  const windows = await Promise.all(MODES.map(({ bypassCSP }) => openWindow(browser, baseURL, bypassCSP)));
  const pages = windows.map(({ page }) => page);
  const waiting: { at: string; html: string; shows: readonly string[] }[] = [];
  let jar = new Map<string, string>();
  let visits = 0;

  async function take(name: string, value: string): Promise<void> {
    jar.set(name, value);
    for (const page of pages) await page.context().addCookies([{ name, value, url: baseURL }]);
  }

  async function lookOver(): Promise<void> {
    const some = waiting.splice(0);
    if (some.length === 0) return;
    const judging = `judgeAll(${JSON.stringify(some)})`;
    await Promise.all(
      windows.map(async ({ page, goOn, note }) => {
        goOn(`one of ${some.map(({ at }) => at).join(', ')}`);
        for (const [index, problems] of ((await page.evaluate(judging)) as string[][]).entries())
          for (const problem of problems) note(`${some[index]?.at}: ${problem}`);
        stayHere(page, note);
      }),
    );
  }

  async function ask(path: string, at: string, { fields, shows = [] }: Visit): Promise<void> {
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ');
    const headers = { cookie, 'sec-fetch-site': 'same-origin' };
    const { body, headers: answered } = await (fields
      ? post(app, path, fields, headers)
      : get(app, path, headers));
    if (answered['content-security-policy'] !== POLICY) windows[0]?.note(`${at}: another policy`);
    waiting.push({ at, html: body.replace(STYLE, ''), shows });
    if (waiting.length === TOGETHER) await lookOver();
  }

  async function open({ page, goOn, note }: Window, path: string, at: string, visit: Visit): Promise<void> {
    goOn(at);
    if (visit.fields === undefined) await page.goto(path);
    else {
      const sending = `send(${JSON.stringify(path)}, ${JSON.stringify(Object.entries(visit.fields))})`;
      await Promise.all([page.waitForNavigation(), page.evaluate(sending)]);
    }
    const problems = await page.evaluate(`judge(lookOver(), ${JSON.stringify(visit.shows ?? [])})`);
    for (const problem of problems as string[]) note(problem);
    stayHere(page, note);
  }

  function stayHere(page: Page, note: Window['note']): void {
    if (!page.url().startsWith(`${baseURL}/`)) note(`led to ${page.url()}`);
  }

  for (const [name, value] of Object.entries(cookies)) await take(name, value);
  return {
    pages,
    take,
    async visit(path, visit = {}) {
      const { fields, isOpened = visits % OPENED === 0 } = visit;
      const at = `${fields ? 'POST' : 'GET'} ${path.slice(0, 200)}`;
      visits++;
      if (!isOpened) return ask(path, at, visit);
      await lookOver();
      await Promise.all(windows.map((window) => open(window, path, at, visit)));
      const kept = await pages[0]?.context().cookies();
      jar = new Map(kept?.map(({ name, value }) => [name, value]));
    },
    async end() {
      await lookOver();
      for (const { page, note } of windows)
        for (const { name } of await page.context().cookies())
          if (!OURS.includes(name)) note(`a cookie ${name}`);
      return windows.flatMap(({ found }) => [...found]);
    },
  };
}
