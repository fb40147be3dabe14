/** Drafts on their way through a browser, sealed, while somebody signs in. */
import type { FastifyRequest } from 'fastify';
import type { Db, Trx } from '../db/schema.ts';
import { addDraft, type Draft, dropDraft, lockErasing } from './drafts.ts';
import { findOwnerOf, type Session } from './sessions.ts';
import { hashOf, newToken, open, seal } from './tokens.ts';

/** `erased`: how many were by then. */
type SealedDraft = Draft & { id: string; sessionId: number; erased: number };

export type SealedForm = { sealed: string; owner: string };

export async function sealDraft(
  { server }: FastifyRequest,
  expired: Session,
  draft: Draft,
): Promise<SealedForm> {
  const erased = await countErased(server.db);
  const whole: SealedDraft = { ...draft, id: newToken(), sessionId: expired.id, erased };
  return { sealed: seal(server.secretKey, 'draft', whole), owner: expired.username };
}

export async function openDraft({ server }: FastifyRequest, sealed: string) {
  const draft = open(server.secretKey, 'draft', sealed) as SealedDraft | undefined;
  const owner = draft && (await findOwnerOf(server.db, draft.sessionId));
  return owner && { ...draft, owner };
}

/** Whether somebody was erased since: it may say who they were, and nobody can tell. */
export async function isFromBeforeErasure(trx: Trx, { erased }: SealedDraft): Promise<boolean> {
  await lockErasing(trx);
  return erased !== (await countErased(trx));
}

/** Of two clicks, the second takes the draft over from the first one's session; false where it is there no longer. */
export async function redeemDraft(
  trx: Trx,
  { id, form, fields, at }: SealedDraft,
  sessionId: number,
  now: number,
): Promise<boolean> {
  const draft = { form, fields, at };
  const used = { draft_hash: hashOf(id), session_id: sessionId, used_at: now };
  const { numInsertedOrUpdatedRows } = await trx
    .insertInto('used_drafts')
    .values(used)
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirstOrThrow();
  if (!numInsertedOrUpdatedRows && !(await takeFromFormerSession(trx, used.draft_hash, draft))) return false;
  await trx.updateTable('used_drafts').set(used).where('draft_hash', '=', used.draft_hash).execute();
  await addDraft(trx, sessionId, draft);
  return true;
}

async function takeFromFormerSession(trx: Trx, draftHash: string, draft: Draft): Promise<boolean> {
  const { session_id } = await trx
    .selectFrom('used_drafts')
    .select('session_id')
    .where('draft_hash', '=', draftHash)
    .forUpdate()
    .executeTakeFirstOrThrow();
  return dropDraft(trx, session_id, draft);
}

async function countErased(db: Db): Promise<number> {
  const { count } = await db
    .selectFrom('erasures')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow();
  return count;
}
