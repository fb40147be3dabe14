/** The sentence that a change leaves behind, and how to undo it: shown once, on the next page, to the person who made it. */

import fastifyCookie from '@fastify/cookie';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { cookieOf } from '../auth/cookie.ts';
import { open, seal } from '../auth/tokens.ts';
import type { Config } from '../config.ts';
import { plain } from '../lib/text.ts';

const MAX_AGE_SECONDS = 120;

declare module 'fastify' {
  interface FastifyReply {
    /** Answers a change: 303 to `address`, with the sentence as body and as flash message of the next page. @param undo the change set */
    seeOther(address: string, sentence?: string, undo?: number): FastifyReply;
    seeInstead(address: string, sentence: string): FastifyReply;
  }
}

/** `undo`: the change set that a button beside the sentence undoes; `isNothing`: nothing was changed. */
export type Flash = { sentence: string; undo?: number | undefined; isNothing?: boolean };

export async function addFlash(app: FastifyInstance, config: Config): Promise<void> {
  const { name, options } = cookieOf({ config, cookieMark: app.cookieMark }, 'flash', MAX_AGE_SECONDS);
  await app.register(fastifyCookie);
  const send = (reply: FastifyReply, address: string, flash: Flash) => {
    const { sentence } = flash;
    // Sealed, so that what another host of the same domain plants is not taken for Roster's words.
    if (sentence) reply.setCookie(name, seal(app.secretKey, 'flash', flash), options);
    reply.header('cache-control', 'no-store').type('text/plain; charset=utf-8');
    return reply
      .code(303)
      .header('location', address)
      .send(sentence && `${plain(sentence)}\n`);
  };
  app.decorateReply('seeOther', function (this: FastifyReply, address: string, sentence = '', undo?: number) {
    return send(this, address, { sentence, undo });
  });
  app.decorateReply('seeInstead', function (this: FastifyReply, address: string, sentence: string) {
    return send(this, address, { sentence, isNothing: true });
  });
}

export function isFlashWaiting({ cookies, server }: Pick<FastifyRequest, 'cookies' | 'server'>): boolean {
  return cookies[cookieOf(server, 'flash', 0).name] !== undefined;
}

/** What waits for this request's page, which uses it up; what nobody looks at leaves it for the next one. */
export function takeFlash(reply: FastifyReply): Flash | undefined {
  const { headers, cookies, method, server } = reply.request;
  const { name, options } = cookieOf(server, 'flash', 0);
  const sealed = cookies?.[name];
  const isPrefetch = /prefetch/i.test(`${headers['sec-purpose'] ?? headers.purpose}`);
  const isPage = (headers['sec-fetch-dest'] ?? 'document') === 'document';
  if (!sealed || method === 'HEAD' || isPrefetch || !isPage) return undefined;
  reply.clearCookie(name, options);
  return open(server.secretKey, 'flash', sealed) as Flash | undefined;
}
