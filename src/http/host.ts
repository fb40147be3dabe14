/** Which host a request is for. */
import type { IncomingMessage } from 'node:http';

const ABSOLUTE_FORM = /^[a-z][a-z\d+.-]*:\/\/([^/?#]*)(.*)$/i;

/** The path; where a whole address is asked for, its host takes the place of the header (RFC 9112, 3.2.2). */
export function applyAbsoluteForm({ url = '', headers }: IncomingMessage): string {
  const [, host, rest = ''] = url.startsWith('/') ? [] : (ABSOLUTE_FORM.exec(url) ?? []);
  if (host === undefined) return url;
  headers.host = host;
  return rest.startsWith('/') ? rest : `/${rest}`;
}

/** A proxy may take off the path that is before all others, or not, or all but a slash too many. */
export function withoutBase(url: string, basePath: string): string {
  if (basePath === '') return url;
  const path = url.replace(/^\/+/, '/');
  const rest = path.startsWith(basePath) ? path.slice(basePath.length) : path;
  if (rest.startsWith('/')) return rest.replace(/^\/+/, '/');
  return /^(\?|$)/.test(rest) ? `/${rest}` : path;
}

/** Whether a request says twice which host it is for: whoever passed it on may have believed the other one. */
export function hasTwoHosts({ rawHeaders }: IncomingMessage): boolean {
  const isHost = (part: string, at: number) =>
    at % 2 === 0 && part.length === 4 && part.toLowerCase() === 'host';
  return rawHeaders.findIndex(isHost) !== rawHeaders.findLastIndex(isHost);
}

export function hostnameOf(host: string | undefined): string {
  // What a user, a path or a query would follow is no host; links are made of it.
  if (host === undefined || /[@/?#\\]/.test(host)) return '';
  const name = URL.parse(`http://${host}`)?.hostname ?? '';
  return name.replace(/^\[(.*)\]$/, '$1').replace(/\.$/, '');
}
