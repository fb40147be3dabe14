/** What is wrong with the proxy before Roster, or with what Roster was told of it: said once in the log, and to administrators. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { HOUR } from '../lib/clock.ts';

declare module 'fastify' {
  interface FastifyInstance {
    loggedProxyProblems: Set<string>;
    /** What administrators are shown, by what each is about. */
    proxyProblems: Map<string, { sentence: string; seenAt: number }>;
  }
}

const SHOWN_FOR = HOUR;

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

const noted = new WeakMap<FastifyRequest, { about: string; sentence: string }[]>();

/** A stranger may send anything: administrators are shown what comes with a request of someone who is signed in. */
export function addProxyProblems(app: FastifyInstance): void {
  app.decorate('loggedProxyProblems', new Set<string>()).decorate('proxyProblems', new Map());
  app.addHook('preHandler', (request, _reply, done) => {
    const problems = request.session ? (noted.get(request) ?? []) : [];
    for (const { about, sentence } of problems)
      app.proxyProblems.set(about, { sentence, seenAt: app.stopwatch() });
    done();
  });
}

export function noteProxyProblem(request: FastifyRequest, about: string, sentence: string): void {
  const { loggedProxyProblems } = request.server;
  if (!loggedProxyProblems.has(about)) request.log.warn(sentence);
  loggedProxyProblems.add(about);
  noted.set(request, [...(noted.get(request) ?? []), { about, sentence }]);
}

export function shownProxyProblems({ proxyProblems, stopwatch }: FastifyInstance): string[] {
  const since = stopwatch() - SHOWN_FOR;
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
