/** Sending someone whose role asks for a second factor to set it up; they go on from there, with what they sent if it may be kept. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { setDraft } from './drafts.ts';
import { draftOf, formOf } from './request-drafts.ts';
import { runCommand } from './run-command.ts';
import type { Session } from './sessions.ts';

const OWED = 'Nothing was changed: your role asks for a second factor first.';

export async function askForSecondFactor(request: FastifyRequest, reply: FastifyReply, session: Session) {
  const { method, url } = request;
  const isReading = method === 'GET' || method === 'HEAD';
  const next = isReading ? url : (formOf(request) ?? '/users');
  const address = `/account/code?next=${encodeURIComponent(next)}`;
  if (isReading) return reply.seeOther(address);
  const draft = draftOf(request);
  if (draft) await runCommand(request, (trx) => setDraft(trx, session.id, draft));
  return reply.seeInstead(address, draft ? `${OWED} What you typed is there once you have set it up.` : OWED);
}
