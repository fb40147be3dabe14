/** What is answered where no link or form of ours leads. */
import type { FastifyInstance, InjectOptions } from 'fastify';
import type { Page } from 'playwright-core';
import { bareErrorPage } from '../../src/http/bare-pages.ts';

/** A page as it is sent. */
type Refusal = (app: FastifyInstance) => Promise<string>;

/** As if it had been the answer to a visit of its address. */
export async function show(page: Page, body: string): Promise<void> {
  await page.route('**/refused', (route) => route.fulfill({ contentType: 'text/html', body }));
  await page.goto('/refused');
  await page.unroute('**/refused');
}

const refused =
  (status: number, request: InjectOptions): Refusal =>
  async (app) => {
    const headers = { host: 'localhost', 'sec-fetch-site': 'same-origin', ...request.headers };
    const answer = await app.inject({ url: '/users', ...request, headers });
    if (answer.statusCode !== status) throw new Error(`${answer.statusCode} in the place of ${status}`);
    return answer.body;
  };

/** What is answered to a connection alone. */
const unread =
  (status: number): Refusal =>
  async (app) =>
    bareErrorPage(app, status, { doing: 'writing', requestId: '0190f3a2-7c1b' });

const FORM = { 'content-type': 'application/x-www-form-urlencoded' };

export const REFUSALS: Record<string, Refusal> = {
  'a method that an address does not take': refused(405, { method: 'PUT' }),
  'a form that is too large': refused(413, { method: 'POST', headers: FORM, payload: 'x'.repeat(65_537) }),
  'an address that is too long': refused(414, { url: `/users/${'1'.repeat(17_000)}` }),
  'what is no form': refused(415, { method: 'POST', headers: { 'content-type': 'text/csv' }, payload: 'x' }),
  'a form that came too slowly': unread(408),
  'headers that are too large': unread(431),
  'too much at once': unread(503),
};
