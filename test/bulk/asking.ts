/** Asking for something to be done to many users, and confirming it, as a person does it by pages. */
import type { FastifyInstance } from 'fastify';
import { pageOf } from '../page.ts';
import type { Headers } from '../people.ts';
import { get, post } from '../support.ts';

/** Whom: `from=q%3Dmar&all=on`, or some users who are ticked. */
export type Whom = string | readonly { id: number }[];

function addressOf(act: string, whom: Whom): string {
  const ticks = typeof whom === 'string' ? whom : whom.map(({ id }) => `tick.${id}=on`).join('&');
  return `/bulk?do=${act}&${ticks}`;
}

export function ask(app: FastifyInstance, headers: Headers, act: string, whom: Whom) {
  return get(app, addressOf(act, whom), headers);
}

/** What was asked is confirmed. @param asked the page that has asked, if it is not asked anew */
export async function confirm(
  app: FastifyInstance,
  headers: Headers,
  act: string,
  whom: Whom,
  { role, asked }: { role?: string; asked?: { body: string } } = {},
) {
  const page = pageOf(asked ?? (await ask(app, headers, act, whom)));
  const fields = { seen: page.field('seen'), ...(role && { role }) };
  return post(app, addressOf(act, whom), fields, headers);
}
