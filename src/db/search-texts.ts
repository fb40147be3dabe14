/** Search texts that a transaction changes, gathered for its end: each statement before would have FTS5 write a segment of its own. */
import { engineOf, type TextChange } from './engine.ts';
import type { Trx } from './schema.ts';
import { beforeCommit } from './transact.ts';

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
