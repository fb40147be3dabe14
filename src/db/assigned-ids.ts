/** Numbers as they are given: whoever watches a database hears of each before it is saved. */
import type { NumberedTable } from './engine.ts';
import type { Db, Trx } from './schema.ts';

/** What gives the number is not saved before it resolves. */
type Watch = (trx: Trx, table: NumberedTable, id: number) => Promise<void>;

const watches = new WeakMap<object, Watch>();

export function watchAssignedIds(db: Db, watch: Watch): void {
  watches.set(db.getExecutor().adapter, watch);
}

/** To be called by whatever gives numbers, with the highest of them. */
export async function announceAssignedId(trx: Trx, table: NumberedTable, id: number): Promise<void> {
  await watches.get(trx.getExecutor().adapter)?.(trx, table, id);
}
