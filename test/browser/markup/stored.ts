/** People in the directory whose names are payloads, and those who look at them. */
import type { FastifyInstance } from 'fastify';
import { beforeEach, expect } from 'vitest';
import { sessionCookie } from '../../../src/auth/cookie.ts';
import { insertSession } from '../../../src/auth/sessions.ts';
import { newToken } from '../../../src/auth/tokens.ts';
import type { User } from '../../../src/db/schema.ts';
import { transact } from '../../../src/db/transact.ts';
import { parseForm } from '../../../src/lib/forms.ts';
import { newUserSchema } from '../../../src/users/validation.ts';
import { addPerson } from '../../people.ts';
import { addUser, listen, startApp } from '../../support.ts';
import { PAYLOADS } from '../payloads.ts';
import type { Fields } from './visitor.ts';

export type Stored = { text: string; user: User };

/** What a template that runs in Roster itself calls is noted there. */
export function noteCalls(): unknown[] {
  const ran: unknown[] = [];
  beforeEach(() => {
    ran.length = 0;
    Object.assign(globalThis, { pwned: (mark: unknown) => ran.push(mark) });
  });
  return ran;
}

export async function startWithPayloads() {
  const app = await startApp();
  await listen(app);
  const admin = await addPerson(app.db, named(-1), 'admin', { email: 'admin@example.org' });
  const stored: Stored[] = [];
  for (const { text, user } of storable())
    stored.push({ text, user: await addUser(app.db, { ...user, role: 'viewer' }) });
  expect(stored.length).toBeGreaterThan(150);
  return { app, admin, stored };
}

/** A name that no form takes, for what else may come to be in the database. */
export function named(mark: number): string {
  return `"><img src=x onerror=pwned(${mark})><%= pwned(${mark}) %>`;
}

export const LONG_AGO = 20 * 24 * 60 * 60_000;

/** A session, which has begun then, and its cookie. */
export async function addSession(app: FastifyInstance, user: User, began = app.clock()) {
  const token = newToken();
  const session = { token, user_id: user.id, address: '127.0.0.1', browser: 'Chrome' };
  const id = await transact(app.db, (trx) => insertSession(trx, session, began));
  return { id, cookies: { [sessionCookie(app).name]: token } };
}

/** As much of a text as a sentence quotes for certain. */
export function quoted(text: string): string {
  return Array.from(text.trim()).slice(0, 50).join('');
}

/** A text in the path of an address. */
export function segment(text: string): string {
  return encodeURIComponent(text.slice(0, 1_000).toWellFormed());
}

export function query(parameters: Fields): string {
  return new URLSearchParams(parameters).toString();
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
