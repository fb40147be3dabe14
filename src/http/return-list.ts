/** The list to which somebody returns from a page, as its address carries it. */
import type { FastifyRequest } from 'fastify';
import { type Fields, parseQuery } from '../lib/forms.ts';

/** As a link passes it on: `?from=page%3D2`, `?from=` for the list without a filter, or nothing. */
export function fromIn(query: Fields): string {
  return query.from === undefined ? '' : `?from=${encodeURIComponent(query.from)}`;
}

/** By which what is begun on a page leads back: on the list that is the list itself, also without a filter. */
export function fromOf({ url }: Pick<FastifyRequest, 'url'>): string {
  const [path, query = ''] = url.split('?', 2);
  return path === '/users' ? `?from=${encodeURIComponent(query)}` : fromIn(parseQuery(query));
}
