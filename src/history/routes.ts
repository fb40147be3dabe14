/** The addresses of history: everyone's change sets, and one of them. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { allow } from '../auth/access.ts';
import type { Actor } from '../auth/actor.ts';
import { mayManage, mayRead, maySeeAccess, maySeeDeleted } from '../auth/policy.ts';
import { showErasure } from '../erasure/progress.ts';
import { findErasure } from '../erasure/queries.ts';
import { fromIn } from '../http/return-list.ts';
import { FORGOTTEN, findJobOfSet, mayGoOn } from '../jobs/queries.ts';
import type { Fields } from '../lib/forms.ts';
import { parseFrom } from '../users/list/address.ts';
import { type HistoryState, historyAddress, parseHistory, timesOf } from './address.ts';
import { describeSets, getSeenSet, personOf, seenFields, visibilityFor } from './descriptions.ts';
import { fateOf } from './fields.ts';
import { isAboutAccess, KINDS, type Kind } from './kinds.ts';
import { readHistory } from './list.ts';
import { resolvePersonFilters } from './person-filters.ts';
import { findChangeSet, findChangesInSet, findNames } from './queries.ts';

const PER_PAGE = 50;
/** These do not say of themselves what became of each. */
const SEVERAL: ReadonlySet<number> = new Set([KINDS.imported, KINDS.changed]);
/** What stands beside something else is found with that. */
const ALL_KINDS = (Object.keys(KINDS) as Kind[]).filter((kind) => kind !== 'role' && kind !== 'own role');

export function historyRoutes(app: FastifyInstance): void {
  app.get('/history', allow(mayRead), showHistory);
  app.get('/history/:id', allow(mayRead), showSet);
}

type Request = FastifyRequest<{ Params: { id: string }; Querystring: Fields }>;

async function showHistory({ reader: db, query, actor }: Request, reply: FastifyReply) {
  const { state, cursor, notices } = parseHistory(query);
  const isEmpty = Object.entries(query).some(([name, value]) => name in state && value === '');
  if (isEmpty && notices.length === 0) return reply.redirect(historyAddress(state), 302);
  const people = await resolvePersonFilters(db, state, actor !== undefined && maySeeDeleted(actor));
  notices.push(...people.notices);
  const filter = {
    ...seenKinds(actor, state, people.user),
    actorId: people.by,
    userId: people.user,
    ...timesOf(state),
  };
  const page = await readHistory(db, filter, cursor, PER_PAGE);
  if (cursor && page.sets.length === 0 && people.user === undefined)
    return reply.redirect(historyAddress(state), 302);
  const rows = await describeSets(db, page.sets, visibilityFor(actor));
  return reply.render('history/list', { state, rows, page, notices, unknown: people.unknown });
}

/** Of those that were asked for. Access is seen of everyone by administrators, and of themselves by all others. */
function seenKinds(actor: Actor | undefined, { kind }: HistoryState, user: number | undefined) {
  const asked: Kind[] = kind === 'access' ? ['access', 'role'] : kind ? [kind] : ALL_KINDS;
  if (!asked.includes('access') || (actor && mayManage(actor))) return { kinds: asked };
  const kinds = asked.filter((one) => !isAboutAccess(one));
  const id = user ?? actor?.user?.id;
  if (actor === undefined || id === undefined || !maySeeAccess(actor, id)) return { kinds };
  return { kinds, own: { id, kinds: [...asked, 'own role' as const] } };
}

async function showSet({ reader: db, server, params, query, actor }: Request, reply: FastifyReply) {
  const row = await getSeenSet(db, params.id, actor);
  const after = parseAfter(query.after);
  const changes = await findChangesInSet(db, row.set.id, after, PER_PAGE + 1);
  const visibility = visibilityFor(actor);
  const shown = changes.slice(0, PER_PAGE);
  const ids = shown.map(({ user_id }) => user_id);
  const names = await findNames(db, ids, visibility.seesDeleted);
  const lines = shown.map((change) => ({
    whom: personOf(change.user_id, names),
    fields: seenFields(change, names, visibility),
    fate: SEVERAL.has(row.set.kind) ? fateOf(change) : undefined,
  }));
  const next = changes.length > PER_PAGE ? shown.at(-1) : undefined;
  const job = await findJobOfSet(db, row.set.id);
  // It shows how far the job has come, without a script.
  if (job?.state === 'running') reply.header('refresh', '2');
  // What lies beside the database is for those who see it at whoever was erased.
  const isErasure = row.set.kind === KINDS.erased && visibility.seesDeleted;
  const erasure = isErasure && row.whom ? await findErasure(db, row.whom.id) : undefined;
  const leftOut = JSON.parse(job?.notes ?? '[]') as number[];
  const actorId = job?.actor_id ?? null;
  const namesInJob = await findNames(db, [...leftOut, actorId], visibility.seesDeleted);
  return reply.render('history/change-set', {
    row,
    lines,
    next,
    isFirst: after.user_id === 0,
    job,
    mayGoOn: job?.state === 'stopped' && (await mayGoOn(db, row.set, job)),
    isForgotten: job?.state === 'stopped' && job.params === FORGOTTEN,
    isOfOne: row.set.undoes !== null && (await findChangeSet(db, row.set.undoes))?.users === 1,
    erased: erasure && showErasure(reply, erasure),
    from: fromIn(query),
    list: query.from === undefined ? undefined : parseFrom(query, server.clock()),
    leftOut: leftOut.map((id) => personOf(id, namesInJob)),
    goneOnBy: actorId === row.set.actor_id ? undefined : personOf(actorId, namesInJob),
  });
}

function parseAfter(typed = ''): { user_id: number; version: number } {
  const [, user_id = 0, version = 0] = /^(\d{1,15})\.(\d{1,15})$/.exec(typed) ?? [];
  return { user_id: Number(user_id), version: Number(version) };
}
