/** Drafts as requests have them: a form sent after its session had ended, sealed while someone signs in, then shown again; never sent unasked. */
import type { FastifyRequest } from 'fastify';
import { transact } from '../db/transact.ts';
import { shortAddress } from '../http/safe-redirect.ts';
import type { Fields } from '../lib/forms.ts';
import { type Draft, dropDraft, findDrafts } from './drafts.ts';
import { countErased, type SealedDraft } from './sealed-drafts.ts';
import { findOwnerOf, type Session } from './sessions.ts';
import { newToken, open, seal } from './tokens.ts';

export function draftOf(request: FastifyRequest): Draft | undefined {
  const form = formOf(request);
  const isKept = form !== undefined && request.routeOptions.config.isDraftKept;
  if (!isKept) return undefined;
  const { password: _neverKept, ...fields } = (request.body ?? {}) as Fields;
  return { form, fields: fields as Draft['fields'] };
}

/** A draft while it travels through a browser, and who has sent it. */
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

/** With its owner; undefined if its session has been ended on purpose since. */
export async function openDraft({ server }: FastifyRequest, sealed: string) {
  const draft = open(server.secretKey, 'draft', sealed) as SealedDraft | undefined;
  const owner = draft && (await findOwnerOf(server.db, draft.sessionId));
  return owner && { ...draft, owner };
}

export async function draftFor({ server, session, url }: FastifyRequest): Promise<Fields | undefined> {
  if (!session?.has_draft) return undefined;
  const drafts = await findDrafts(server.db, session.id);
  return drafts.find(({ form }) => form === url)?.fields;
}

export async function dropSentDraft(request: FastifyRequest): Promise<void> {
  const { server, session, log } = request;
  const form = formOf(request);
  if (session === undefined || form === undefined) return;
  try {
    const sent = (await findDrafts(server.db, session.id)).find((one) => one.form === form);
    if (sent) await transact(server.db, (trx) => dropDraft(trx, session.id, sent));
  } catch (err) {
    // What it was sent for has been done, and has to be answered.
    log.warn({ err }, 'a draft could not be dropped');
  }
}

type FormRoute = { form: string | undefined; params: unknown };

/** The address of the form that a request has sent, if its route names one. @param route another one than that by which it was found */
export function formOf(request: FastifyRequest, { form, params } = routeOf(request)): string | undefined {
  const { url, server } = request;
  const at = url.indexOf('?');
  const path = form?.replace(':id', encodeURIComponent((params as { id?: string }).id ?? ''));
  // Whoever signs in is led there.
  return path && shortAddress(path + (at < 0 ? '' : url.slice(at)), server.config.origin);
}

function routeOf({ routeOptions, params }: FastifyRequest): FormRoute {
  return { form: routeOptions.config.form, params };
}
