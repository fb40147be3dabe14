/** Addresses that programs ask for by themselves, whoever is signed in, and whether or not anyone is. */
import type { FastifyInstance } from 'fastify';
import { allow } from '../auth/access.ts';
import { anyone } from '../auth/policy.ts';
import { NotFoundError } from '../errors.ts';
import { assetPath } from './assets.ts';
import { NO_PAGE } from './error-pages.ts';

/** Nothing of a directory of people belongs into a search engine (RFC 9309). */
const ROBOTS = 'User-agent: *\nDisallow: /\n';

export function wellKnownRoutes(app: FastifyInstance): void {
  const forAll = allow(anyone, { isBeforeSetup: true });
  app.get('/robots.txt', forAll, async (_request, reply) =>
    reply.type('text/plain; charset=utf-8').header('cache-control', 'public, max-age=3600').send(ROBOTS),
  );
  app.get('/favicon.ico', forAll, async (_request, reply) => reply.redirect(assetPath('favicon.svg'), 302));
  // For password managers (https://w3c.github.io/webappsec-change-password-url/).
  app.get('/.well-known/change-password', forAll, async (_request, reply) => reply.seeOther('/account'));
  // Not the form for signing in: by what is not there they tell whether what is there can be relied on.
  app.get('/.well-known/*', forAll, async () => {
    throw new NotFoundError(NO_PAGE);
  });
}
