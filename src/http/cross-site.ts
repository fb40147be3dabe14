/** Where a form comes from, as far as the browser says: what another site sends is not taken. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { readCookie, sessionCookie } from '../auth/cookie.ts';
import { nobody } from '../auth/policy.ts';
import type { Config } from '../config.ts';
import { RefusedError } from './refused-error.ts';

const ELSEWHERE = 'This form was sent from another site, so it was not accepted.';
const UNSAID =
  'Your browser did not say where this form comes from: it sends none of Sec-Fetch-Site, Origin and Referer. Let it send one of them, then send the form again.';

export function addSameOrigin(app: FastifyInstance): void {
  app.addHook('onRequest', (request, _reply, done) => {
    // What an address does not answer changes nothing, wherever it comes from.
    const isHarmless = ['GET', 'HEAD'].includes(request.method) || request.routeOptions.config.may === nobody;
    const problem = isHarmless ? undefined : crossSiteProblem(request);
    done(problem === undefined ? undefined : new RefusedError(403, problem));
  });
}

function crossSiteProblem(request: FastifyRequest): string | undefined {
  const isHere = isFromHere(request, request.server.config);
  if (isHere !== undefined) return isHere ? undefined : ELSEWHERE;
  // Whoever says nothing is no browser, unless it has a session. Parsed: what counts is what the session is read from.
  return readCookie(request, sessionCookie(request.server)) === undefined ? undefined : UNSAID;
}

/** By Fetch Metadata (https://www.w3.org/TR/fetch-metadata/), else Origin, else Referer; undefined where none is there. */
export function isFromHere({ headers }: FastifyRequest, config: Config): boolean | undefined {
  const site = headers['sec-fetch-site'];
  if (site !== undefined) return site === 'same-origin' || site === 'none';
  const from = headers.origin ?? (headers.referer || undefined);
  if (from === undefined) return undefined;
  const host = headers.host?.toLowerCase();
  const here = host === config.origin?.host ? config.origin?.origin : `http://${host}`;
  const origin = URL.parse(from)?.origin;
  return origin !== undefined && (origin === here || origin === config.origin?.origin);
}
