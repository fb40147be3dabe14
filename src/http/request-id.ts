/** What a request is found by in the log, on the page of an error, and in the log of a proxy. */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { FastifyInstance } from 'fastify';
import type { IsTrusted } from './client-address.ts';

declare module 'fastify' {
  interface FastifyInstance {
    requestIdOf(request: IncomingMessage): string;
  }
}

export const REQUEST_ID = 'x-request-id';

/** As proxies make them; in a log it can be nothing else. */
const FORM = /^[\w.:/+=@-]{8,128}$/;

/** Short enough to be read out. */
export function newRequestId(): string {
  return randomUUID().slice(0, 13);
}

const ids = new WeakMap<IncomingMessage, string>();

/** The one that a proxy has given it, if that tells the truth about who asks; each time the same. */
export function requestIdOf(request: IncomingMessage, isTrusted: IsTrusted): string {
  const { headers, socket } = request;
  const given = headers[REQUEST_ID];
  const isTrue = typeof given === 'string' && FORM.test(given) && isTrusted(socket.remoteAddress);
  const id = ids.get(request) ?? (isTrue ? given : newRequestId());
  ids.set(request, id);
  return id;
}

export function addRequestIds(app: FastifyInstance, isTrusted: IsTrusted): void {
  app.decorate('requestIdOf', (request: IncomingMessage) => requestIdOf(request, isTrusted));
  app.addHook('onRequest', (request, reply, done) => {
    reply.header(REQUEST_ID, request.id);
    done();
  });
}
