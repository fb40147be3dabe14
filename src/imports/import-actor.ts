/** For whom an import is judged, and done: what they may is what they may at that moment. */
import { type Actor, commandLine } from '../auth/actor.ts';
import { mayEdit } from '../auth/policy.ts';
import type { Db } from '../db/schema.ts';
import { findJobActor } from '../jobs/job-actor.ts';
import type { Import } from './queries.ts';

type Who = Pick<Import, 'actor_id' | 'is_by_command'>;

/** Whom the history names, whatever they may, or are called, by now. */
export function whoConfirmed({ actor_id, is_by_command }: Who): Actor {
  const user = actor_id === null ? undefined : { id: actor_id, username: '' };
  const via = is_by_command ? 'command line' : 'import';
  return { user, role: 'editor', via, address: undefined, note: () => {} };
}

export async function actorOfImport(
  db: Db,
  { actor_id, is_by_command }: Who,
): Promise<Pick<Actor, 'role' | 'user'> | undefined> {
  if (is_by_command) return commandLine;
  const acting = await findJobActor(db, actor_id);
  return acting && mayEdit(acting) ? acting : undefined;
}
