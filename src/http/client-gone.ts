/** Whether whoever asked has gone away, so that nothing more is done for them. */
import type { ServerResponse } from 'node:http';

/** Aborted once the connection is closed: also where that was before anybody listened. */
export function abortSignalOf(response: ServerResponse): AbortSignal {
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  if (response.destroyed) gone.abort();
  return gone.signal;
}
