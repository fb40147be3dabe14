/** Drafts: forms that were sent after their session had ended, and wait in the next one. */
import type { Db, Trx } from '../db/schema.ts';
import { hashOf } from './tokens.ts';

/** A form that was sent after its session had ended: where it is filled in, and what was typed. */
export type Draft = { form: string; fields: Readonly<Record<string, string>> };

export async function setDraft(trx: Trx, id: number, draft: Draft | undefined): Promise<void> {
  const text = draft === undefined ? null : JSON.stringify(draft);
  await trx.updateTable('sessions').set({ draft: text }).where('id', '=', id).execute();
}

export async function findDraft(db: Db, id: number): Promise<Draft | undefined> {
  const row = await db.selectFrom('sessions').select('draft').where('id', '=', id).executeTakeFirst();
  return row?.draft ? (JSON.parse(row.draft) as Draft) : undefined;
}

/** By its id it is known to have been used. */
export type SealedDraft = Draft & { id: string; sessionId: number };

/**
 * Puts a draft that has been opened into a new session, once: of two clicks the second takes it over from the session that
 * the first has begun, and what has been saved or dropped there does not come back.
 * @returns whether it waits there.
 */
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
  if (!numInsertedOrUpdatedRows && !(await leaveSession(trx, used.draft_hash, form))) return false;
  await trx.updateTable('used_drafts').set(used).where('draft_hash', '=', used.draft_hash).execute();
  await setDraft(trx, sessionId, { form, fields });
  return true;
}

/** Takes a draft out of the session in which it waits; false where it does no longer. */
async function leaveSession(trx: Trx, draftHash: string, form: string): Promise<boolean> {
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
