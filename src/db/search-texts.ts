/** Search texts that a transaction changes, gathered for its end: each statement before would have FTS5 write a segment of its own. */
import { engineOf } from './engine.ts';
import type { Trx } from './schema.ts';
import { beforeCommit } from './transact.ts';

/** `before` is undefined for a new user, `after` for one who is deleted. */
export type TextChange = { id: number; before: string | undefined; after: string | undefined };

const gathered = new WeakMap<Trx, Map<number, TextChange>>();

export function indexSearchTextsLast(trx: Trx, changes: readonly TextChange[]): void {
  const all = gathered.get(trx) ?? new Map<number, TextChange>();
  gathered.set(trx, all);
  for (const change of changes)
    all.set(change.id, { ...change, before: (all.get(change.id) ?? change).before });
  beforeCommit(trx, indexGathered);
}

async function indexGathered(trx: Trx): Promise<void> {
  const changes = [...(gathered.get(trx)?.values() ?? [])].filter(({ before, after }) => before !== after);
  await engineOf(trx).indexSearchTexts(trx, changes);
}
