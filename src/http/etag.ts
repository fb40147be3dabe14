/** A page that a browser has is not made again: by the page's tag it asks whether that still holds (RFC 9110, 13.1.2). */
import { hash } from 'node:crypto';
import type { FastifyReply } from 'fastify';
import { isFlashWaiting } from './flash.ts';

/** @param made what the page is made of beside its address and who is signed in; its revision was read before all that it stands for */
export function answerNotModified(
  reply: FastifyReply,
  made: { revision: number; [part: string]: unknown },
): boolean {
  const { session, url, headers, server } = reply.request;
  if (session === undefined || isFlashWaiting(reply.request)) return false;
  // The start stands for the code: the processes of one Roster share it, and each other Roster, an upgraded one among them, has its own.
  const parts = [server.startId, url, session.id, session.username, session.role, made];
  const tag = `"${hash('sha256', JSON.stringify(parts), 'base64url')}"`;
  // Weak, for compressed it is sent in other bytes.
  reply
    .header('etag', `W/${tag}`)
    .header('cache-control', 'private, no-cache')
    .header('vary', 'accept-encoding');
  const isKept = headers['if-none-match']?.includes(tag) ?? false;
  if (isKept) void reply.code(304).send();
  return isKept;
}
