/** The same on a port of its own, which this machine alone reaches, without a token: past the queue in which others wait. */
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type AddressInfo, isIP } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { hostnameOf } from '../../http/host.ts';
import { explainListening } from '../../http/listening.ts';
import { createServer } from '../../http/node-http.ts';
import { CONTENT_TYPE } from './families.ts';
import type { Scrape } from './scrape.ts';
import { METRICS } from './token.ts';

export const METRICS_HOST = '127.0.0.1';
const REQUEST_TIMEOUT_MS = 10_000;

declare module 'fastify' {
  interface FastifyInstance {
    metricsAddress: string | undefined;
  }
}

/** It is there as long as the app is, also while that drains. */
export function listenForMetrics(app: FastifyInstance, port: number, scrape: Scrape): void {
  const timeouts = {
    requestTimeout: REQUEST_TIMEOUT_MS,
    headersTimeout: REQUEST_TIMEOUT_MS,
    keepAliveTimeout: app.config.keepAlive,
  };
  const server = createServer(timeouts, (request, response) => {
    answer(request, response, scrape).catch((err) => {
      app.log.error({ err }, 'the metrics could not be told');
      response.writeHead(500).end();
    });
  });
  app.addHook('onReady', async () => {
    server.listen(port, METRICS_HOST);
    await once(server, 'listening').catch(explainListening({ host: METRICS_HOST, port, by: 'METRICS_PORT' }));
    app.metricsAddress = `http://${METRICS_HOST}:${(server.address() as AddressInfo).port}${METRICS}`;
  });
  app.addHook('onClose', async () => {
    server.close();
    server.closeAllConnections();
  });
}

async function answer(request: IncomingMessage, response: ServerResponse, scrape: Scrape): Promise<void> {
  const [path] = (request.url ?? '').split('?');
  response.setHeader('cache-control', 'no-store').setHeader('x-content-type-options', 'nosniff');
  if (path !== METRICS) return void response.writeHead(404).end();
  if (!isForHere(request)) return void response.writeHead(421).end();
  if (request.method !== 'GET' && request.method !== 'HEAD')
    return void response.writeHead(405, { allow: 'GET, HEAD' }).end();
  // First, for it may fail.
  const text = await scrape();
  response.writeHead(200, { 'content-type': CONTENT_TYPE }).end(text);
}

/** DNS rebinding: a page elsewhere may point its own name at this machine. */
function isForHere({ headers }: IncomingMessage): boolean {
  const host = hostnameOf(headers.host);
  return isIP(host) !== 0 || host === 'localhost';
}
