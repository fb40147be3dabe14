/** The page with the list. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { mayManage } from '../../auth/policy.ts';
import { readRevision } from '../../db/revision.ts';
import type { Count } from '../../db/user-counts.ts';
import { TooBroadError } from '../../errors.ts';
import { answerNotModified } from '../../http/etag.ts';
import { shownProxyProblems } from '../../http/proxy-problems.ts';
import { isShort } from '../../http/safe-redirect.ts';
import { refuseUnseenImport } from '../../imports/commands.ts';
import { Deadline } from '../../lib/deadline.ts';
import { number } from '../../lib/formats.ts';
import type { Fields } from '../../lib/forms.ts';
import { countPages, type Total } from '../../lib/pagination.ts';
import { findNotices } from '../../maintenance/notice.ts';
import { firstStepsFor } from '../../setup/first-steps.ts';
import { readCounts, sumByStatus } from '../counts.ts';
import { hasEmptyField, listAddress, parseList } from './address.ts';
import { isFleeting } from './filter.ts';
import { PATIENCE_MS, resolveFilter } from './filter-result.ts';
import { readPage } from './page.ts';
import { planCount, planRows } from './plan.ts';
import { parseTicks } from './selection.ts';
import type { ListState } from './state.ts';

const PROXY_PROBLEM = 'The proxy before Roster is not set up as it should be.';

type Request = FastifyRequest<{ Querystring: Fields }>;

export async function showList(request: Request, reply: FastifyReply) {
  const { reader: db, server, query, log } = request;
  const { stopwatch, clock, config } = server;
  const { list, notices, wrongPage } = parseList(query, clock());
  // A form sends its empty fields too; the address of the list is short.
  if (hasEmptyField(query) && notices.length === 0 && isShort(listAddress(list), config.origin))
    return reply.redirect(listAddress(list), 302);
  await refuseUnseenImport(db, request.actor, list);
  const revision = await readRevision(db);
  const counts = await readCounts(db);
  const everyone = countEveryone(counts);
  const hints = await findHints(request, list, counts, revision);
  if (!isFleeting(list) && answerNotModified(reply, { revision, ...hints })) return reply;
  const ticked = parseTicks(query);
  const shown = { counts: sumByStatus(counts, list.role), everyone, notices, ticked, ...hints };
  try {
    const plan = planCount(list, counts);
    log.debug({ plan }, 'how users are counted');
    const result = await resolveFilter(db, list, { plan, deadline: Deadline.in(PATIENCE_MS, stopwatch) });
    const rowsPlan = planRows(list, result);
    log.debug({ plan: rowsPlan }, 'how the page is found');
    const found = await readPage(db, list, result, rowsPlan);
    if (found === undefined) return await showNoSuchPage(reply, list, result.total, notices);
    return await reply.render('users/list', { ...shown, ...found, terms: result.terms, wrongPage });
  } catch (error) {
    if (!(error instanceof TooBroadError)) throw error;
    const terms = list.q?.terms ?? [];
    return reply.render('users/list', { ...shown, list, page: undefined, terms }, 422);
  }
}

/** What is left to do, and warnings: not before whoever searches or pages. */
async function findHints(request: Request, list: ListState, counts: readonly Count[], revision: number) {
  const isPlain = countEveryone(counts) === 0 || listAddress(list) === '/users';
  const firstSteps = isPlain ? await firstStepsFor(request, counts, revision) : undefined;
  const isWarned = isPlain && request.actor !== undefined && mayManage(request.actor);
  return { firstSteps, warnings: isWarned ? await findWarnings(request) : [] };
}

async function findWarnings({ reader, server }: Request): Promise<string[]> {
  const notices = await findNotices(reader, server.config, server.clock());
  return shownProxyProblems(server).length === 0 ? notices : [...notices, PROXY_PROBLEM];
}

function countEveryone(counts: readonly Count[]): number {
  return counts.reduce((sum, { count }) => sum + count, 0);
}

async function showNoSuchPage(reply: FastifyReply, list: ListState, total: Total, notices: string[]) {
  const isBefore = list.page < 1;
  const nearest = isBefore || !total.isExact ? 1 : Math.max(1, countPages(total.count, list.perPage));
  const page = number.format(nearest);
  const end = total.isExact ? `The list ends at page ${page}.` : 'The list ends before that page.';
  const sentence = isBefore ? 'The first page is page 1.' : end;
  const link = { href: listAddress(list, { page: nearest }), text: `Go to page ${page}` };
  return reply.renderError({ title: 'There is no such page', sentence, link, notices }, 404);
}
