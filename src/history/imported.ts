/** How many an import created, how many it changed, and how many of its rows were refused: kept beside its change set, for it is not looked through. */
import { KINDS, type Kind, undoingKind } from './codes.ts';
import type { ChangeSet } from './queries.ts';

export type Imported = { created: number; changed: number };
type ImportedRows = Imported & { refused: number };

export function importedDetail({ created, changed, refused }: ImportedRows): string {
  return `${created} created, ${changed} changed${refused > 0 ? `, ${refused} refused` : ''}`;
}

export function importedIn({ kind, detail }: Pick<ChangeSet, 'kind' | 'detail'>): ImportedRows | undefined {
  const [, created, changed, refused = 0] =
    /^(\d+) created, (\d+) changed(?:, (\d+) refused)?$/.exec(detail ?? '') ?? [];
  if (kind !== KINDS.imported || created === undefined || changed === undefined) return undefined;
  return { created: Number(created), changed: Number(changed), refused: Number(refused) };
}

export function undoingKindOf(set: Pick<ChangeSet, 'kind' | 'detail'>): Kind {
  return importedIn(set)?.changed === 0 ? 'deleted' : undoingKind(set.kind);
}

/** The detail of an undo that does two things to users, as history says it. */
export const MIXED = { delete: 'deleted and changed', restore: 'brought back and changed' } as const;

export function undoingDetailOf(set: Pick<ChangeSet, 'kind' | 'detail'>): string | null {
  const { created = 0, changed = 0 } = importedIn(set) ?? {};
  if (set.detail === MIXED.delete) return MIXED.restore;
  return (created > 0 && changed > 0) || set.detail === MIXED.restore ? MIXED.delete : null;
}

export function isMixed({ detail }: Pick<ChangeSet, 'detail'>): boolean {
  return detail === MIXED.delete || detail === MIXED.restore;
}
