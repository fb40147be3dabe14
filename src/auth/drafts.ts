/** Drafts: forms that were sent after their session had ended, and wait in the next one, the last one first. */
import { engineOf } from '../db/engine.ts';
import type { Db, Trx } from '../db/schema.ts';
import { ENDED_SESSION_KEPT_FOR } from './sessions.ts';

/** `at`: when it was sent, of which an earlier Roster has kept nothing. */
export type Draft = { form: string; fields: Readonly<Record<string, string>>; at?: number | undefined };

/** So many wait in a session; each may be as long as a form. */
const MOST = 10;

/** Who erases somebody, and who keeps a form that may be about them, wait for each other: else it might outlast them. */
export async function lockErasing(trx: Trx): Promise<void> {
  await engineOf(trx).lockVersion(trx);
}

export async function addDraft(trx: Trx, id: number, draft: Draft): Promise<boolean> {
  if (await isAboutErased(trx, draft)) return false;
  const others = (await lockDrafts(trx, id)).filter((one) => !areSame(one, draft));
  await setDrafts(trx, id, [draft, ...others]);
  return true;
}

export async function dropDraft(trx: Trx, id: number, draft: Draft): Promise<boolean> {
  const drafts = await lockDrafts(trx, id);
  const others = drafts.filter((one) => !areSame(one, draft));
  const isThere = others.length < drafts.length;
  if (isThere) await setDrafts(trx, id, others);
  return isThere;
}

/** To the session with which somebody goes on; but for those that have waited for longer than an ended session is kept. */
export async function moveDrafts(trx: Trx, from: number, to: number, now: number): Promise<void> {
  await lockErasing(trx);
  const all = [...(await lockDrafts(trx, to)), ...(await lockDrafts(trx, from))];
  const drafts = all
    .map((draft) => ({ ...draft, at: draft.at ?? now }))
    .filter(({ at }) => at > now - ENDED_SESSION_KEPT_FOR);
  await setDrafts(trx, from, []);
  await setDrafts(trx, to, drafts);
}

export async function findDrafts(db: Db, id: number): Promise<Draft[]> {
  return parseDrafts(await draftsOf(db, id).executeTakeFirst());
}

/** An earlier Roster has kept one alone. */
export function parseDrafts(session: { draft: string | null } | undefined): Draft[] {
  return session?.draft ? [JSON.parse(session.draft) as Draft | Draft[]].flat() : [];
}

async function lockDrafts(trx: Trx, id: number): Promise<Draft[]> {
  return parseDrafts(await draftsOf(trx, id).forNoKeyUpdate().executeTakeFirst());
}

function draftsOf(db: Db, id: number) {
  return db.selectFrom('sessions').select('draft').where('id', '=', id);
}

async function setDrafts(trx: Trx, id: number, drafts: readonly Draft[]): Promise<void> {
  const draft = drafts.length > 0 ? JSON.stringify(drafts.slice(0, MOST)) : null;
  await trx.updateTable('sessions').set({ draft }).where('id', '=', id).execute();
}

/** By the key of the page on which it was filled in: of two windows with the same form both are kept. */
function areSame(one: Draft, other: Draft): boolean {
  return one.form === other.form && keyOf(one.fields) === keyOf(other.fields);
}

export function keyOf({ key = '' }: Draft['fields']): string {
  return key;
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
