/** The pages about errors where there are no hooks, no reply of ours, or no request at all. */
import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyError, FastifyInstance, FastifyReply } from 'fastify';
import { canonicalAddress } from './client-address.ts';
import { type Doing, doingOf, explainStatus } from './explanations.ts';
import { mayBeLong } from './long-bodies.ts';
import { STATUS_CODES } from './node-http.ts';
import { newRequestId, REQUEST_ID } from './request-id.ts';
import { securityHeaders } from './security.ts';
import { dropBody, giveUp, isGivenUp, stopDropping } from './unread-bodies.ts';
import type { Views } from './views.ts';

const NOBODY = { flash: undefined, session: undefined, actor: undefined, isOpen: false };

/** The answers to the last request of each connection and, where that was not over when it came, to the one before. */
const answers = new WeakMap<Socket, ServerResponse[]>();

/** Call it first for each request. @returns the answer to the one before on its connection, where that is not over. */
export function noteRequest(response: ServerResponse): ServerResponse | undefined {
  const { socket } = response.req;
  const [last] = answers.get(socket) ?? [];
  const before = last?.writableFinished ? undefined : last;
  answers.set(socket, before ? [response, before] : [response]);
  return before;
}

/** For errors that Fastify finds before its hooks have run, when a reply has none of our methods yet. */
export async function showFrameworkError(
  app: FastifyInstance,
  error: FastifyError,
  reply: FastifyReply,
): Promise<void> {
  const { id: requestId, method, log, raw } = reply.request;
  const status = error.statusCode ?? 400;
  log.warn({ req: reply.request }, 'request not understood');
  const html = await bareErrorPage(app, status, {
    doing: doingOf(method),
    requestId: app.idInLog(requestId, 'warn'),
  });
  dropBody(raw, (isWhole) => {
    if (!isWhole) reply.header('connection', 'close');
    reply
      .headers({ ...bareHeaders(app), [REQUEST_ID]: requestId })
      .code(status)
      .send(html);
  });
}

/** For what is no HTTP at all, too slow or too large to be read: answered on the bare connection. */
export async function answerClientError(
  app: FastifyInstance,
  error: Error & { code?: string },
  socket: Socket,
): Promise<void> {
  if (isGivenUp(socket)) return;
  const latest = answers.get(socket) ?? [];
  const pending = latest.find(({ req, writableFinished }) => req.complete && !writableFinished);
  if (pending) {
    // It came after a request that is complete: that one is answered first, and nothing is read meanwhile.
    socket.pause();
    pending.once('close', () => void answerClientError(app, error, socket));
    return;
  }
  // Whoever has sent nothing waits for no answer: browsers and proxies connect ahead of need.
  if (error.code === 'ECONNRESET' || !socket.writable || socket.bytesRead === 0) {
    socket.destroy();
    return;
  }
  if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT' && (mayBeLong(socket) || stopDropping(socket))) return;
  const codes: Record<string, number> = { HPE_HEADER_OVERFLOW: 431, ERR_HTTP_REQUEST_TIMEOUT: 408 };
  const status = codes[error.code ?? ''] ?? 400;
  const broken = latest.find(({ req }) => !req.complete);
  const requestId = broken ? app.requestIdOf(broken.req) : newRequestId();
  const log = app.log.child({ reqId: requestId });
  log.warn({ code: error.code }, 'request not understood');
  const html = await bareErrorPage(app, status, {
    doing: broken && doingOf(broken.req.method),
    requestId: app.idInLog(requestId, 'warn'),
  });
  const answer = rawAnswer(status, { ...bareHeaders(app), [REQUEST_ID]: requestId }, html);
  // Of what has begun as a request its own line says so.
  if (broken) broken.statusCode = status;
  else
    log.info(
      { status, bytes: Buffer.byteLength(answer), address: canonicalAddress(socket.remoteAddress) },
      'request',
    );
  giveUp(socket, answer);
}

function rawAnswer(status: number, headers: Readonly<Record<string, string>>, html: string): string {
  const all = {
    ...headers,
    'content-length': Buffer.byteLength(html),
    date: new Date().toUTCString(),
    connection: 'close',
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join('')}\r\n${html}`;
}

export function bareHeaders({ config }: FastifyInstance) {
  return {
    ...securityHeaders(config),
    'cache-control': 'private, no-cache',
    'content-type': 'text/html; charset=utf-8',
  };
}

export async function bareErrorPage(
  app: FastifyInstance,
  status: number,
  { doing, ...more }: { doing?: Doing | undefined } & Pick<Views['error'], 'link' | 'requestId'> = {},
): Promise<string> {
  return app.view('error', { ...explainStatus(status, doing), ...more, ...NOBODY });
}
