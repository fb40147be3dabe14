/** A page that a browser has is not made again: by the page's tag it asks whether that still holds (RFC 9110, 13.1.2). */
import { hash } from 'node:crypto';
import type { FastifyReply } from 'fastify';
import { isFlashWaiting } from './flash.ts';

/**
 * Whether the browser has the page as it is now, so that 304 is all there is to say; else the page gets a tag. Call it before
 * anything is read that the revision stands for. @param made what the page is made of, beside its address and who is signed in
 */
export function isNotModified(
  reply: FastifyReply,
  made: { revision: number; [part: string]: unknown },
): boolean {
  const { session, url, headers, server } = reply.request;
  if (session === undefined || isFlashWaiting(reply.request)) return false;
  const { id, username, role } = session;
  const tag = `"${hash('sha256', JSON.stringify([server.startId, url, id, username, role, made]), 'base64url')}"`;
  // Weak, for compressed it is sent in other bytes.
  reply
    .header('etag', `W/${tag}`)
    .header('cache-control', 'private, no-cache')
    .header('vary', 'accept-encoding');
  return headers['if-none-match']?.includes(tag) ?? false;
}
