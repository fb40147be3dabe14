/** Who is deleted, and had the username or email that somebody new is to have: asked about before there are two of them. */
import type { Actor } from '../auth/actor.ts';
import { mayChange, mayManage, maySeeDeleted, whoMay } from '../auth/policy.ts';
import type { Db, User } from '../db/schema.ts';
import { findDeletedCalled } from '../history/deleted-names.ts';
import { unpackValues } from '../history/fields.ts';
import { emailKey } from '../lib/email.ts';
import type { Fields } from '../lib/forms.ts';
import { capital, named, textKey } from '../lib/text.ts';
import type { Problems } from './form.ts';
import { findHolders } from './queries.ts';

/** For some thousands: it is an offer, and nobody waits long for it. */
const PATIENCE_MS = 50;

export type Former = Pick<User, 'id' | 'username'>;
/** `mayRestore`: whether whoever asks may bring them back. */
export type OfferedFormer = Former & { mayRestore: boolean };

type FormerNames = {
  problems: Problems;
  holders: { username?: Former; email?: Former };
  former: OfferedFormer[];
};

/** `asked`: about whom the form was sent already. A form without it, as of a script, is asked nothing. */
export async function findFormerNames(
  db: Db,
  actor: Actor | undefined,
  { username, email, asked }: Fields,
): Promise<FormerNames> {
  const result: FormerNames = { problems: {}, holders: {}, former: [] };
  if (asked === undefined || !actor || !maySeeDeleted(actor)) return result;
  const keys = { username: username ? textKey(username) : '', email: email ? emailKey(email) : '' };
  const names = { username: [keys.username], email: [keys.email] };
  const { found } = await findDeletedCalled(db, names, PATIENCE_MS);
  if (found.username.size + found.email.size === 0) return result;
  const taken = await findHolders(db, { username, email }, undefined);
  const isAsked = new Set(asked.split(',').map(Number));
  const problems: Record<string, string> = {};
  for (const field of ['username', 'email'] as const) {
    const deleted = found[field].get(keys[field]);
    if (deleted === undefined || taken[field] || isAsked.has(deleted.id)) continue;
    const { username, role } = unpackValues(deleted.fields);
    const one = { id: deleted.id, username, mayRestore: mayChange(actor, { role }) };
    problems[field] = sentenceOf(one, field);
    result.holders[field] = one;
    if (!result.former.some(({ id }) => id === one.id)) result.former.push(one);
  }
  return { ...result, problems };
}

function sentenceOf({ username, mayRestore }: OfferedFormer, field: string): string {
  return mayRestore
    ? `${named(username)}, who is deleted, had that ${field}: choose whether it is them.`
    : `${named(username)}, who is deleted, had that ${field}. ${capital(whoMay(mayManage))} bring them back; sent again, this is somebody new.`;
}

/** What a form for somebody new says of somebody who was there before: what is left empty, or is as every such form has it, they keep. */
export function typedOf(fields: Fields, usual: Fields): Fields {
  const { username, email, full_name, role, is_active } = fields;
  const said = Object.entries({ username, email, full_name, role, is_active });
  return Object.fromEntries(said.filter(([name, value]) => value && value !== usual[name])) as Fields;
}
