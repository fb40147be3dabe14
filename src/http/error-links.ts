/** The links by which people go on from a page about an error. */
import type { FastifyRequest } from 'fastify';
import { formOf } from '../auth/request-drafts.ts';
import { plainNumber } from '../lib/text.ts';
import type { Views } from './views.ts';

type Link = Views['error']['link'];

/** Nothing of what was typed is there. */
const OPEN_ANEW = 'Open the page anew';

/** From where it can be tried once more; the view knows where to go where there is no such place. */
export function retryLink(request: FastifyRequest, status: number): Link {
  const { method, url, routeOptions, server } = request;
  const isReading = method === 'GET' || method === 'HEAD';
  if (status === 404) return listLink(request);
  if (isReading && status < 500) return undefined;
  const form = formOf(request);
  if (form) return { href: form, text: OPEN_ANEW };
  if (!server.rules.has(`GET ${routeOptions.url}`)) return undefined;
  return { href: url, text: isReading ? 'Reload this page' : OPEN_ANEW };
}

/** From where one comes to the change sets and imports there are; to users the view knows the way. */
function listLink({ routeOptions: { url = '' }, server, actor }: FastifyRequest): Link {
  const list = url.startsWith('/history/') ? '/history' : url.startsWith('/imports/') ? '/import' : undefined;
  if (!list || !actor || !server.rules.get(`GET ${list}`)?.(actor)) return undefined;
  return { href: list, text: list === '/history' ? 'Go to the history' : 'Go to the imports' };
}

export function ownAddress({ server }: FastifyRequest): Link {
  const { config } = server;
  const { port } = (server.server.address() ?? config) as { port: number };
  const href =
    config.origin?.href ?? `http://${config.host.includes(':') ? `[${config.host}]` : config.host}:${port}/`;
  return { href, text: 'Go to Roster' };
}

const ABOUT = {
  '/users/:id': (id: string) => `Look at user ${id}`,
  '/history/:id': () => 'Look at this change',
  '/imports/:id': () => 'Look at this import',
} as const;

/** The page of the user, the change set or the import that an address is about, for whoever may see such pages. */
export function pageAbout({ params, routeOptions, server, actor }: FastifyRequest): Link {
  const { id = '' } = params as { id?: string };
  const { url = '' } = routeOptions;
  const page = (['/history/:id', '/imports/:id'] as const).find((one) => url.startsWith(one)) ?? '/users/:id';
  if (!plainNumber(id) || !actor || !server.rules.get(`GET ${page}`)?.(actor)) return undefined;
  return { href: page.replace(':id', id), text: ABOUT[page](id) };
}

/** Where a change shows, if it was saved: at what was to be changed, among the newest users, or where its form is. */
export function savedLink(request: FastifyRequest): Link {
  const page = pageAbout(request);
  if (page) return page;
  const form = formOf(request);
  if (form?.startsWith('/users/new')) return { href: '/users?sort=-id', text: 'Look at the newest users' };
  return form ? { href: form, text: 'Look at it' } : undefined;
}
