/** The page of one user: who they are, how they sign in, and what is known to have happened. */

import type { FastifyReply } from 'fastify';
import { isLastAdministrator } from '../auth/administrators.ts';
import { findLiveSessions } from '../auth/authenticate.ts';
import { type Credentials, findCredentials } from '../auth/credentials.ts';
import { mayManage, maySeeAccess, maySeeMinutes, maySignIn } from '../auth/policy.ts';
import { MOST_FAILURES } from '../auth/second-factor.ts';
import { readRevision } from '../db/revision.ts';
import type { User } from '../db/schema.ts';
import { describeEntries, visibilityFor } from '../history/descriptions.ts';
import { readTimeline, type TimelineCursor } from '../history/timeline.ts';
import { answerNotModified } from '../http/etag.ts';
import type { Access, Managed } from '../http/views.ts';
import { findLink } from '../invitations/queries.ts';
import { DAY, startOfMinute } from '../lib/clock.ts';
import { lastDay, parseAsOf, showAsOf } from './as-of.ts';
import { showDeleted } from './deleted.ts';
import { isFleeting } from './list/filter.ts';
import { nearestPage } from './list/page.ts';
import { findUser } from './queries.ts';
import { type Request, seenListBefore, userIdFrom } from './request.ts';

const SHOWN = 10;

export async function show(request: Request, reply: FastifyReply) {
  const { reader: db, query, actor } = request;
  const now = request.server.clock();
  const asked = query.at ? parseAsOf(query.at, now) : undefined;
  if (asked?.kind === 'moment') return showAsOf(request, reply, asked);
  const revision = await readRevision(db);
  const user = await findUser(db, userIdFrom(request));
  if (user === undefined) return showDeleted(request, reply, asked ? { wrongDay: asked.error } : {});
  const list = await seenListBefore(request);
  const access = await accessOf(request, user);
  const made = { revision, access, minute: startOfMinute(now), lastDay: lastDay(now) };
  if (!asked && !isFleeting(list) && answerNotModified(reply, made)) return reply;
  const from = await nearestPage(db, list);
  const seesAccess = actor !== undefined && maySeeAccess(actor, user.id);
  const place = parseTimelineCursor(query.earlier);
  const seesAll = actor !== undefined && mayManage(actor);
  const options = { from: place, limit: SHOWN, seesAccess, seesAll };
  const { entries, ...timeline } = await readTimeline(db, user, options);
  const rows = await describeEntries(db, entries, user.id, visibilityFor(actor));
  const canSend = request.server.mailer !== undefined;
  const shown = {
    user,
    from,
    access,
    canSend,
    timeline: { ...timeline, entries: rows },
    isEarlier: place !== undefined,
  };
  return reply.render('users/show', { ...shown, lastDay: made.lastDay, wrongDay: asked }, asked ? 422 : 200);
}

function parseTimelineCursor(typed = ''): TimelineCursor | undefined {
  const [, version, at, id] = /^(\d{1,15})\.(\d{1,16})\.(\d{1,15})$/.exec(typed) ?? [];
  return version === undefined ? undefined : { version: Number(version), at: Number(at), id: Number(id) };
}

export async function accessOf(request: Request, user: User): Promise<Access | undefined> {
  const { reader, actor } = request;
  if (user.role === 'member' || !actor) return undefined;
  const credentials = await findCredentials(reader, user.id);
  const at = credentials?.last_sign_in_at ?? null;
  return {
    lastSignIn: at !== null && !maySeeMinutes(actor) ? at - (at % DAY) : at,
    managed: mayManage(actor) ? await managedOf(request, user, credentials) : undefined,
  };
}

async function managedOf(
  { reader, server }: Request,
  user: User,
  credentials: Credentials | undefined,
): Promise<Managed> {
  const hasSecondFactor = credentials?.code_secret != null;
  return {
    passwordSetAt: credentials?.changed_at,
    hasSecondFactor,
    isSecondFactorLocked: hasSecondFactor && credentials.code_failures >= MOST_FAILURES,
    isLastAdministrator: await isLastAdministrator(reader, user.id),
    sessions: maySignIn(user) ? await findLiveSessions(reader, server, user.id) : [],
    link: await findLink(reader, user.id, server.clock()),
  };
}
