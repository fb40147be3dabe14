/** What is answered where there is no time for a request: made once, since it is to cost little. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { FastifyInstance } from 'fastify';
import { retryAfter } from '../lib/retry-after.ts';
import { bareErrorPage, bareHeaders } from './bare-pages.ts';
import { doingOf } from './explanations.ts';
import { newRequestId, REQUEST_ID } from './request-id.ts';
import { dropBody } from './unread-bodies.ts';

/** Names and values of the headers in turn, and the page as bytes in a string: Node sends both in one piece. */
type Refusal = { headers: string[]; html: string };

/** An empty address is that of the page itself. */
const RELOAD = { href: '', text: 'Reload this page' };

export function addRefusals(
  app: FastifyInstance,
): (request: IncomingMessage, response: ServerResponse) => void {
  const refusals: Partial<Record<ReturnType<typeof doingOf>, Refusal>> = {};

  app.addHook('onReady', async () => {
    refusals.reading = await make({ doing: 'reading', link: RELOAD });
    refusals.writing = await make({ doing: 'writing' });
  });

  return (request, response) => {
    app.log.warn('too many requests at once: one was refused');
    const { headers = [], html } = refusals[doingOf(request.method)] ?? {};
    dropBody(request, (isWhole) => {
      if (!isWhole || app.isDraining) response.shouldKeepAlive = false;
      response
        .writeHead(503, [...headers, REQUEST_ID, newRequestId(), 'retry-after', retryAfter()])
        .end(html, 'latin1');
    });
  };

  async function make(more: Parameters<typeof bareErrorPage>[2]): Promise<Refusal> {
    const html = Buffer.from(await bareErrorPage(app, 503, more)).toString('latin1');
    return {
      headers: Object.entries({ ...bareHeaders(app), 'content-length': `${html.length}` }).flat(),
      html,
    };
  }
}
