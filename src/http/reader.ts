/** Where the page of a request is read: on a replica that shows all that its browser has changed, else at the primary. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { type Cookie, cookieOf } from '../auth/cookie.ts';
import { open, seal } from '../auth/tokens.ts';
import { replicasOf } from '../db/engine.ts';
import type { Replicas } from '../db/replicas.ts';
import type { Db } from '../db/schema.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** For what a page shows of users and their history. Who asks, and what they may, is read from `server.db`: the primary. */
    readonly reader: Db;
  }
  interface FastifyContextConfig {
    /** For what is just being done: its page is no older than that, nor is any that follows. */
    readsPrimary?: boolean;
  }
}

/** In seconds: longer than any replica that is used is behind, beyond the lag that it may have. */
const KEPT_FOR = 60;
/** To which no replica comes: where nobody knows how far it was. */
const BEYOND_ALL = Number.MAX_SAFE_INTEGER;

/** Call it once cookies are parsed. */
export function addReader(app: FastifyInstance): void {
  const replicas = replicasOf(app.db);
  const chosen = new WeakMap<FastifyRequest, Db>();
  const cookie = cookieOf(app, 'written', KEPT_FOR + app.config.readLag / 1_000);
  app.decorateRequest('reader', {
    getter() {
      if (!replicas) return app.db;
      const reader = chosen.get(this) ?? choose(this, replicas, cookie);
      chosen.set(this, reader);
      return reader;
    },
  });
  if (!replicas) return;
  const stop = replicas.observe(({ name, problem }) => {
    if (problem) app.log.warn(`the replica ${name} is left out: ${problem}`);
    else app.log.warn(`the replica ${name} is in use again`);
  });
  app.addHook('onClose', async () => stop());
  // Whatever became of it: a change that is answered with a failure may have been saved.
  app.addHook('onSend', async (request, reply) => {
    if (!isFresh(request)) return;
    const position = await replicas.readPosition().catch(() => BEYOND_ALL);
    if (position === BEYOND_ALL && replicas.isSilentFor(reply.elapsedTime)) return;
    reply.setCookie(cookie.name, seal(app.secretKey, 'written', position), cookie.options);
  });
}

function choose(request: FastifyRequest, replicas: Replicas, { name }: Cookie): Db {
  const { server, cookies, session, isOpen } = request;
  // While nobody signs in, it is one machine that asks, and not only by browsers.
  if (isOpen || isFresh(request)) return server.db;
  const sealed = cookies[name];
  const position = sealed === undefined ? 0 : Number(open(server.secretKey, 'written', sealed) ?? BEYOND_ALL);
  return replicas.choose(position, session?.id ?? 0) ?? replicas.atPrimary(position);
}

function isFresh({ method, routeOptions }: FastifyRequest): boolean {
  return !['GET', 'HEAD'].includes(method) || routeOptions.config.readsPrimary === true;
}
