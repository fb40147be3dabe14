/** The page that asks before something is done to many users. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { authorize } from '../auth/actor.ts';
import { open, seal } from '../auth/tokens.ts';
import { SignedOutError } from '../errors.ts';
import { abortSignalOf } from '../http/client-gone.ts';
import type { Fields } from '../lib/forms.ts';
import { parseSelection, type Selection, selectionAddress, tickedAddress } from '../users/list/selection.ts';
import { ACTS, type Act, parseAct } from './acts.ts';
import type { Drift } from './drift.ts';
import { planBulk, type Seen } from './plan.ts';

export type Request = FastifyRequest<{ Querystring: Fields }>;

export type Asked = { act: Act; selection: Selection };

/** @throws NotFoundError, ForbiddenError */
export function readAsked({ query, server, actor }: Request): Asked {
  const act = parseAct(query.do);
  authorize(actor, ACTS[act.do].may);
  return { act, selection: parseSelection(query, server.clock()) };
}

/** `seen`: what was sealed when it was first shown, and is not confirmed yet; `role`: the one that was chosen by then. */
type Shown = {
  drift?: Drift | undefined;
  error?: string | undefined;
  seen?: string | undefined;
  role?: string | undefined;
  status?: number;
};

export async function ask(
  request: Request,
  reply: FastifyReply,
  { act, selection }: Asked,
  { drift, error, seen, role, status = 200 }: Shown = {},
) {
  const gone = abortSignalOf(reply.raw);
  const plan = await planBulk({ ...asking(request), gone }, act, selection);
  const sealed = seen ?? seal(request.server.secretKey, purposeOf(request, act, selection), plan.seen);
  const shown = {
    plan,
    list: selection.list,
    back: tickedAddress(selection),
    address: addressOf(act, selection),
    seen: sealed,
    drift,
    error,
    role,
  };
  return reply.render('bulk/show', shown, status);
}

/** Undefined for what was not shown to whoever sends it, or for something else. */
export function openSeen(request: Request, { act, selection }: Asked, sealed = ''): Seen | undefined {
  return open(request.server.secretKey, purposeOf(request, act, selection), sealed) as Seen | undefined;
}

export function asking({ reader: db, server: { stopwatch }, actor }: Request) {
  if (actor === undefined) throw new SignedOutError('Nobody asks.');
  return { db, stopwatch, actor };
}

function addressOf(act: Act, selection: Selection): string {
  return selectionAddress('/bulk', selection, [['do', act.do]]);
}

function purposeOf({ actor }: Request, act: Act, selection: Selection): string {
  return `bulk change by ${actor?.user?.id}: ${addressOf(act, selection)}`;
}
