/** Pages that somebody rarely meets, as they are answered by a Roster that has no time, no room or a mail server. */
import type { FastifyInstance } from 'fastify';
import type { Page } from 'playwright-core';
import { expect } from 'vitest';
import { commandLine } from '../../src/auth/actor.ts';
import { transact } from '../../src/db/transact.ts';
import { recordMail } from '../../src/invitations/mail-outcomes.ts';
import type { MailOutcome } from '../../src/invitations/mailer.ts';
import { getUser } from '../../src/users/queries.ts';
import { holdBatches } from '../engines.ts';
import { type Headers, signedIn } from '../people.ts';
import { get, minuteByMinute, post, startApp } from '../support.ts';
import { show } from './refusals.ts';

/** Of `pages.ts`: whom they are about, and who looks at them. */
const [LONG_ID, ANN_ID] = [1, 4];

async function asAnn(app: FastifyInstance): Promise<Headers> {
  return signedIn(app, await getUser(app.db, ANN_ID));
}

const linkByMail =
  (outcome?: MailOutcome) =>
  async (page: Page, { db }: FastifyInstance) => {
    const host = 'users.example.org';
    const settings = { ORIGIN: `https://${host}`, TRUST_PROXY: '10.0.0.1', SMTP_URL: 'smtp://127.0.0.1:1' };
    const app = await startApp(settings, db);
    const headers = { ...(await asAnn(app)), host };
    const made = await post(app, `/users/${LONG_ID}/invitation`, {}, headers);
    const user = await getUser(db, LONG_ID);
    if (outcome) await transact(db, (trx) => recordMail(trx, commandLine, user, outcome, Date.now()));
    await show(page, (await get(app, String(made.headers.location), headers)).body);
    await page.getByRole('button', { name: outcome ? 'Try again' : 'Send by mail' }).waitFor();
  };

export const RARE = {
  'an access link that can be sent by mail': linkByMail(),
  'an access link that could not be sent by mail': linkByMail('refused'),
  'a search that takes too long': async (page: Page, { db }: FastifyInstance) => {
    const app = await startApp({}, db, Date.now, minuteByMinute());
    await show(page, (await get(app, '/users?q=wil&sort=name', await asAnn(app))).body);
    await page.getByRole('heading', { name: 'Too many at once' }).waitFor();
  },
  // Shown without its headers, by which it would ask again.
  'an export that waits for its turn': async (page: Page, app: FastifyInstance) => {
    const headers = await asAnn(app);
    const ask = () => get(app, '/export/file?format=csv&all=on', headers);
    const { begun, letGo } = holdBatches(app.db);
    const two = [ask(), ask()];
    await expect.poll(() => begun).toHaveBeenCalledTimes(2);
    await show(page, (await ask()).body);
    letGo();
    await Promise.all(two);
    await page.getByRole('heading', { name: 'Your export waits' }).waitFor();
  },
};
