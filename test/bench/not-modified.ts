/** What it costs to say that a page which a browser has still holds (304), beside making it. */
import { ask, type Request } from './answers.ts';
import { type Load, loadInTurns } from './load.ts';
import { PLAIN } from './named-queries.ts';
import type { Server } from './servers.ts';

export type NotModified = { page: string; made: Load; notModified: Load };

/** The list of an administrator, which tells them what else there is to do, and another page of it. */
const PAGES = [PLAIN, '/users?page=2'];

/** @param seconds for each of both */
export async function measureNotModified(
  server: Pick<Server, 'origin' | 'cpuTime'>,
  seconds: number,
): Promise<NotModified[]> {
  const measured: NotModified[] = [];
  for (const path of PAGES) {
    const page: Request = { method: 'GET', path };
    const { etag } = (await ask(server.origin, page)).headers;
    if (etag === undefined) throw new Error(`${path} has no tag.`);
    const again = { ...page, headers: { 'if-none-match': etag } };
    const loads = await loadInTurns(
      {
        made: { server, name: path, status: 200, request: () => page },
        notModified: { server, name: `${path} again`, status: 304, request: () => again },
      },
      seconds,
    );
    measured.push({ page: path, ...loads });
  }
  return measured;
}
