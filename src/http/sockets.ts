/** What has to be done with connections themselves. */
import type { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { answerClientError } from './bare-pages.ts';

export const ARRIVAL_TIMEOUT = 15_000;
/** In milliseconds, while an answer waits to be read; Node looks once more, so it may take twice as long. */
const ANSWER_TIMEOUT = 5_000;

/** While a handler is at work there is no limit: whoever has sent a form is answered. */
export function addTimeouts(app: FastifyInstance): void {
  // What `inject` makes up has no timeout. The answer before may have left its own.
  app.addHook('onRequest', (request, _reply, done) => {
    request.socket.setTimeout?.(ARRIVAL_TIMEOUT);
    done();
  });
  app.addHook('preHandler', (request, _reply, done) => {
    request.socket.setTimeout?.(0);
    done();
  });
  app.addHook('onSend', (request, _reply, payload, done) => {
    request.socket.setTimeout?.(ANSWER_TIMEOUT);
    done(null, payload);
  });
}

/** Node would answer these two by itself, without a page: an expectation may be ignored (RFC 9110, 10.1.1). */
export function answerOddRequests(app: FastifyInstance): void {
  app.server.on('checkExpectation', (request, response) => app.server.emit('request', request, response));
  app.server.on('connect', (_request, socket) => {
    // Node has let go of it: a reset that nobody listens for would end the process.
    socket.on('error', () => socket.destroy());
    void answerClientError(app, new Error('CONNECT'), socket as Socket);
  });
}
