/** One line of the log for each request, also for one that is refused before it has a route. */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { timingOf } from '../db/engine.ts';
import { clientOf, type IsTrusted } from './client-address.ts';
import { isWritten } from './log-levels.ts';
import { patternOf } from './routing.ts';
import { isGivenUp } from './unread-bodies.ts';

/** `databaseMs`: of all its statements, commits and waits for them, also where several ran at once. */
type Noted = {
  since: number;
  socket: Socket;
  peer: string | undefined;
  databaseMs: number;
  request?: FastifyRequest;
};

/** What has been sent on a connection so far: its answers follow one after the other. */
const sent = new WeakMap<Socket, number>();

/** What `inject` asks is not logged. */
export function addRequestLog(app: FastifyInstance, isTrusted: IsTrusted): void {
  if (!isWritten('info', app.config.logLevel)) return;
  const requests = new WeakMap<IncomingMessage, Noted>();
  const current = new AsyncLocalStorage<Noted>();
  const stop = timingOf(app.db).observe({
    onPart(_part, ms) {
      const noted = current.getStore();
      if (noted) noted.databaseMs += ms;
    },
  });
  app.addHook('onClose', async () => stop());

  app.server.prependListener('request', (raw: IncomingMessage, response: ServerResponse) => {
    const { socket } = raw;
    const noted: Noted = { since: performance.now(), socket, peer: socket.remoteAddress, databaseMs: 0 };
    requests.set(raw, noted);
    response.once('close', () => app.log.info(lineOf(app, noted, response, isTrusted), 'request'));
  });
  // Reading a form begins a context of its own.
  app.addHook('onRequest', goOn).addHook('preValidation', goOn);

  function goOn(request: FastifyRequest, _reply: FastifyReply, done: () => void): void {
    const noted = requests.get(request.raw);
    if (noted) noted.request = request;
    if (noted) current.run(noted, done);
    else done();
  }
}

function lineOf(app: FastifyInstance, noted: Noted, response: ServerResponse, isTrusted: IsTrusted) {
  const { since, socket, peer, databaseMs, request } = noted;
  const { req: raw, statusCode } = response;
  return {
    reqId: app.requestIdOf(raw),
    method: raw.method,
    route: request && patternOf(request),
    status: response.headersSent || isGivenUp(socket) ? statusCode : undefined,
    ms: tenths(performance.now() - since),
    databaseMs: tenths(databaseMs),
    bytes: countSent(socket),
    actor: request?.actor?.user?.id,
    address: request?.address ?? clientOf(peer, raw.headers, isTrusted),
    aborted: response.writableFinished || isGivenUp(socket) ? undefined : true,
  };
}

/** The bytes of the last answer, with its head. */
function countSent(socket: Socket): number {
  const before = sent.get(socket) ?? 0;
  sent.set(socket, socket.bytesWritten);
  return socket.bytesWritten - before;
}

function tenths(ms: number): number {
  return Math.round(ms * 10) / 10;
}
