/** Files on their way out and in, at this moment. */
import { finished } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import { type Family, gauge } from './families.ts';

const EXPORT = 'GET /export/file';
const UPLOAD = 'POST /import';

export function watchTransfers(app: FastifyInstance): () => Family[] {
  const underWay: Record<string, number> = { [EXPORT]: 0, [UPLOAD]: 0 };
  app.addHook('onRequest', (request, reply, done) => {
    const route = `${request.method} ${request.routeOptions.url}`;
    const before = underWay[route];
    if (before !== undefined) {
      underWay[route] = before + 1;
      finished(reply.raw, () => {
        underWay[route] = (underWay[route] ?? 0) - 1;
      });
    }
    done();
  });
  return () => [
    gauge('roster_exports_in_flight', 'Exports that are being sent.', underWay[EXPORT]),
    gauge('roster_uploads_in_flight', 'Files that are being brought to be imported.', underWay[UPLOAD]),
  ];
}
