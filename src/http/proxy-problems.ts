/** What is wrong with the proxy before Roster, or with what Roster was told of it: said once in the log, and to administrators. */
import type { FastifyInstance, FastifyRequest } from 'fastify';

declare module 'fastify' {
  interface FastifyInstance {
    /** By what each is about. */
    proxyProblems: Map<string, { sentence: string; seenAt: number }>;
  }
}

/** In milliseconds since it was seen last. */
const SHOWN_FOR = 60 * 60_000;

/** What a proxy does not do by itself, and the line that has it do so: those that are not named need none. */
const LINES = {
  client: {
    nginx: 'proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;',
    HAProxy: 'option forwardfor',
  },
  host: { nginx: 'proxy_set_header Host $host;', Apache: 'ProxyPreserveHost On' },
  https: {
    nginx: 'return 301 https://$host$request_uri;',
    HAProxy: 'http-request redirect scheme https code 301 unless { ssl_fc }',
    Apache: 'Redirect permanent / ORIGIN/',
  },
} satisfies Record<string, Readonly<Record<string, string>>>;

export function addProxyProblems(app: FastifyInstance): void {
  app.decorate('proxyProblems', new Map());
}

export function noteProxyProblem({ server, log }: FastifyRequest, about: string, sentence: string): void {
  const { proxyProblems } = server;
  if (!proxyProblems.has(about)) log.warn(sentence);
  proxyProblems.set(about, { sentence, seenAt: performance.now() });
}

export function shownProxyProblems({ proxyProblems }: FastifyInstance): string[] {
  const since = performance.now() - SHOWN_FOR;
  return [...proxyProblems.values()].filter(({ seenAt }) => seenAt > since).map(({ sentence }) => sentence);
}

/** Of the proxy that a request comes from where it can be told from the others, else of each. */
export function linesToAdd(what: keyof typeof LINES, request: FastifyRequest): string {
  const lines = Object.entries(LINES[what]);
  const told = lines.filter(([proxy]) => proxy === proxyOf(request));
  const shown = (told.length > 0 ? told : lines).map(([proxy, line]) => `for ${proxy}: “${line}”`);
  const { origin } = request.server.config;
  return `Add to it, ${shown.join(' or ')}.`.replace('ORIGIN', origin?.origin ?? '');
}

/** Only Apache names the server that was asked, and only nginx speaks HTTP/1.0 unless it is told otherwise. */
function proxyOf({ headers, raw }: FastifyRequest): string | undefined {
  if (headers['x-forwarded-server'] !== undefined) return 'Apache';
  return raw.httpVersion === '1.0' ? 'nginx' : undefined;
}
