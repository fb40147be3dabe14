/** Two edits of the same fields, side by side, for whoever came later to choose. */
import type { Actor } from '../auth/actor.ts';
import type { Db, User } from '../db/schema.ts';
import type { KeptField } from '../history/kinds.ts';
import type { Fields } from '../lib/forms.ts';
import type { Conflict } from './commands.ts';
import { type Difference, nameWhoDid, peopleIn, seenOf } from './concurrent-changes.ts';
import { valuesOf } from './form.ts';
import type { EditedField } from './merge.ts';

type Side = { value: User[KeptField]; typed: string };

export type ShownConflict = {
  user: User;
  rows: {
    field: EditedField;
    before: User[KeptField] | undefined;
    now: Side;
    mine: Side;
    who: string;
    at: number | undefined;
  }[];
  single: Difference[];
  /** Of what only one of them has changed (`single`), what is still to be written. */
  hidden: Fields;
  who: string;
  at: number | undefined;
};

export async function describeConflict(
  db: Db,
  actor: Actor | undefined,
  { user, mine, merge, since }: Conflict,
): Promise<ShownConflict> {
  const { base = user, doneBy } = since;
  const nameOf = await nameWhoDid(db, actor, since);
  const values = { ...user, ...mine } as User;
  const [typedNow, typed] = [valuesOf(user), valuesOf(values)];
  const theirs = seenOf(merge.theirs, actor, user.id);
  const mineAlone = Object.keys(merge.changes) as EditedField[];
  const done = [...merge.conflicts, ...theirs].map((field) => doneBy.get(field));
  return {
    user,
    rows: merge.conflicts.map((field) => ({
      field,
      before: since.base?.[field],
      now: { value: user[field], typed: typedNow[field] ?? '' },
      mine: { value: values[field], typed: typed[field] ?? '' },
      who: nameOf(doneBy.get(field)),
      at: doneBy.get(field)?.at,
    })),
    single: [
      ...theirs.map((field) => ({
        field,
        was: base[field],
        became: user[field],
        who: nameOf(doneBy.get(field)),
        at: doneBy.get(field)?.at,
      })),
      ...mineAlone.map((field) => ({ field, was: base[field], became: values[field], who: 'you, now' })),
    ],
    hidden: Object.fromEntries(mineAlone.map((field) => [field, typed[field] ?? ''])),
    who: peopleIn(done.map(nameOf)),
    at: done.some((one) => one) ? Math.max(...done.map((one) => one?.at ?? 0)) : undefined,
  };
}
