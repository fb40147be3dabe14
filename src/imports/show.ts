/** `/imports/:id`: how far an import is, what it would do before anything is done, and what it has done. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { readRevision } from '../db/revision.ts';
import type { Db } from '../db/schema.ts';
import { describeSets, personOf, visibilityFor } from '../history/descriptions.ts';
import { findChangeSet, findNames } from '../history/queries.ts';
import { takeFlash } from '../http/flash.ts';
import type { Views } from '../http/views.ts';
import { notedOf } from '../jobs/failures.ts';
import { findJobOfSet, type Job } from '../jobs/queries.ts';
import type { Fields } from '../lib/forms.ts';
import { urlFor } from '../lib/url-for.ts';
import { offeredColumns } from './choices.ts';
import { getImport } from './commands.ts';
import { describeDifferences } from './differences.ts';
import { findFolder } from './folder.ts';
import { findFormerOfRows } from './former-names.ts';
import { findFormerValues } from './former-values.ts';
import { checkedOf, choicesOf, countToApply, howRead, totalsOf } from './json-columns.ts';
import { findAnotherUnderWay, findImport, type Import } from './queries.ts';
import { readStage, type StageReader } from './stage-reader.ts';
import { findTakingBack } from './take-back.ts';
import type { Totals } from './types.ts';
import { waitForJobs } from './upload-page.ts';
import { endOf, isOtherFile } from './words.ts';

const MOST_SHOWN = { refused: 10, examples: 3, differences: 10, left: 10, former: 10, doubtful: 10 };

/** So many rows are looked through, for whom they would create, and for what they would write. */
const MOST_LOOKED_AT = 1_000;
const ASKED_AGAIN_SECONDS = '2';
/** The first rows of a file are judged within a moment: a page that was too early would show them two seconds later. */
const LOOKS_FOR_FIRST = { times: 20, every: 50 };
const UNTIL = 'until';

export type Request = FastifyRequest<{ Params: { id: string }; Querystring: Fields }>;

export function addressOf(id: number): string {
  return `/imports/${id}`;
}

export function waitingFor(id: number): string {
  return `${addressOf(id)}?${UNTIL}=over`;
}

export async function showImport(request: Request, reply: FastifyReply) {
  const { server, params, query, actor } = request;
  const isWaiting = query[UNTIL] === 'over';
  if (isWaiting) await waitForJobs(server);
  const imported = await withFirstTotals(request, await getImport(server.db, params.id, actor));
  const { id, state, set_id } = imported;
  const takingBack = await findTakingBack(server.db, imported);
  if (takingBack && takingBack.state !== 'done') return showTakingBack(request, reply, imported, takingBack);
  const end = isWaiting ? endOf(imported, totalsOf(imported), takingBack?.left_out ?? 0) : undefined;
  // Its page says what differs, and not that it has begun.
  if (isWaiting && state === 'checked') {
    takeFlash(reply);
    return reply.seeOther(addressOf(id));
  }
  if (end !== undefined)
    return reply.seeOther(addressOf(id), end, state === 'done' ? (set_id ?? undefined) : undefined);
  if (state === 'reading' || state === 'confirmed' || state === 'applying')
    return showProgress(request, reply, imported);
  if (state === 'checked') return reply.render('imports/check', await check(request, imported));
  return reply.render('imports/result', await over(request, imported, takingBack));
}

async function withFirstTotals({ server }: Request, imported: Import): Promise<Import> {
  let found = imported;
  if (!isHere(server.config.importFolder, imported)) return found;
  for (let looks = 0; isToBegin(found) && looks < LOOKS_FOR_FIRST.times; looks++) {
    await sleep(LOOKS_FOR_FIRST.every);
    found = (await findImport(server.db, imported.id)) ?? found;
  }
  return found;
}

function isToBegin({ state, totals, failures }: Import): boolean {
  return state === 'reading' && totals === null && notedOf(failures) === 0;
}

function showTakingBack(request: Request, reply: FastifyReply, imported: Import, job: Job) {
  if (job.state === 'running') askAgain(request, reply, waitingFor(imported.id));
  return reply.render('imports/taking-back', { imported, job });
}

function askAgain({ url, server }: Request, reply: FastifyReply, again: string): void {
  reply.header(
    'refresh',
    again === url
      ? ASKED_AGAIN_SECONDS
      : `${ASKED_AGAIN_SECONDS}; url=${urlFor(server.config.origin, again)}`,
  );
}

async function showProgress(request: Request, reply: FastifyReply, imported: Import) {
  const { server } = request;
  const { id, state, set_id, lease_owner, failures } = imported;
  askAgain(request, reply, state === 'reading' ? addressOf(id) : waitingFor(id));
  const job = set_id === null ? undefined : await findJobOfSet(server.db, set_id);
  const hasFailed = notedOf(failures) > 0 || (job?.failures ?? 0) > 0;
  const isFree = lease_owner === null && !hasFailed;
  const totals = totalsOf(imported);
  const done = state === 'reading' ? (totals?.read ?? 0) : (job?.done ?? 0);
  const total = state === 'reading' ? undefined : totals && countToApply(totals);
  const other = isFree ? await findAnotherUnderWay(server.db, imported, server.clock()) : undefined;
  return reply.render('imports/progress', {
    imported,
    done,
    total,
    totals: state === 'reading' ? totals : undefined,
    isHere: isHere(server.config.importFolder, imported),
    hasFailed,
    waitsFor: other && (await waitedFor(request, other)),
  });
}

/** Whose file comes first, and how many of its rows have been looked at. */
async function waitedFor({ server, actor }: Request, { actor_id, state, totals }: Import) {
  const ids = actor_id === null ? [] : [actor_id];
  const names = await findNames(server.db, ids, visibilityFor(actor).seesDeleted);
  const read = state === 'reading' ? (totalsOf({ totals })?.read ?? 0) : 0;
  return { who: personOf(actor_id, names)?.name, isOwn: actor_id === actor?.user?.id, read };
}

async function check({ server, actor }: Request, imported: Import): Promise<Views['imports/check']> {
  const { how, totals } = checkedOf(imported);
  const found = readStage(findFolder(server.config.importFolder), imported, (stage) => rowsOf(stage, totals));
  const former = await findFormerOfRows(server.db, actor, found?.keys ?? []);
  const rows = found && {
    ...found,
    former: former.slice(0, MOST_SHOWN.former),
    moreFormer: Math.max(0, former.length - MOST_SHOWN.former),
    changed: await Promise.all(
      found.changed.map(async (row) => ({ ...row, former: await findFormerValues(server.db, actor, row) })),
    ),
    differences: await describeDifferences(server.db, actor, found.differences),
  };
  const isOutdated = imported.revision !== (await readRevision(server.db));
  const where = { isHere: isHere(server.config.importFolder, imported) };
  return { imported, how, totals, columns: offeredColumns(how.columns), rows, isOutdated, ...where };
}

function rowsOf(stage: StageReader, totals: Totals) {
  const { refused, examples, differences, doubtful } = MOST_SHOWN;
  return {
    refused: stage.refused(0, refused),
    created: stage.examples('created', examples),
    keys: stage.keysOf('created', MOST_LOOKED_AT),
    doubtful: totals.doubtful ? stage.doubtfulNames(MOST_LOOKED_AT).slice(0, doubtful) : [],
    changed: stage.examples('changed', examples),
    same: stage.examples('same', examples),
    differences: stage.differences(differences),
  };
}

async function over(
  { server, actor }: Request,
  imported: Import,
  takenBack: Job | undefined,
): Promise<Views['imports/result']> {
  const { db, config } = server;
  const how = howRead(imported);
  const refused = readStage(findFolder(config.importFolder), imported, (stage) => stage.refused(0, 1)) ?? [];
  return {
    imported,
    how,
    choices: choicesOf(imported),
    totals: totalsOf(imported),
    columns: how ? offeredColumns(how.columns) : [],
    row: await describe(db, imported, actor),
    hasRefused: refused.length > 0,
    left: takenBack ? await findLeft(db, takenBack, actor) : { count: 0, some: [] },
    isList: isList(imported),
  };
}

async function findLeft(db: Db, { left_out, notes }: Job, actor: Request['actor']) {
  const ids = (JSON.parse(notes) as number[]).slice(0, MOST_SHOWN.left);
  const names = await findNames(db, ids, visibilityFor(actor).seesDeleted);
  return { count: left_out, some: ids.flatMap((id) => personOf(id, names) ?? []) };
}

async function describe(db: Db, { set_id }: Import, actor: Request['actor']) {
  const set = set_id === null ? undefined : await findChangeSet(db, set_id);
  return set && (await describeSets(db, [set], visibilityFor(actor)))[0];
}

export function isHere(path: string, { folder }: Pick<Import, 'folder'>): boolean {
  return findFolder(path)?.id === folder;
}

/** What was taken for another kind of file by a choice can be read by another one. */
function isList(imported: Import): boolean {
  return !isOtherFile(imported) || Object.keys(choicesOf(imported)).length > 0;
}
