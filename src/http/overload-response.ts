/** What is answered where there is no time for a request: made once, since it is to cost little. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { FastifyInstance } from 'fastify';
import { retryAfter } from '../lib/retry-after.ts';
import { bareErrorPage, bareHeaders } from './bare-pages.ts';
import { doingOf } from './explanations.ts';
import { isWritten } from './log-levels.ts';
import { REQUEST_ID } from './request-id.ts';
import { dropBody } from './unread-bodies.ts';

/** Names and values of the headers in turn, first those that differ, and the page as bytes in a string, around the name of the request, if it has that. */
type Refusal = { headers: string[]; before: string; after: string | undefined };

/** Where the name of the request stands in a page: of thousands a second the log names some alone, unless it has a line for each. */
const ITS_ID = 'the-name-of-the-request';

/** Of headers, names and values: they are not the same each time. */
const DIFFERING = 6;

const RELOAD = { href: '', text: 'Reload this page' };

export function addOverloadResponse(
  app: FastifyInstance,
): (request: IncomingMessage, response: ServerResponse) => void {
  const refusals: Partial<Record<ReturnType<typeof doingOf>, Refusal>> = {};

  app.addHook('onReady', async () => {
    refusals.reading = await makeRefusal(app, { doing: 'reading', link: RELOAD });
    refusals.writing = await makeRefusal(app, { doing: 'writing' });
  });

  return (request, response) => {
    const requestId = app.requestIdOf(request);
    app.log.warn({ reqId: requestId }, 'too many requests at once: one was refused');
    const { headers = [], before = '', after } = refusals[doingOf(request.method)] ?? {};
    // In one piece with its headers, as Node sends it.
    const html = after === undefined ? before : before + requestId + after;
    dropBody(request, (isWhole) => {
      if (!isWhole || app.isDraining) response.shouldKeepAlive = false;
      // Node has written them by the end of this turn.
      headers.splice(
        0,
        DIFFERING,
        REQUEST_ID,
        requestId,
        'retry-after',
        retryAfter(),
        'content-length',
        `${html.length}`,
      );
      response.writeHead(503, headers).end(html, 'latin1');
    });
  };
}

async function makeRefusal(
  app: FastifyInstance,
  more: Parameters<typeof bareErrorPage>[2],
): Promise<Refusal> {
  const requestId = isWritten('info', app.config.logLevel) ? ITS_ID : undefined;
  const page = Buffer.from(await bareErrorPage(app, 503, { ...more, requestId })).toString('latin1');
  const [before = '', after] = page.split(ITS_ID);
  return {
    headers: [...Array(DIFFERING).fill(''), ...Object.entries(bareHeaders(app)).flat()],
    before,
    after,
  };
}
