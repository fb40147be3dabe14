/** Drafts as requests have them: a form sent after its session had ended, shown again once someone has signed in; never sent unasked. */
import type { FastifyRequest } from 'fastify';
import { transact } from '../db/transact.ts';
import { shortAddress } from '../http/safe-redirect.ts';
import type { Fields } from '../lib/forms.ts';
import { type Draft, dropDraft, findDrafts, keyOf } from './drafts.ts';

/** A button that has no more than these has lost nothing. */
const NOT_TYPED = ['key', 'version', 'draft_key', 'judged', 'seen'];

export function hasTyped(fields: Fields): boolean {
  return Object.keys(fields).some((name) => !NOT_TYPED.includes(name));
}

export function draftOf(request: FastifyRequest): Draft | undefined {
  const form = waitingFormOf(request);
  if (form === undefined || !request.routeOptions.config.isDraftKept) return undefined;
  const { password: _neverKept, draft_key, ...fields } = (request.body ?? {}) as Fields;
  if (!hasTyped(fields)) return undefined;
  // A draft that is sent is still the same one.
  const whole = draft_key === undefined ? fields : { ...fields, key: draft_key };
  return { form, fields: whole as Draft['fields'], at: request.server.clock() };
}

const shown = new WeakMap<FastifyRequest, string>();

/** The key of the draft that a page shows, or whose form is shown again: once that is saved, the draft is dropped. */
export function draftKeyOf(request: FastifyRequest): string | undefined {
  const isTaken = waitingFormOf(request) !== undefined;
  const sent = isTaken ? (request.body as Fields | undefined)?.draft_key : undefined;
  return shown.get(request) ?? sent;
}

export function draftFormOf(request: FastifyRequest): string {
  return waitingFormOf(request) ?? request.url;
}

function waitingFormOf(request: FastifyRequest): string | undefined {
  const { routeOptions, params } = request;
  const { form, isDraftKept, draftForm = isDraftKept ? form : undefined } = routeOptions.config;
  return formOf(request, { form: draftForm, params });
}

export async function draftFor(request: FastifyRequest): Promise<Fields | undefined> {
  const { server, session, url } = request;
  if (!session?.has_draft) return undefined;
  const drafts = await findDrafts(server.db, session.id);
  const fields = drafts.find(({ form }) => form === url)?.fields;
  if (fields) shown.set(request, keyOf(fields));
  return fields;
}

export async function dropSentDraft(request: FastifyRequest): Promise<void> {
  const { server, session, log } = request;
  const form = waitingFormOf(request);
  if (session === undefined || form === undefined) return;
  const { key = '', draft_key = key } = (request.body ?? {}) as Fields;
  try {
    await transact(server.db, (trx) => dropDraft(trx, session.id, { form, fields: { key: draft_key } }));
  } catch (err) {
    // What it was sent for has been done, and has to be answered.
    log.warn({ err }, 'a draft could not be dropped');
  }
}

type FormRoute = { form: string | undefined; params: unknown };

export function formOf(request: FastifyRequest, { form, params } = routeOf(request)): string | undefined {
  const { url, server } = request;
  const at = url.indexOf('?');
  const path = form?.replace(':id', encodeURIComponent((params as { id?: string }).id ?? ''));
  return path && shortAddress(path + (at < 0 ? '' : url.slice(at)), server.config.origin);
}

function routeOf({ routeOptions, params }: FastifyRequest): FormRoute {
  return { form: routeOptions.config.form, params };
}
