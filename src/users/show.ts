/** The page of one user: who they are, how they sign in, and what is known to have happened. */

import type { FastifyReply } from 'fastify';
import { isLastAdministrator } from '../auth/administrators.ts';
import { findLiveSessions } from '../auth/authenticate.ts';
import { type Credentials, findCredentials } from '../auth/credentials.ts';
import { mayManage, maySeeMinutes, maySignIn } from '../auth/policy.ts';
import { MOST_FAILURES } from '../auth/second-factor.ts';
import type { User } from '../db/schema.ts';
import type { Access, Managed } from '../http/views.ts';
import { findLink } from '../invitations/queries.ts';
import { DAY } from '../lib/clock.ts';
import { nearestPage } from './list/page.ts';
import { getUser } from './queries.ts';
import { listBefore, type Request, userIdFrom } from './request.ts';

export async function show(request: Request, reply: FastifyReply) {
  const { db } = request.server;
  const user = await getUser(db, userIdFrom(request));
  const from = await nearestPage(db, listBefore(request));
  return reply.render('users/show', { user, from, access: await accessOf(request, user) });
}

/** Undefined for members, who have none. */
export async function accessOf(request: Request, user: User): Promise<Access | undefined> {
  const { server, actor } = request;
  if (user.role === 'member' || !actor) return undefined;
  const credentials = await findCredentials(server.db, user.id);
  const at = credentials?.last_sign_in_at ?? null;
  return {
    lastSignIn: at !== null && !maySeeMinutes(actor) ? at - (at % DAY) : at,
    managed: mayManage(actor) ? await managedOf(request, user, credentials) : undefined,
  };
}

async function managedOf(
  { server }: Request,
  user: User,
  credentials: Credentials | undefined,
): Promise<Managed> {
  const hasSecondFactor = credentials?.code_secret != null;
  return {
    passwordSetAt: credentials?.changed_at,
    hasSecondFactor,
    isSecondFactorLocked: hasSecondFactor && credentials.code_failures >= MOST_FAILURES,
    isLastAdministrator: await isLastAdministrator(server.db, user.id),
    sessions: maySignIn(user) ? await findLiveSessions(server, user.id) : [],
    link: await findLink(server.db, user.id, server.clock()),
  };
}
