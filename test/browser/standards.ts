/** What a checker of HTML and axe-core have to say about a page. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { HtmlValidate, StaticConfigLoader } from 'html-validate';
import type { CDPSession, Page, Response } from 'playwright-core';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const CHECKER = new HtmlValidate(
  new StaticConfigLoader({ extends: ['html-validate:standard', 'html-validate:a11y'] }),
);
/** What depends on colours. */
const OF_COLOURS = ['color-contrast', 'link-in-text-block'];

type AxeResults = { violations: { id: string; nodes: { html: string }[] }[] };

const sent = new WeakMap<Page, Response>();

/** Call it before a page is opened that is to be checked as it was sent. */
export function noteAnswers(page: Page): void {
  page.on('response', (response) => {
    const isPage = response.request().isNavigationRequest() && !response.headers().location;
    if (isPage) sent.set(page, response);
  });
}

/** Of the HTML of a page as it was sent, whatever a browser has made of it. */
export async function mistakesIn(page: Page): Promise<string[]> {
  const html = await sent.get(page)?.text();
  const { results } = await CHECKER.validateString(html ?? '');
  return results.flatMap(({ messages }) =>
    messages.map(({ ruleId, message, line }) => `${ruleId}, line ${line}: ${message}`),
  );
}

/** Of a page as it is shown. @param isColourAlone what was looked at in other colours already, without the rest */
export async function violationsOn(
  page: Page,
  devTools: CDPSession,
  isColourAlone = false,
): Promise<string[]> {
  // Takes half as long as by the page's own `evaluate`.
  if (!(await page.evaluate("'axe' in window"))) await devTools.send('Runtime.evaluate', { expression: AXE });
  const rules = isColourAlone ? { runOnly: OF_COLOURS } : { rules: { 'target-size': { enabled: true } } };
  // What is right is not described, and no style sheet is loaded again: that takes less time.
  const options = { ...rules, resultTypes: ['violations'], preload: false };
  const { violations } = (await page.evaluate(`axe.run(${JSON.stringify(options)})`)) as AxeResults;
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
}
