/** Forms, and the door: a browser with its scripts on takes whatever people write for text. */
import { expect, test } from 'vitest';
import { type Credentials, findCredentials } from '../../../src/auth/credentials.ts';
import { addDraft, forgetDrafts } from '../../../src/auth/drafts.ts';
import { insertTicket } from '../../../src/auth/tickets.ts';
import { newToken, seal } from '../../../src/auth/tokens.ts';
import { transact } from '../../../src/db/transact.ts';
import { insertInvitation } from '../../../src/invitations/queries.ts';
import { parseForm } from '../../../src/lib/forms.ts';
import { userChangesSchema } from '../../../src/users/validation.ts';
import { addPerson } from '../../people.ts';
import { cookieName } from '../../support.ts';
import { sharedChromium } from '../chromium.ts';
import { PAYLOADS } from '../payloads.ts';
import {
  addSession,
  LONG_AGO,
  named,
  noteCalls,
  query,
  type Stored,
  segment,
  startWithPayloads,
} from './stored.ts';
import { startVisit } from './visitor.ts';

const browser = sharedChromium();
const ran = noteCalls();

test('forms that are refused, out of date, or sent again after a session has ended', {
  timeout: 300_000,
}, async () => {
  const { app, admin, stored } = await startWithPayloads();
  const { id, cookies } = await addSession(app, admin);
  const { visit, end } = await startVisit(browser(), app, cookies);
  // All have been changed since, and nobody knows how: whatever is typed is shown beside what is there.
  await transact(app.db, async (trx) => {
    await trx.deleteFrom('changes').execute();
    await trx.updateTable('users').set({ version: 2 }).execute();
  });
  await visit('/users');
  for (const [index, { text }] of PAYLOADS.entries()) {
    const typed = { username: text, email: text, full_name: text, is_active: text, role: text };
    await visit('/users', { fields: typed, shows: [text] });
    await visit('/users', { fields: { [text]: text }, shows: ['Enter a username.'] });
    const there = stored[index % stored.length] as Stored;
    const form = `/users/${there.user.id}/edit`;
    await transact(app.db, (trx) => addDraft(trx, id, { form, fields: { ...typed, version: '1' } }));
    await visit(form, { shows: [text, 'this is what you sent'] });
    await transact(app.db, forgetDrafts);
    const fields = { full_name: text, username: 'other', email: 'other@example.org', version: '1' };
    const isTaken = parseForm(userChangesSchema, { full_name: text }).ok;
    const shows = isTaken ? [text, there.text, 'There now'] : [text, 'There is a problem'];
    await visit(`/users/${there.user.id}`, { fields, shows });
  }
  expect(await end()).toEqual([]);
  expect(ran).toEqual([]);
});

test('the door, for those who are not signed in, or no longer', { timeout: 300_000 }, async () => {
  const { app, admin } = await startWithPayloads();
  const coded = await addPerson(app.db, 'coded', 'viewer', { hasCode: true });
  const credentials = await findCredentials(app.db, coded.id);
  const ticket = await transact(app.db, (trx) => insertTicket(trx, credentials as Credentials, app.clock()));
  const { cookies } = await addSession(app, admin, Date.now() - LONG_AGO);
  const { take, visit, end } = await startVisit(browser(), app, cookies);
  const token = newToken();
  const invited = await addPerson(app.db, named(-2), 'viewer', { email: 'invited@example.org' });
  await transact(app.db, (trx) => insertInvitation(trx, invited.id, token, app.clock()));
  for (const { text } of PAYLOADS) {
    const flash = text.slice(0, 300).toWellFormed();
    await take(cookieName('flash'), seal(app.secretKey, 'flash', { sentence: flash }));
    await visit(`/sign-in?${query({ next: text.slice(0, 1_000) })}`, { shows: [flash] });
    const fields = { username: text, password: text, code: text, next: text, draft: text };
    await visit('/sign-in', { fields: { ...fields, ticket: text }, shows: [text] });
    await visit('/sign-in', { fields: { ...fields, ticket }, shows: ['Enter your code'] });
    const late = `/users?${query({ from: query({ q: text.slice(0, 300) }) })}`;
    await visit(late, { fields, shows: ['Your session has ended'] });
  }
  const again = { new_password: named(-3), new_password_again: 'x' };
  await visit(`/invitations/${token}`, { fields: again, shows: [invited.username, 'There is a problem'] });
  await visit(`/invitations/${segment(again.new_password)}`, { shows: ['Not found'] });
  expect(await end()).toEqual([]);
  expect(ran).toEqual([]);
});
