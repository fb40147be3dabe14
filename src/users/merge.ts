/** Two edits of one user made into one: a three-way merge, field by field. */
import type { KeptValues } from '../history/fields.ts';
import { USER_FIELDS, type UserChanges } from './validation.ts';

export type EditedField = (typeof USER_FIELDS)[number];

/** `changes`: what only this edit changes; `theirs`: what only others have; `conflicts`: what both have, each in their own way. */
export type Merge = {
  changes: UserChanges;
  theirs: readonly EditedField[];
  conflicts: readonly EditedField[];
};

/** @param base what both began with; where it is not known, whatever differs is a conflict */
export function merge(base: KeptValues | undefined, now: KeptValues, mine: UserChanges): Merge {
  const isTheirs = (field: EditedField) => base === undefined || now[field] !== base[field];
  const isSame = (field: EditedField) => mine[field] === now[field];
  const edited = USER_FIELDS.filter(
    (field) => mine[field] !== undefined && mine[field] !== base?.[field] && !isSame(field),
  );
  const changes = edited.filter((field) => !isTheirs(field)).map((field) => [field, mine[field]]);
  return {
    changes: Object.fromEntries(changes),
    theirs: USER_FIELDS.filter((field) => isTheirs(field) && !isSame(field) && !edited.includes(field)),
    conflicts: edited.filter(isTheirs),
  };
}
