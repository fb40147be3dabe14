/**
 * A form that was sent after its session had ended. It travels sealed, in the form for signing in, and waits in the new
 * session, where its page is filled with it: nothing is sent again by itself.
 */
import type { FastifyRequest } from 'fastify';
import type { Trx } from '../db/schema.ts';
import { transact } from '../db/transact.ts';
import { shortAddress } from '../http/safe-redirect.ts';
import type { Fields } from '../lib/forms.ts';
import { type Draft, findDraft, isSessionOf, type Session, setDraft } from './sessions.ts';
import { hashOf, newToken, open, seal } from './tokens.ts';

/** What was sent to a route whose form is filled with it again. */
export function draftOf(request: FastifyRequest): Draft | undefined {
  const form = formOf(request);
  const isKept = form !== undefined && request.routeOptions.config.isDraftKept;
  return isKept ? { form, fields: (request.body ?? {}) as Fields } : undefined;
}

/** By its id it is known to have been used. */
type SealedDraft = Draft & { id: string; sessionId: number };

/** @param session that has run out. */
export function sealDraft({ server }: FastifyRequest, session: Session, draft: Draft): string {
  const sealed: SealedDraft = { ...draft, id: newToken(), sessionId: session.id };
  return seal(server.secretKey, 'draft', sealed);
}

/** The draft of that user; undefined if it is someone else's, or if its session has been ended on purpose since. */
export async function openDraft(
  { server }: FastifyRequest,
  userId: number,
  sealed: string,
): Promise<SealedDraft | undefined> {
  const draft = open(server.secretKey, 'draft', sealed) as SealedDraft | undefined;
  return draft && (await isSessionOf(server.db, draft.sessionId, userId)) ? draft : undefined;
}

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

/** What waits for the form that is asked for. */
export async function draftFor({ server, session, url }: FastifyRequest): Promise<Fields | undefined> {
  if (!session?.is_drafting) return undefined;
  const draft = await findDraft(server.db, session.id);
  return draft?.form === url ? draft.fields : undefined;
}

/** A draft that has been sent is one no longer. */
export async function dropSentDraft(request: FastifyRequest): Promise<void> {
  const { server, session, log } = request;
  const form = formOf(request);
  if (session === undefined || form === undefined) return;
  try {
    const draft = await findDraft(server.db, session.id);
    if (draft?.form === form) await transact(server.db, (trx) => setDraft(trx, session.id, undefined));
  } catch (err) {
    // What it was sent for has been done, and has to be answered.
    log.warn({ err }, 'a draft could not be dropped');
  }
}

/** The address of the form that a request has sent, if its route names one. */
export function formOf({ routeOptions, params, url }: FastifyRequest): string | undefined {
  const { form } = routeOptions.config;
  const at = url.indexOf('?');
  const path = form?.replace(':id', encodeURIComponent((params as { id?: string }).id ?? ''));
  // Whoever signs in is led there.
  return path && shortAddress(path + (at < 0 ? '' : url.slice(at)));
}
