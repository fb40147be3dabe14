/** How many an import created, how many it changed, and how many of its rows were refused: kept beside its change set, for it is not looked through. */
import { KINDS } from './kinds.ts';
import type { ChangeSet } from './queries.ts';

export type ImportCounts = { created: number; changed: number };
type RowCounts = ImportCounts & { refused: number };

export function detailOfImport({ created, changed, refused }: RowCounts): string {
  return `${created} created, ${changed} changed${refused > 0 ? `, ${refused} refused` : ''}`;
}

export function importCountsOf({ kind, detail }: Pick<ChangeSet, 'kind' | 'detail'>): RowCounts | undefined {
  const [, created, changed, refused = 0] =
    /^(\d+) created, (\d+) changed(?:, (\d+) refused)?$/.exec(detail ?? '') ?? [];
  if (kind !== KINDS.imported || created === undefined || changed === undefined) return undefined;
  return { created: Number(created), changed: Number(changed), refused: Number(refused) };
}
