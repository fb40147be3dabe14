/** How addresses are told from each other, and by which pattern a request's is known. */
import type { FastifyRequest } from 'fastify';

/** As long as an address can be: what is too long for an id or a name is not found like any other. */
export const ROUTING = { ignoreTrailingSlash: true, maxParamLength: 16 * 1024 };

const patterns = new WeakMap<FastifyRequest, string>();

export function notePattern(request: FastifyRequest, pattern: string): void {
  patterns.set(request, pattern);
}

export function patternOf(request: FastifyRequest): string | undefined {
  return patterns.get(request) ?? request.routeOptions.url;
}
