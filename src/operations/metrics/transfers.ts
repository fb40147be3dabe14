/** Files on their way out and in, at this moment. */
import { finished } from 'node:stream';
import type { FastifyInstance, onRequestHookHandler, RouteOptions } from 'fastify';
import { type Family, gauge } from './families.ts';

/** Call it before these routes are made: no other is held up by the counting. */
export function watchTransfers(app: FastifyInstance): () => Family[] {
  const exports = new UnderWay();
  const uploads = new UnderWay();
  app.addHook('onRoute', (route) => {
    if (route.url === '/export/file' && isBy(route, 'GET')) countAt(route, exports);
    if (route.url === '/import' && isBy(route, 'POST')) countAt(route, uploads);
  });
  return () => [
    gauge('roster_exports_in_flight', 'Exports that are being sent.', exports.count),
    gauge('roster_uploads_in_flight', 'Files that are being brought to be imported.', uploads.count),
  ];
}

class UnderWay {
  count = 0;

  /** The last of the hooks, so that none is counted who may not. */
  readonly hook: onRequestHookHandler = (_request, reply, done) => {
    this.count++;
    finished(reply.raw, () => {
      this.count--;
    });
    done();
  };
}

function isBy({ method }: RouteOptions, wanted: string): boolean {
  return [method].flat().join() === wanted;
}

function countAt(route: RouteOptions, { hook }: UnderWay): void {
  route.onRequest = [route.onRequest ?? [], hook].flat();
}
