/** The rows of history: change sets, with who acts and how, and the changes that belong to them. */
import type { Actor } from '../auth/actor.ts';
import { announceAssignedId } from '../db/assigned-ids.ts';
import { insertion } from '../db/many-rows.ts';
import { moveRevision, moveRevisionBySet } from '../db/revision.ts';
import type { Trx, User } from '../db/schema.ts';
import { writeLast } from '../db/transact.ts';
import { ACTORS, KINDS, type Kind, WAYS } from './kinds.ts';
import type { Change, ChangeSet } from './queries.ts';

export type NewSet = { at: number; kind: Kind; users: number } & Partial<
  Pick<ChangeSet, 'subject_id' | 'undoes' | 'first_id' | 'last_id' | 'event' | 'detail'>
>;

export async function insertSet(trx: Trx, actor: Actor, set: NewSet): Promise<number> {
  const [id] = (await insertSets(trx, actor, [set])) as [number];
  return id;
}

/** @param sets all with the same columns */
export async function insertSets(trx: Trx, actor: Actor, sets: readonly NewSet[]): Promise<number[]> {
  const rows = sets.map(({ kind, ...set }) => ({ ...set, kind: KINDS[kind], ...whoAndHow(actor) }));
  const { rows: made } = await trx.executeQuery(insertion(trx, 'change_sets', rows, ['id']));
  moveRevisionBySet(trx);
  const ids = made.map(({ id }) => id);
  await announceAssignedId(trx, 'change_sets', Math.max(...ids));
  return ids;
}

type Set = Pick<ChangeSet, 'id' | 'at'>;

export async function setFor(trx: Trx, actor: Actor, set: NewSet): Promise<Set> {
  if (actor.changeSet === undefined) return { id: await insertSet(trx, actor, set), at: set.at };
  moveRevision(trx);
  return actor.changeSet;
}

type NewChange = Pick<Change, 'fields'> & { user: Pick<User, 'id' | 'version'>; at: number };

/** What makes a set of its own is written last, with what costs no journey of its own; not what may be forgotten by the same act. */
export async function insertChanges(
  trx: Trx,
  actor: Actor,
  set: Set,
  changes: readonly NewChange[],
): Promise<void> {
  const rows = changes.map(({ user: { id, version }, at, fields }) => {
    return { user_id: id, version, set_id: set.id, at: at > set.at ? at : null, fields };
  });
  const query = insertion(trx, 'changes', rows);
  const mayBeForgotten = changes.some(({ fields }) => fields !== null);
  if (actor.changeSet || mayBeForgotten) await trx.executeQuery(query);
  else writeLast(trx, () => [query]);
}

function whoAndHow({ user, via }: Actor) {
  const kind = user ? 'user' : via === 'command line' ? via : 'visitor';
  return {
    actor_id: user?.id ?? null,
    actor_kind: ACTORS[kind],
    via: WAYS[via === 'open' ? 'form' : via],
  };
}
