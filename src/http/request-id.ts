/** What a request is found by in the log, on the page of an error, and in the log of a proxy. */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { FastifyInstance } from 'fastify';

export const REQUEST_ID = 'x-request-id';

/** As proxies make them; in a log it can be nothing else. */
const FORM = /^[\w.:/+=-]{8,128}$/;

/** Short enough to be read out. */
export function newRequestId(): string {
  return randomUUID().slice(0, 13);
}

/** The one that a proxy has given it, if that tells the truth about who asks. */
export function requestIdOf(
  { headers, socket }: Pick<IncomingMessage, 'headers' | 'socket'>,
  isTrusted: (address: string | undefined) => boolean,
): string {
  const given = headers[REQUEST_ID];
  return typeof given === 'string' && FORM.test(given) && isTrusted(socket.remoteAddress)
    ? given
    : newRequestId();
}

export function addRequestIds(app: FastifyInstance): void {
  app.addHook('onRequest', (request, reply, done) => {
    reply.header(REQUEST_ID, request.id);
    done();
  });
}
