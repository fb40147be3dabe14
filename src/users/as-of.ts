/** A user as they were at some time: `/users/7?at=2026-01-31`, which is the end of that day, or a moment of it. */
import type { FastifyReply } from 'fastify';
import { maySeeAccess, maySeeDeleted } from '../auth/policy.ts';
import { NotFoundError } from '../errors.ts';
import { findDeleted } from '../history/deleted-queries.ts';
import { unpackValues } from '../history/fields.ts';
import { readStateAt } from '../history/state-at.ts';
import { DAY, HOUR } from '../lib/clock.ts';
import { isoDate, parseDay } from '../lib/days.ts';
import { quotable } from '../lib/text.ts';
import { findUser } from './queries.ts';
import { listBefore, type Request, userIdFrom } from './request.ts';

type Moment = { from: number; to: number };
type ParsedAsOf = ({ kind: 'moment' } & Moment) | { kind: 'wrong'; typed: string; error: string };

/** Where it is this day first, it is so many hours before UTC. */
const EARLIEST = 14 * HOUR;

/** The last day that has begun, somewhere. */
export function lastDay(now: number): string {
  return isoDate(now + EARLIEST);
}

/** @param typed in an address, or in the form of a user’s page, which says what is wrong with it */
export function parseAsOf(typed: string, now: number): ParsedAsOf {
  const moment = parseMoment(typed);
  // A field for a day takes nothing else.
  const day = parseDay(typed) === undefined ? '' : typed;
  const wrong = (error: string) => ({ kind: 'wrong', typed: day, error }) as const;
  if (moment === undefined)
    return wrong(`“${quotable(typed)}” is no time: it can be 2026-01-31 or 2026-01-31T14:00Z.`);
  if (moment.from - EARLIEST > now) return wrong(`“${quotable(typed)}” is still to come.`);
  return { kind: 'moment', ...moment };
}

export async function showAsOf(request: Request, reply: FastifyReply, moment: Moment) {
  const { reader: db } = request;
  const id = userIdFrom(request);
  const seesDeleted = request.actor !== undefined && maySeeDeleted(request.actor);
  const now = request.server.clock();
  const at = Math.min(moment.to, now);
  const today = (await findUser(db, id)) ?? (seesDeleted ? await findDeleted(db, id) : undefined);
  if (today === undefined) throw new NotFoundError(`There is no user ${id}.`);
  const state = await readStateAt(db, today, at);
  const isDeleted = 'fields' in today;
  const user = isDeleted ? { id, ...unpackValues(today.fields) } : today;
  const seesAccess = isDeleted || (request.actor !== undefined && maySeeAccess(request.actor, id));
  return reply.render('users/as-of', {
    user,
    from: listBefore(request),
    at,
    isNow: at === now,
    state,
    seesAccess,
  });
}

/** In UTC, as it stands in the address. */
function parseMoment(typed: string): Moment | undefined {
  const day = parseDay(typed);
  if (day !== undefined) return { from: day, to: day + DAY - 1 };
  const isMoment = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,3})?)?Z$/.test(typed);
  const at = isMoment ? Date.parse(typed) : Number.NaN;
  // There is no 31 February.
  const isThere = !Number.isNaN(at) && new Date(at).toISOString().startsWith(typed.slice(0, 16));
  return isThere ? { from: at, to: at } : undefined;
}
