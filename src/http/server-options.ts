/** How Fastify, and Node below it, take requests in. */
import type { IncomingMessage } from 'node:http';
import type { FastifyServerOptions } from 'fastify';
import type { Config } from '../config.ts';
import { parseQuery } from '../lib/forms.ts';
import { basePathOf } from '../lib/url-for.ts';
import type { IsTrusted } from './client-address.ts';
import { applyAbsoluteForm, withoutBase } from './host.ts';
import type { Limit } from './log-limit.ts';
import { loggerOptions } from './logger.ts';
import { requestIdOf } from './request-id.ts';
import { ROUTING } from './routing.ts';
import { ARRIVAL_TIMEOUT } from './sockets.ts';

const LARGEST_FORM_BYTES = 64 * 1024;
/** Whoever has not sent a whole request by then is told so; without a word if nothing has come. */
const REQUEST_TIMEOUT = 10_000;

type Parts = { isTrusted: IsTrusted; limit: Limit };

export function serverOptions(config: Config, { isTrusted, limit }: Parts) {
  const basePath = basePathOf(config.origin);
  return {
    genReqId: (request: IncomingMessage) => requestIdOf(request, isTrusted),
    ...loggerOptions(config, limit),
    // From anyone else these headers are only what a client says of itself.
    trustProxy: config.trustProxy.length > 0 ? isTrusted : false,
    bodyLimit: LARGEST_FORM_BYTES,
    requestTimeout: REQUEST_TIMEOUT,
    connectionTimeout: ARRIVAL_TIMEOUT,
    keepAliveTimeout: config.keepAlive,
    // A request without a host is ours to answer, like one for another host.
    http: {
      headersTimeout: REQUEST_TIMEOUT,
      connectionsCheckingInterval: 1_000,
      requireHostHeader: false,
    },
    return503OnClosing: false,
    // Zod checks what comes in and pages go out as they are: the compilers of JSON schemas need not even be loaded.
    schemaController: { compilersFactory: { buildValidator: noCompiler, buildSerializer: noCompiler } },
    routerOptions: { ...ROUTING, querystringParser: parseQuery },
    rewriteUrl: (request) => withoutBase(applyAbsoluteForm(request), basePath),
  } satisfies FastifyServerOptions & { http: object };
}

function noCompiler(): never {
  throw new Error('Roster uses no JSON schemas.');
}
