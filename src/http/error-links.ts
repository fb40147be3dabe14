/** The links by which people go on from a page about an error. */
import type { FastifyRequest } from 'fastify';
import { formOf } from '../auth/request-drafts.ts';
import type { Views } from './views.ts';

type Link = Views['error']['link'];

/** Nothing of what was typed is there. */
const OPEN_ANEW = 'Open the page anew';

/** From where it can be tried once more; the view knows where to go where there is no such place. */
export function retryLink(request: FastifyRequest, status: number): Link {
  const { method, url, routeOptions, server } = request;
  const isReading = method === 'GET' || method === 'HEAD';
  if ((isReading && status < 500) || status === 404) return undefined;
  const form = formOf(request);
  if (form) return { href: form, text: OPEN_ANEW };
  if (!server.rules.has(`GET ${routeOptions.url}`)) return undefined;
  return { href: url, text: isReading ? 'Reload this page' : OPEN_ANEW };
}

export function ownAddress({ server }: FastifyRequest): Link {
  const { config } = server;
  const { port } = (server.server.address() ?? config) as { port: number };
  const href =
    config.origin?.href ?? `http://${config.host.includes(':') ? `[${config.host}]` : config.host}:${port}/`;
  return { href, text: 'Go to Roster' };
}

/** Where a change shows, if it was saved: at the user that was to be changed, among the newest, or where its form is. */
export function savedLink(request: FastifyRequest): Link {
  const { id } = request.params as { id?: string };
  if (id) return { href: `/users/${id}`, text: `Look at user ${id}` };
  const form = formOf(request);
  if (form?.startsWith('/users/new')) return { href: '/users?sort=-id', text: 'Look at the newest users' };
  return form ? { href: form, text: 'Look at it' } : undefined;
}
