/** Making an administrator: the first one by a link, any by the command line. */
import type { Trx, User } from '../db/schema.ts';
import { setCode, setPassword } from '../sessions/credentials.ts';
import { lockAdministrators } from '../sessions/last-administrator.ts';
import { deleteSessionsOf } from '../sessions/queries.ts';
import { newUserSchema } from '../users/form.ts';
import { findUserByUsername, insertUser, updateUser } from '../users/queries.ts';

/**
 * Makes someone an administrator who signs in with a password; the user is made where there is none of that name.
 * @param user checked by `newUserSchema`.
 * @throws NotUniqueError when the email is someone else's.
 */
export async function makeAdministrator(
  trx: Trx,
  user: { username: string; email: string; full_name: string | null },
  hash: string,
  now: number,
): Promise<User> {
  // While nobody signs in, whoever is there may change things: not at the same moment.
  await lockAdministrators(trx);
  const existing = await findUserByUsername(trx, user.username);
  const changes = { role: 'admin', is_active: true } as const;
  const administrator = existing
    ? (await updateUser(trx, existing.id, changes, undefined, now)).user
    : await insertUser(trx, { ...user, ...changes }, now);
  await setPassword(trx, administrator.id, hash, now);
  await setCode(trx, administrator.id, null);
  await deleteSessionsOf(trx, administrator.id);
  return administrator;
}

/** The fields of someone who becomes an administrator. */
export const administratorSchema = newUserSchema.omit({ is_active: true, role: true });
