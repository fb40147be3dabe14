/** What an undo does, as history keeps it: one kind, or two things in one. */

import { importCountsOf } from './import-counts.ts';
import { KINDS, type Kind, nameOfCode } from './kinds.ts';
import type { ChangeSet } from './queries.ts';

const OPPOSITES: Readonly<Partial<Record<Kind, Kind>>> = {
  created: 'deleted',
  restored: 'deleted',
  deleted: 'restored',
  activated: 'deactivated',
  deactivated: 'activated',
  // Who was created is deleted, and who was changed changed back.
  imported: 'changed',
};

/** The detail of an undo that does two things to users, as history says it. */
export const MIXED = { delete: 'deleted and changed', restore: 'brought back and changed' } as const;

export function isMixed({ detail }: Pick<ChangeSet, 'detail'>): boolean {
  return detail === MIXED.delete || detail === MIXED.restore;
}

/** @param set that is undone */
export function undoKindOf(set: Pick<ChangeSet, 'kind' | 'detail'>): Kind {
  if (importCountsOf(set)?.changed === 0) return 'deleted';
  const kind = nameOfCode(KINDS, set.kind) ?? 'changed';
  return OPPOSITES[kind] ?? kind;
}

/** @param set that is undone */
export function undoDetailOf(set: Pick<ChangeSet, 'kind' | 'detail'>): string | null {
  const { created = 0, changed = 0 } = importCountsOf(set) ?? {};
  if (set.detail === MIXED.delete) return MIXED.restore;
  return (created > 0 && changed > 0) || set.detail === MIXED.restore ? MIXED.delete : null;
}
