/** The pages about errors, also where no route has been found. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { askToSignIn } from '../auth/ask-to-sign-in.ts';
import { SignedOutError } from '../errors.ts';
import { retryAfter } from '../lib/retry-after.ts';
import { retryLink } from './error-links.ts';
import { explain } from './explanations.ts';
import type { Views } from './views.ts';

export const NO_PAGE = 'There is no page at this address.';

declare module 'fastify' {
  interface FastifyReply {
    renderError(page: Omit<Views['error'], 'requestId'>, status: number): Promise<FastifyReply>;
  }
}

export function addErrorPages(app: FastifyInstance): void {
  app.decorateReply('renderError', async function (this: FastifyReply, page, status: number) {
    const { id, server } = this.request;
    const requestId = server.idInLog(id, status >= 500 ? 'error' : 'info');
    return this.render('error', { ...page, requestId }, status);
  });
  app.setErrorHandler(showError);
  app.setNotFoundHandler(async (_request, reply) => {
    return reply.renderError({ title: 'Page not found', sentence: NO_PAGE }, 404);
  });
}

async function showError(error: unknown, request: FastifyRequest, reply: FastifyReply): Promise<void> {
  if (error instanceof SignedOutError) {
    request.session = undefined;
    request.actor = undefined;
    return void (await askToSignIn(request, reply));
  }
  const { status, link, ...page } = explain(error, request);
  if (status >= 500) request.log.error({ err: error, req: request }, 'request failed');
  if (status === 503) reply.header('retry-after', retryAfter());
  await reply.renderError({ ...page, link: link ?? retryLink(request, status) }, status);
}
