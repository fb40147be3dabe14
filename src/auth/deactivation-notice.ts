/** Whether someone was signed in until their account was deactivated: they are told so, not just asked to sign in. */
import type { FastifyRequest } from 'fastify';
import { findUser } from '../users/queries.ts';
import { readCookie, sessionCookie } from './cookie.ts';
import { lastUserOn } from './device-cookie.ts';

/** For a browser that is not signed in: of its session nothing is left but the cookie. */
export async function isDeactivated(request: FastifyRequest): Promise<boolean> {
  const { server, expired } = request;
  const id = lastUserOn(request);
  if (expired || id === undefined || !readCookie(request, sessionCookie(server))) return false;
  return (await findUser(server.db, id))?.is_active === false;
}
