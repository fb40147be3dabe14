/** Making an administrator: the first one by a link, any by the command line. */

import type { Actor } from '../auth/actor.ts';
import { hasAdministrator, lockAdministrators } from '../auth/administrators.ts';
import { setCode, setPassword } from '../auth/credentials.ts';
import { deleteSessionsOf } from '../auth/sessions.ts';
import type { Trx, User } from '../db/schema.ts';
import { NotUniqueError } from '../errors.ts';
import type { AccessEvent } from '../history/kinds.ts';
import { recordAccess } from '../history/record.ts';
import { emailKey } from '../lib/email.ts';
import { changeUser, createUser } from '../users/commands.ts';
import { findUserByUsername } from '../users/queries.ts';
import { type NewUser, newUserSchema } from '../users/validation.ts';

export const administratorSchema = newUserSchema.omit({ is_active: true, role: true });

export type NewAdministrator = Omit<NewUser, 'is_active' | 'role'>;

/** @returns undefined where there is an administrator already. @throws NotUniqueError for someone else's username or email. */
export async function makeFirstAdministrator(
  trx: Trx,
  actor: Actor,
  user: NewAdministrator,
  hash: string,
  now: number,
): Promise<User | undefined> {
  await lockAdministrators(trx);
  if (await hasAdministrator(trx)) return undefined;
  // Until then anyone at this machine may make users: whoever has the name must be meant by the email, too.
  const namesake = await findUserByUsername(trx, user.username);
  if (namesake && namesake.email_key !== emailKey(user.email))
    throw new NotUniqueError('Somebody else has that username.');
  return makeAdministrator(trx, actor, user, hash, now, 'first administrator made');
}

/** The user is made where there is none of that name. @throws NotUniqueError for someone else's email. */
export async function makeAdministrator(
  trx: Trx,
  actor: Actor,
  user: NewAdministrator,
  hash: string,
  now: number,
  event?: AccessEvent,
): Promise<User> {
  // While nobody signs in, whoever is there may change things: not at the same moment.
  await lockAdministrators(trx);
  const existing = await findUserByUsername(trx, user.username);
  const changes = { role: 'admin', is_active: true } as const;
  const { user: administrator } = existing
    ? await changeUser(trx, actor, existing.id, changes, now)
    : await createUser(trx, actor, { ...user, ...changes }, now);
  await setPassword(trx, administrator.id, hash, now);
  await setCode(trx, administrator.id, null);
  await deleteSessionsOf(trx, administrator.id);
  const isOne = existing?.role === 'admin' && existing.is_active;
  const done = isOne ? 'let in again' : 'made an administrator';
  await recordAccess(trx, actor, event ?? done, administrator, now);
  return administrator;
}
