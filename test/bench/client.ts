/** One person who asks a server one thing after the other, on one connection that stays open. */
import { Agent, get } from 'node:http';
import { SIGNED_IN } from './session.ts';

/** `time` is from sending the request to the end of the answer, in milliseconds. */
export type Asked = { status: number; html: string; time: number };

export type Client = { ask(path: string): Promise<Asked>; close(): void };

const PATIENCE = 30_000;

export function connect(origin: string): Client {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  return {
    ask(path) {
      const { promise, resolve, reject } = Promise.withResolvers<Asked>();
      const sent = performance.now();
      const request = get(origin + path, { agent, timeout: PATIENCE, headers: SIGNED_IN }, (response) => {
        const { statusCode: status = 0 } = response;
        let html = '';
        response.setEncoding('utf8');
        response.on('data', (part: string) => {
          html += part;
        });
        response.once('end', () => resolve({ status, html, time: performance.now() - sent }));
        response.once('error', reject);
      });
      request.once('error', reject);
      request.once('timeout', () => request.destroy(new Error(`${path} is not answered.`)));
      return promise;
    },
    close: () => agent.destroy(),
  };
}
