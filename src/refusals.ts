/** What is answered where there is no time for a request: made once, since it is to cost little. */
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { FastifyInstance } from 'fastify';
import { bareErrorPage, bareHeaders } from './error-pages.ts';
import { dropBody } from './unread-bodies.ts';

/** Seconds after which the refused may ask again, drawn by lot so that they do not come together. */
const RETRY_AFTER = { least: 1, most: 5 };

/** Returns what refuses a request. */
export function addRefusals(
  app: FastifyInstance,
): (request: IncomingMessage, response: ServerResponse) => void {
  let html = '';
  let headers: OutgoingHttpHeaders = {};

  app.addHook('onReady', async () => {
    html = await bareErrorPage(app, 503);
    headers = { ...bareHeaders(app), 'content-length': Buffer.byteLength(html) };
  });

  return (request, response) => {
    app.log.warn('too many requests at once: one was refused');
    dropBody(request, (isWhole) => {
      if (!isWhole || app.isDraining) response.shouldKeepAlive = false;
      response.writeHead(503, { ...headers, 'retry-after': retryAfter() }).end(html);
    });
  };
}

function retryAfter(): string {
  const { least, most } = RETRY_AFTER;
  return `${least + Math.floor(Math.random() * (most - least + 1))}`;
}
