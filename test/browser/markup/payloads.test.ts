/** Every payload would be noticed where it came to life. */
import { describe, expect, test } from 'vitest';
import { createEta } from '../../../src/http/templates.ts';
import { listen, startApp } from '../../support.ts';
import { sharedChromium } from '../chromium.ts';
import { PAYLOADS, type Payload, type Place } from '../payloads.ts';
import { noteCalls } from './stored.ts';
import { MODES, openWindow } from './window.ts';

const browser = sharedChromium();
const ranInRoster = noteCalls();

type Seen = { strange: string[]; shown: string };

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

describe.each(MODES)('$name', ({ bypassCSP }) => {
  test('each payload is noticed where it is put on a page as it is', { timeout: 300_000 }, async () => {
    const address = await listen(await startApp());
    const duds: string[] = [];
    const ran: string[] = [];
    let violations = 0;
    async function lookAt(payloads: readonly Payload[]): Promise<void> {
      const { page, found: noticed } = await openWindow(browser(), address, bypassCSP);
      const isForeign = ({ origin }: URL) => origin !== address;
      await page.context().route(isForeign, (route) => route.abort());
      await page.goto('/users');
      const look = async (html: string, usual: readonly string[] = [], longest = 20) => {
        noticed.clear();
        const { strange } = (await page.evaluate(`show(${JSON.stringify(html)}, true)`)) as Seen;
        for (const what of strange) noticed.add(`: there is ${what}`);
        const found = () => [...noticed].map((what) => what.slice(2)).filter((what) => !usual.includes(what));
        // What runs by itself does so by the next frame or two; a machine at work may take longer.
        for (let waits = 0; waits < 2 || (waits < longest && found().length === 0); waits++)
          await page.waitForTimeout(20);
        return found();
      };
      const usual = new Map<Place, string[]>();
      for (const payload of payloads) {
        const html = unsound(payload);
        if (html === undefined) continue;
        const { place, text } = payload;
        if (!usual.has(place)) usual.set(place, await look(unsound({ place, text: 'x' }) ?? ''));
        const found = await look(html, usual.get(place), 250);
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
  const eta = createEta(undefined);
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
