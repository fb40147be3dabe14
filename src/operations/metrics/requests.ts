/** Requests and their answers: by the pattern of their route, never by what somebody asks for. */

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { nobody } from '../../auth/policy.ts';
import { KINDS, type Kind } from '../../http/admission-queue.ts';
import { kindOf } from '../../http/request-kind.ts';
import { basePathOf } from '../../lib/url-for.ts';
import { Counter } from './counter.ts';
import { by, counter, type Family, gauge, MOST_SERIES } from './families.ts';
import { Histogram, histogram, samplesBy } from './histogram.ts';

const BUCKETS_SECONDS = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5];
/** Of routes; of all that routes, methods and statuses make together there are `MOST_SERIES`. */
const MOST_ROUTES = 80;

export function watchRequests(app: FastifyInstance): () => Family[] {
  const basePath = basePathOf(app.config.origin);
  const ofAnswered = watchAnswered(app, basePath);
  const ofUnderWay = watchUnderWay(app, basePath);
  const refused = 'Requests that were refused, since there was no time for them.';
  return () => [
    ...ofAnswered(),
    ...ofUnderWay(),
    counter('roster_http_requests_refused_total', refused, by('kind', app.refused)),
  ];
}

function watchAnswered(app: FastifyInstance, basePath: string): () => Family[] {
  const answers = new Counter(['route', 'method', 'status'], MOST_SERIES);
  const times = new Counter(['route'], MOST_ROUTES);
  const durations = ofEachKind(() => new Histogram(BUCKETS_SECONDS));
  app.addHook('onResponse', (request, reply, done) => {
    const seconds = reply.elapsedTime / 1_000;
    const route = routeOf(request);
    answers.add([route, methodOf(request), statusOf(reply)]);
    times.add([route], seconds);
    durations[kindOf(request.raw, basePath)].observe(seconds);
    done();
  });
  return () => [
    counter('roster_http_requests_total', 'Requests that were answered by a route.', answers.samples()),
    counter('roster_http_route_seconds_total', 'How long a route took for all its answers.', times.samples()),
    histogram(
      'roster_http_request_duration_seconds',
      'How long requests took.',
      samplesBy('kind', durations),
    ),
  ];
}

function watchUnderWay(app: FastifyInstance, basePath: string): () => Family[] {
  const underWay = ofEachKind(() => 0);
  const aborted = ofEachKind(() => 0);
  // What `inject` asks does not pass here.
  app.server.prependListener('request', (request, response) => {
    const kind = kindOf(request, basePath);
    underWay[kind]++;
    response.once('close', () => {
      underWay[kind]--;
      if (!response.writableFinished) aborted[kind]++;
    });
  });
  return () => [
    gauge('roster_http_requests_in_flight', 'Requests that wait or are at work.', by('kind', underWay)),
    counter(
      'roster_http_requests_aborted_total',
      'Requests whose client has gone before the answer.',
      by('kind', aborted),
    ),
  ];
}

function ofEachKind<T>(make: () => T): Record<Kind, T> {
  return Object.fromEntries(KINDS.map((kind) => [kind, make()])) as Record<Kind, T>;
}

/** One value for all that is no address, or not by that method. */
function routeOf({ routeOptions }: FastifyRequest): string {
  const { url, config } = routeOptions;
  if (url === undefined || config.may === nobody) return 'unknown';
  // Their addresses change with what is in them.
  return url.startsWith('/assets/') ? '/assets/*' : url;
}

function methodOf({ method }: FastifyRequest): string {
  if (method === 'HEAD') return 'GET';
  return method === 'GET' || method === 'POST' ? method : 'other';
}

function statusOf({ statusCode }: FastifyReply): string {
  return `${Math.floor(statusCode / 100)}xx`;
}
