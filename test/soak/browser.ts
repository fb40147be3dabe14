/** The browser of one person: cookies, one connection, an address of its own, and how long each answer took. */
import { Agent, type IncomingMessage, request } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { newToken } from '../../src/auth/tokens.ts';
import { type File, multipart } from '../imports/multipart.ts';

export type Answer = { status: number; location: string; body: string };

export type Kind = 'page' | 'write' | 'work';
/** Is told what was asked, and the milliseconds that it took. */
export type Timed = (kind: Kind, milliseconds: number) => void;

const PATIENCE = 30_000;

export class Browser {
  readonly #origins: readonly string[];
  #asked = 0;
  readonly #address: string;
  readonly #timed: Timed;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });
  readonly #cookies = new Map<string, string>();

  /** @param origins asked in turns, where there are several */
  constructor(origins: string | readonly string[], address: string, timed: Timed = () => {}) {
    [this.#origins, this.#address, this.#timed] = [[origins].flat(), address, timed];
  }

  get(path: string, kind: Kind = 'page'): Promise<Answer> {
    return this.#ask(kind, 'GET', path);
  }

  /** A form as Roster's pages have them. @param fields with the key of a form that was sent before, to send it again */
  post(path: string, fields: Record<string, string> = {}, kind: Kind = 'write'): Promise<Answer> {
    const body = new URLSearchParams({ key: newToken(), ...fields }).toString();
    return this.#ask(kind, 'POST', path, { 'content-type': 'application/x-www-form-urlencoded' }, body);
  }

  postFile(path: string, file: File): Promise<Answer> {
    const { headers, body } = multipart({ key: newToken() }, file);
    return this.#ask('work', 'POST', path, headers, body);
  }

  /** What it is answered nobody reads. */
  async begin(path: string): Promise<IncomingMessage> {
    const answer = await this.#send('GET', path);
    // Once the connection is cut.
    return answer.on('error', () => {});
  }

  close(): void {
    this.#agent.destroy();
  }

  async #ask(
    kind: Kind,
    method: string,
    path: string,
    more = {},
    body: string | Buffer = '',
  ): Promise<Answer> {
    const sent = performance.now();
    const answer = await this.#send(method, path, more, body, AbortSignal.timeout(PATIENCE));
    const content = await buffer(answer);
    this.#timed(kind, performance.now() - sent);
    this.#keep(answer.headers['set-cookie']);
    const {
      statusCode: status = 0,
      headers: { location = '' },
    } = answer;
    return { status, location, body: content.toString() };
  }

  async #send(
    method: string,
    path: string,
    more = {},
    body: string | Buffer = '',
    signal?: AbortSignal,
  ): Promise<IncomingMessage> {
    const headers = {
      cookie: [...this.#cookies].map((cookie) => cookie.join('=')).join('; '),
      'sec-fetch-site': 'same-origin',
      'x-forwarded-for': this.#address,
      ...more,
    };
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    const asking = request(
      new URL(path, this.#origins[this.#asked++ % this.#origins.length]),
      { method, headers, agent: this.#agent, ...(signal && { signal }) },
      resolve,
    );
    asking.once('error', reject).end(body);
    return promise;
  }

  #keep(cookies: readonly string[] = []): void {
    for (const cookie of cookies) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(cookie) ?? [];
      if (value === '') this.#cookies.delete(name);
      else this.#cookies.set(name, value);
    }
  }
}
