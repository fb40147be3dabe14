/** Whether who asks has the token (RFC 6750): compared in a time that tells nothing of it. */
import { hash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { withoutBase } from '../../http/host.ts';

export const METRICS = '/metrics';

const ADDRESS = /^\/metrics(?=[/?]|$)/;

export function hasToken({ headers }: Pick<IncomingMessage, 'headers'>, token: string): boolean {
  const [, given = ''] = /^Bearer +(\S+)$/i.exec(headers.authorization ?? '') ?? [];
  return timingSafeEqual(hash('sha256', given, 'buffer'), hash('sha256', token, 'buffer'));
}

/** What is to be answered however many wait: never what just anyone asks. */
export function isScrape(request: IncomingMessage, basePath: string, token: string | undefined): boolean {
  return (
    token !== undefined && ADDRESS.test(withoutBase(request.url ?? '', basePath)) && hasToken(request, token)
  );
}
