/** Drafts: forms that were sent after their session had ended, and wait in the next one. */
import { engineOf } from '../db/engine.ts';
import type { Db, Trx } from '../db/schema.ts';
import { hashOf } from './tokens.ts';

export type Draft = { form: string; fields: Readonly<Record<string, string>> };

/** Who erases somebody, and who keeps a form that may be about them, wait for each other: else it might outlast them. */
export async function lockErasing(trx: Trx): Promise<void> {
  await engineOf(trx).lockVersion(trx);
}

/** What is about somebody who is erased is not kept. @returns whether there is one now */
export async function setDraft(trx: Trx, id: number, draft: Draft | undefined): Promise<boolean> {
  const isKept = draft !== undefined && !(await isAboutErased(trx, draft));
  const text = isKept ? JSON.stringify(draft) : null;
  await trx.updateTable('sessions').set({ draft: text }).where('id', '=', id).execute();
  return isKept;
}

export async function findDraft(db: Db, id: number): Promise<Draft | undefined> {
  const row = await db.selectFrom('sessions').select('draft').where('id', '=', id).executeTakeFirst();
  return row?.draft ? (JSON.parse(row.draft) as Draft) : undefined;
}

/** All of them: nobody knows whom one is about, by a full name, in a search, or misspelled. */
export async function forgetDrafts(trx: Trx): Promise<void> {
  await trx.updateTable('sessions').set({ draft: null }).where('draft', 'is not', null).execute();
}

async function isAboutErased(trx: Trx, { form }: Draft): Promise<boolean> {
  await lockErasing(trx);
  const [, id] = /^\/users\/(\d+)(?!\d)/.exec(form) ?? [];
  if (id === undefined) return false;
  const erased = trx.selectFrom('erasures').select('user_id').where('user_id', '=', Number(id));
  return (await erased.executeTakeFirst()) !== undefined;
}

export async function countErased(db: Db): Promise<number> {
  const { count } = await db
    .selectFrom('erasures')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow();
  return count;
}

/** `erased`: how many were by then. */
export type SealedDraft = Draft & { id: string; sessionId: number; erased: number };

/** Whether somebody was erased since: it may say who they were, and nobody can tell. */
export async function isFromBeforeErasure(trx: Trx, { erased }: SealedDraft): Promise<boolean> {
  await lockErasing(trx);
  return erased !== (await countErased(trx));
}

/** Of two clicks, the second takes the draft over from the first one's session; false where it is there no longer. */
export async function redeemDraft(
  trx: Trx,
  { id, form, fields }: SealedDraft,
  sessionId: number,
  now: number,
): Promise<boolean> {
  const used = { draft_hash: hashOf(id), session_id: sessionId, used_at: now };
  const { numInsertedOrUpdatedRows } = await trx
    .insertInto('used_drafts')
    .values(used)
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirstOrThrow();
  if (!numInsertedOrUpdatedRows && !(await takeFromFormerSession(trx, used.draft_hash, form))) return false;
  await trx.updateTable('used_drafts').set(used).where('draft_hash', '=', used.draft_hash).execute();
  await setDraft(trx, sessionId, { form, fields });
  return true;
}

async function takeFromFormerSession(trx: Trx, draftHash: string, form: string): Promise<boolean> {
  const { session_id } = await trx
    .selectFrom('used_drafts')
    .select('session_id')
    .where('draft_hash', '=', draftHash)
    .forUpdate()
    .executeTakeFirstOrThrow();
  if ((await findDraft(trx, session_id))?.form !== form) return false;
  await setDraft(trx, session_id, undefined);
  return true;
}
