/** For whom an import is judged, and done: what they may is what they may at that moment. */
import { type Actor, commandLine } from '../auth/actor.ts';
import { hasAdministrator } from '../auth/administrators.ts';
import { mayEdit, maySignIn } from '../auth/policy.ts';
import type { Db } from '../db/schema.ts';
import { findUser } from '../users/queries.ts';
import type { Import } from './queries.ts';

type Who = Pick<Import, 'actor_id' | 'is_by_command'>;

/** Whom the history names, whatever they may, or are called, by now. */
export function whoConfirmed({ actor_id, is_by_command }: Who): Actor {
  const user = actor_id === null ? undefined : { id: actor_id, username: '' };
  const via = is_by_command ? 'command line' : 'import';
  return { user, role: 'editor', via, address: undefined, note: () => {} };
}

/** Undefined where they may not any more. */
export async function actorOfImport(
  db: Db,
  { actor_id, is_by_command }: Who,
): Promise<Pick<Actor, 'role' | 'user'> | undefined> {
  if (is_by_command) return commandLine;
  if (actor_id === null)
    return (await hasAdministrator(db)) ? undefined : { role: 'editor', user: undefined };
  const user = await findUser(db, actor_id);
  return user && maySignIn(user) && mayEdit(user) ? { role: user.role, user } : undefined;
}
