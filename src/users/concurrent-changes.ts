/** What has been changed meanwhile, in words: by whom, to those who may know. */
import type { Actor } from '../auth/actor.ts';
import { maySeeAccess, maySeeDeleted } from '../auth/policy.ts';
import type { Db, User } from '../db/schema.ts';
import type { ChangesSince } from '../history/changes-since.ts';
import { changedFields } from '../history/fields.ts';
import type { KeptField } from '../history/kinds.ts';
import { type DoneBy, findNames } from '../history/queries.ts';
import { byWhom, namesOf } from '../history/words.ts';
import { and } from '../lib/formats.ts';
import { named } from '../lib/text.ts';
import type { Merged } from './commands.ts';

/** What a field was and is, and who has changed it, as it stands in a sentence. */
export type Difference = {
  field: KeptField;
  was: User[KeptField];
  became: User[KeptField];
  who: string;
  at?: number | undefined;
};

type NameOf = (done: DoneBy | undefined) => string;

export async function nameWhoDid(db: Db, actor: Actor | undefined, since: ChangesSince): Promise<NameOf> {
  const ids = [...since.doneBy.values()].map(({ actor_id }) => actor_id);
  const names = await findNames(db, ids, actor !== undefined && maySeeDeleted(actor));
  return (done) => {
    if (done?.actor_id === null) return byWhom(done);
    if (done && done.actor_id === actor?.user?.id) return 'you';
    const name = done && names.get(done.actor_id);
    return name === undefined ? 'somebody else' : named(name);
  };
}

/** "bob and you" */
export function peopleIn(names: readonly string[]): string {
  return and.format(new Set(names));
}

export function seenOf<F extends KeptField>(
  fields: readonly F[],
  actor: Actor | undefined,
  userId: number,
): F[] {
  const seesAccess = actor !== undefined && maySeeAccess(actor, userId);
  return fields.filter((field) => field !== 'role' || seesAccess);
}

/** After saving: `sentence`, or what others have changed meanwhile. */
export async function sentenceOfSaved(
  db: Db,
  actor: Actor,
  { kind, user, theirs, since }: Merged,
  sentence: string,
): Promise<string> {
  // Of whom it is not known what they were, all would seem to be changed.
  const fields = seenOf(theirs, actor, user.id).filter((field) => since.doneBy.has(field));
  if (fields.length === 0) return sentence;
  const nameOf = await nameWhoDid(db, actor, since);
  const people = new Set(fields.map((field) => nameOf(since.doneBy.get(field))));
  const meanwhile = `Meanwhile ${and.format(people)} had changed ${namesOf(fields)}`;
  if (kind === 'unchanged') return `Nothing to save. ${meanwhile}.`;
  return `Saved. ${meanwhile}; ${people.size === 1 ? 'both are' : 'all is'} kept.`;
}

/** All that is other than it was; none where that is not known. */
export async function describeSince(
  db: Db,
  actor: Actor | undefined,
  user: User,
  since: ChangesSince,
): Promise<Difference[]> {
  const { base, doneBy } = since;
  if (base === undefined) return [];
  const nameOf = await nameWhoDid(db, actor, since);
  return seenOf(changedFields(base, user), actor, user.id).map((field) => {
    const done = doneBy.get(field);
    return { field, was: base[field], became: user[field], who: nameOf(done), at: done?.at };
  });
}
