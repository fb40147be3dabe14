/** Sending someone whose role asks for a second factor to set it up; they go on from there, with what they sent if it may be kept. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { isShort } from '../http/safe-redirect.ts';
import type { Origin } from '../lib/url-for.ts';
import { addDraft } from './drafts.ts';
import { draftOf, formOf } from './request-drafts.ts';
import { runCommand } from './run-command.ts';
import type { Session } from './sessions.ts';

const OWED = 'Nothing was changed: your role asks for a second factor first.';

export async function askForSecondFactor(request: FastifyRequest, reply: FastifyReply, session: Session) {
  const { method, url } = request;
  const isReading = method === 'GET' || method === 'HEAD';
  const draft = isReading ? undefined : draftOf(request);
  const next = isReading ? url : (draft?.form ?? formOf(request) ?? '/users');
  const address = addressFor(next, request.server.config.origin);
  if (isReading) return reply.seeOther(address);
  const isKept = draft && (await runCommand(request, (trx) => addDraft(trx, session.id, draft)));
  return reply.seeInstead(address, isKept ? `${OWED} What you sent is there once you have set it up.` : OWED);
}

function addressFor(next: string, origin: Origin): string {
  const addressOf = (to: string) => `/account/code?next=${encodeURIComponent(to)}`;
  const whole = addressOf(next);
  return isShort(whole, origin) ? whole : addressOf(next.replace(/\?.*/s, ''));
}
