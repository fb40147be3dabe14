/** Someone who asks a proxy, from an address of their own, with what a browser sends along and keeps. */
import { once } from 'node:events';
import { Agent, type ClientRequest, type IncomingMessage, request } from 'node:http';
import { Agent as TlsAgent, request as tlsRequest } from 'node:https';
import { buffer } from 'node:stream/consumers';
import { onTestFinished } from 'vitest';
import { PASSWORD } from '../people.ts';
import { HOST, type Running } from './start.ts';

type Asked = { method?: string; headers?: Record<string, string>; body?: string | Buffer };
export type Answer = { status: number; headers: IncomingMessage['headers']; body: Buffer };

export class Browser {
  readonly #proxy: Pick<Running, 'https'>;
  readonly #agent: TlsAgent;
  readonly cookies = new Map<string, string>();

  /** @param from an address of this machine, by which a proxy knows its client */
  constructor(proxy: Pick<Running, 'https'>, from = '127.0.0.2') {
    this.#proxy = proxy;
    this.#agent = new TlsAgent({ keepAlive: true, localAddress: from, rejectUnauthorized: false });
    onTestFinished(() => this.#agent.destroy());
  }

  async open(path: string, { body = '', ...asked }: Asked = {}): Promise<IncomingMessage> {
    const asking = this.#ask(path, asked);
    return this.#answerTo(asking.end(body));
  }

  /** Sends no more than this of what has been promised. */
  async stall(path: string, { body = '', ...asked }: Asked): Promise<Answer> {
    const asking = this.#ask(path, asked);
    asking.write(body);
    const answer = await whole(await this.#answerTo(asking));
    asking.destroy();
    return answer;
  }

  #ask(path: string, { method = 'GET', headers = {} }: Omit<Asked, 'body'>): ClientRequest {
    return tlsRequest({
      agent: this.#agent,
      host: '127.0.0.1',
      port: this.#proxy.https,
      servername: HOST,
      path,
      method,
      headers: {
        host: HOST,
        'accept-language': 'en',
        'sec-fetch-site': 'same-origin',
        cookie: [...this.cookies].map((pair) => pair.join('=')).join('; '),
        ...headers,
      },
    });
  }

  async #answerTo(asking: ClientRequest): Promise<IncomingMessage> {
    const [answer] = (await once(asking, 'response')) as [IncomingMessage];
    for (const cookie of answer.headers['set-cookie'] ?? []) this.#keep(cookie);
    return answer;
  }

  async get(path: string, headers: Record<string, string> = {}): Promise<Answer> {
    return whole(await this.open(path, { headers }));
  }

  async post(
    path: string,
    fields: Record<string, string>,
    headers: Record<string, string> = {},
  ): Promise<Answer> {
    const body = `${new URLSearchParams(fields)}`;
    const type = { 'content-type': 'application/x-www-form-urlencoded', 'content-length': `${body.length}` };
    return whole(await this.open(path, { method: 'POST', headers: { ...type, ...headers }, body }));
  }

  async signIn(base = ''): Promise<Answer> {
    return this.post(`${base}/sign-in`, { username: 'ann', password: PASSWORD });
  }

  #keep(cookie: string): void {
    const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(cookie) ?? [];
    if (/; Max-Age=0/i.test(cookie)) this.cookies.delete(name);
    else this.cookies.set(name, value);
  }
}

/** By http, as whoever types the address without https. */
export async function askPlainly(
  { http }: Pick<Running, 'http'>,
  path: string,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const options = {
    host: '127.0.0.1',
    port: http,
    path,
    agent: new Agent(),
    headers: { host: HOST, ...headers },
  };
  const [answer] = (await once(request(options).end(), 'response')) as [IncomingMessage];
  return whole(answer);
}

async function whole(answer: IncomingMessage): Promise<Answer> {
  return { status: answer.statusCode ?? 0, headers: answer.headers, body: await buffer(answer) };
}
