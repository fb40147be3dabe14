/** Imports, as they are kept. */
import type { Insertable, Selectable, Updateable } from 'kysely';
import { announceAssignedId } from '../db/assigned-ids.ts';
import { isFree, type Lease } from '../db/lease.ts';
import { insertion } from '../db/many-rows.ts';
import type { Db, ImportsTable, Trx } from '../db/schema.ts';
import { failuresOfLast, type Unnoted } from '../jobs/failures.ts';

export type Import = Selectable<ImportsTable>;
export type ImportState = Import['state'];

/** Those whose file is still wanted. */
export const LIVE: readonly ImportState[] = ['reading', 'checked', 'unreadable', 'confirmed', 'applying'];

export const DISCARDABLE: readonly ImportState[] = LIVE.filter((state) => state !== 'applying');
const OVER: readonly ImportState[] = ['done', 'taken back', 'discarded'];

export async function findImport(db: Db, id: number): Promise<Import | undefined> {
  return db.selectFrom('imports').selectAll().where('id', '=', id).executeTakeFirst();
}

/** Brought in the browser, and not over or done, the last first. @param actorId null for nobody who signs in */
export async function findOwnImports(db: Db, actorId: number | null): Promise<Import[]> {
  const imports = db
    .selectFrom('imports')
    .selectAll()
    .where('state', 'in', [...LIVE, 'done']);
  const own = imports.where('actor_id', actorId === null ? 'is' : '=', actorId);
  return (await own.orderBy('id', 'desc').execute()).filter(({ is_by_command }) => !is_by_command);
}

const CAUSES = {
  asked: 'Its file was discarded.',
  replaced: 'It could not be read, and another file was brought instead.',
  old: 'For a day nobody did anything about it.',
  'not allowed': 'Whoever brought or applied it may not import users any more.',
  'put back': 'A backup was put back in which nothing of it is applied.',
  erased: 'Somebody was erased, whom its file may have named.',
} as const;

export function discardedFor(cause: keyof typeof CAUSES) {
  return { state: 'discarded', problem: CAUSES[cause] } as const;
}

export async function discardUnreadable(trx: Trx, actorId: number | null, now: number): Promise<void> {
  const own = (await findOwnImports(trx, actorId)).filter(({ state }) => state === 'unreadable');
  const ids = own.map(({ id }) => id);
  if (ids.length === 0) return;
  const unreadable = trx.updateTable('imports').set({ ...discardedFor('replaced'), touched_at: now });
  await unreadable.where('id', 'in', ids).where('state', '=', 'unreadable').execute();
}

export async function findLiveImports(db: Db): Promise<Import[]> {
  return db.selectFrom('imports').selectAll().where('state', 'in', LIVE).orderBy('id').execute();
}

export async function countImports(db: Db): Promise<Record<string, number>> {
  const rows = await db
    .selectFrom('imports')
    .select(['state', ({ fn }) => fn.countAll<number>().as('count')])
    .where('state', 'in', LIVE)
    .groupBy('state')
    .execute();
  return Object.fromEntries(
    LIVE.map((state) => [state, rows.find((row) => row.state === state)?.count ?? 0]),
  );
}

export async function lockImport(trx: Trx, id: number): Promise<Import | undefined> {
  return trx.selectFrom('imports').selectAll().where('id', '=', id).forUpdate().executeTakeFirst();
}

export async function insertImport(trx: Trx, values: Insertable<ImportsTable>): Promise<number> {
  const { id } = await trx.insertInto('imports').values(values).returning('id').executeTakeFirstOrThrow();
  await announceAssignedId(trx, 'imports', id);
  return id;
}

export async function saveImport(trx: Trx, id: number, values: Updateable<ImportsTable>): Promise<void> {
  await trx.updateTable('imports').set(values).where('id', '=', id).execute();
}

type OfFile = Pick<Import, 'file' | 'state' | 'file_name' | 'touched_at'>;

export async function findFiles(db: Db, folder: string): Promise<OfFile[]> {
  const files = db.selectFrom('imports').select(['file', 'state', 'file_name', 'touched_at']);
  return files.where('folder', '=', folder).execute();
}

export function isForgotten({ state, file_name }: Pick<OfFile, 'state' | 'file_name'>): boolean {
  return state === 'discarded' || file_name === '';
}

/** Nor are its files needed any more. */
export function isGone(file: Pick<OfFile, 'state' | 'file_name'>): boolean {
  return isForgotten(file) && file.state !== 'applying';
}

/** Why one is over stays: of what is over no problem is about its file. */
const NOTHING = { file_name: '', reading: null, choices: '{}' };

export const TO_DO: readonly ImportState[] = ['reading', 'confirmed'];

function toDoIn(db: Db, folder: string) {
  return db.selectFrom('imports').where('state', 'in', TO_DO).where('folder', '=', folder);
}

export async function isImportToDo(db: Db, folder: string): Promise<boolean> {
  return (await toDoIn(db, folder).select('id').limit(1).executeTakeFirst()) !== undefined;
}

/** The smallest that nobody is at. @param size of its file, at most */
export async function leaseImport(
  trx: Trx,
  folder: string,
  lease: Lease,
  size: number,
  unnoted: Unnoted,
): Promise<Import | undefined> {
  const free = await toDoIn(trx, folder)
    .selectAll()
    .where('size', '<=', size)
    .where(isFree(lease))
    .orderBy('size')
    .orderBy('id')
    .limit(1)
    .forUpdate()
    .skipLocked()
    .executeTakeFirst();
  if (free === undefined) return undefined;
  const failures = free.failures + failuresOfLast(free, unnoted);
  const leased = { lease_owner: lease.owner, leased_until: lease.until, failures };
  await saveImport(trx, free.id, leased);
  return { ...free, ...leased };
}

/** One that waits, and nobody has looked at yet. */
export async function findUnseenImport(db: Db, folder: string, lease: Lease): Promise<Import | undefined> {
  const waiting = db.selectFrom('imports').selectAll().where('state', '=', 'reading');
  const unseen = waiting.where('folder', '=', folder).where('totals', 'is', null).where(isFree(lease));
  return unseen.orderBy('id').limit(1).executeTakeFirst();
}

/** Which one of the same folder somebody is at, if any: of those that are large one is read after the other. */
export async function findAnotherUnderWay(
  db: Db,
  { id, folder }: Pick<Import, 'id' | 'folder'>,
  now: number,
): Promise<Import | undefined> {
  const others = toDoIn(db, folder).selectAll().where('id', '!=', id);
  const leased = others.where('lease_owner', 'is not', null).where('leased_until', '>', now);
  return leased.orderBy('size', 'desc').limit(1).executeTakeFirst();
}

/** Undefined where it is somebody else's by now, or to be read anew, or not wanted any more. */
export async function lockLeased(
  trx: Trx,
  { id, state, lease_owner }: Pick<Import, 'id' | 'state' | 'lease_owner'>,
): Promise<Import | undefined> {
  const found = await lockImport(trx, id);
  return found?.state === state && found.lease_owner === lease_owner ? found : undefined;
}

/** What nobody has done anything about since: at first its files go, and what is known of it as much later. */
export async function forgetImports(trx: Trx, before: number, now: number): Promise<void> {
  await trx.deleteFrom('imports').where('state', 'in', OVER).where('touched_at', '<', before).execute();
  await trx
    .updateTable('imports')
    .set({ ...NOTHING, ...discardedFor('old'), touched_at: now })
    .where('state', 'in', DISCARDABLE)
    .where('touched_at', '<', before)
    .execute();
}

export async function isImportToForget(db: Db, folder: string, before: number): Promise<boolean> {
  const old = db.selectFrom('imports').select('id').where('state', '!=', 'applying');
  const own = old.where('folder', '=', folder).where('touched_at', '<', before);
  return (await own.limit(1).executeTakeFirst()) !== undefined;
}

/** What is not applied yet is discarded; what is being applied is forgotten at its end. */
export async function forgetAll(trx: Trx): Promise<void> {
  await trx.updateTable('imports').set(NOTHING).where('state', 'not in', DISCARDABLE).execute();
  const discarded = { ...NOTHING, ...discardedFor('erased'), leased_until: 0 };
  await trx.updateTable('imports').set(discarded).where('state', 'in', DISCARDABLE).execute();
  await forgetNames(trx);
}

/** How many become administrators stays. */
async function forgetNames(trx: Trx): Promise<void> {
  const imports = trx.selectFrom('imports').select(['id', 'totals']).where('totals', 'like', '%"names":["%');
  for (const { id, totals } of await imports.forUpdate().execute())
    await saveImport(trx, id, { totals: JSON.stringify(withoutNames(totals)) });
}

function withoutNames(totals: string | null): unknown {
  return JSON.parse(totals ?? 'null', (name, value) => (name === 'names' ? [] : value));
}

export async function findImportsAfter(db: Db, id: number, limit: number): Promise<Import[]> {
  const after = db.selectFrom('imports').selectAll().where('id', '>', id);
  return after.orderBy('id').limit(limit).execute();
}

export async function insertImports(trx: Trx, rows: readonly Import[]): Promise<void> {
  await trx.executeQuery(insertion(trx, 'imports', rows));
}
