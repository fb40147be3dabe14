/** The pages about errors, also where no route has been found. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { askToSignIn } from '../auth/ask-to-sign-in.ts';
import { SignedOutError } from '../errors.ts';
import { retryAfter } from '../lib/retry-after.ts';
import { explain, wayOn } from './explanations.ts';

export function addErrorPages(app: FastifyInstance): void {
  app.setErrorHandler(showError);
  app.setNotFoundHandler(async (request, reply) => {
    const requestId = isLogged(request) ? request.id : undefined;
    const page = { title: 'Page not found', sentence: 'There is no page at this address.', requestId };
    return reply.render('error', page, 404);
  });
}

async function showError(error: unknown, request: FastifyRequest, reply: FastifyReply): Promise<void> {
  if (error instanceof SignedOutError) {
    request.session = undefined;
    request.actor = undefined;
    return void (await askToSignIn(request, reply));
  }
  const { status, link, ...page } = explain(error, request);
  const isOurs = status >= 500;
  if (isOurs) request.log.error({ err: error, req: request }, 'request failed');
  if (status === 503) reply.header('retry-after', retryAfter());
  const requestId = isOurs || isLogged(request) ? request.id : undefined;
  const shown = { ...page, link: link ?? wayOn(request, status), requestId };
  await reply.render('error', shown, status);
}

/** Whether the log has all requests, and not only those that failed by a mistake of ours. */
function isLogged({ log }: FastifyRequest): boolean {
  return ['info', 'debug', 'trace'].includes(log.level);
}
