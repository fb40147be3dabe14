/** Imports, as they are kept. */
import type { Insertable, Selectable, Updateable } from 'kysely';
import type { Db, ImportsTable, Trx } from '../db/schema.ts';

export type Import = Selectable<ImportsTable>;
export type ImportState = Import['state'];

/** Those whose file is still wanted. */
export const LIVE: readonly ImportState[] = ['reading', 'checked', 'unreadable', 'confirmed', 'applying'];

export async function findImport(db: Db, id: number): Promise<Import | undefined> {
  return db.selectFrom('imports').selectAll().where('id', '=', id).executeTakeFirst();
}

/** Whose file is still there, the last first. @param actorId null for nobody who signs in */
export async function findOwnImports(db: Db, actorId: number | null): Promise<Import[]> {
  const imports = db.selectFrom('imports').selectAll().where('state', 'in', LIVE);
  const own = imports.where('actor_id', actorId === null ? 'is' : '=', actorId);
  return own.orderBy('id', 'desc').execute();
}

/** In all, with what they take up in the folders; for the quota. */
export async function findLiveImports(db: Db): Promise<Import[]> {
  return db.selectFrom('imports').selectAll().where('state', 'in', LIVE).orderBy('id').execute();
}

/** Until the end of the transaction nobody else does anything about it. */
export async function lockImport(trx: Trx, id: number): Promise<Import | undefined> {
  return trx.selectFrom('imports').selectAll().where('id', '=', id).forUpdate().executeTakeFirst();
}

export async function insertImport(trx: Trx, values: Insertable<ImportsTable>): Promise<number> {
  const { id } = await trx.insertInto('imports').values(values).returning('id').executeTakeFirstOrThrow();
  return id;
}

export async function saveImport(trx: Trx, id: number, values: Updateable<ImportsTable>): Promise<void> {
  await trx.updateTable('imports').set(values).where('id', '=', id).execute();
}

/** Which fills a change set, or has. */
export async function findImportOfSet(db: Db, setId: number): Promise<Import | undefined> {
  return db.selectFrom('imports').selectAll().where('set_id', '=', setId).executeTakeFirst();
}

/** Those that nobody is applying, and what is left of those that were; the files are gone a moment later. */
export async function discardAll(trx: Trx): Promise<void> {
  const others = trx.updateTable('imports').set({ state: 'discarded', file_name: '', leased_until: 0 });
  await others.where('state', '!=', 'applying').execute();
}
