/** Sending someone to the form for signing in, from which they come back, with what they sent if it may be kept. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { isShort } from '../http/safe-redirect.ts';
import type { Fields } from '../lib/forms.ts';
import { named } from '../lib/text.ts';
import { isDeactivated } from './deactivation-notice.ts';
import { type Done, done } from './idempotency-store.ts';
import { draftOf, formOf, hasTyped } from './request-drafts.ts';
import { sealDraft } from './sealed-drafts.ts';

export async function askToSignIn(request: FastifyRequest, reply: FastifyReply) {
  const { method, url, expired, server } = request;
  const isReading = method === 'GET' || method === 'HEAD';
  const address = `/sign-in?next=${encodeURIComponent(url)}`;
  if (isReading && isShort(address, server.config.origin)) return reply.seeOther(address);
  const draft = draftOf(request);
  // RFC 9110, 11.6.1; browsers ask nothing by themselves for a scheme that they do not know.
  reply.header('www-authenticate', 'Form realm="Roster"');
  return reply.render(
    'auth/sign-in',
    {
      next: isReading ? url : (formOf(request) ?? '/users'),
      username: expired?.username ?? '',
      draft: expired && draft ? await sealDraft(request, expired, draft) : undefined,
      isRefused: !isReading,
      // A file was not read.
      isTyped: request.body == null || hasTyped(request.body as Fields),
      isExpired: expired !== undefined,
      isDeactivated: await isDeactivated(request),
    },
    401,
  );
}

/** After a link by which somebody has chosen a password. It signs nobody in by itself, so that throttle and second factor hold. */
// https://cheatsheetseries.owasp.org/cheatsheets/Forgot_Password_Cheat_Sheet.html
export function askToSignInAs(username: string, what: string): Done {
  const address = `/sign-in?username=${encodeURIComponent(username)}`;
  return done(address, `${what} Sign in as ${named(username)}.`);
}
