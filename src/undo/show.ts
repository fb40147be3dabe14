/** The page of an undo: of all of a change set, or of some users about whom it is to be decided. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Actor } from '../auth/actor.ts';
import { maySeeAccess } from '../auth/policy.ts';
import { draftFor } from '../auth/request-drafts.ts';
import type { Db } from '../db/schema.ts';
import type { DescribedSet } from '../history/descriptions.ts';
import { fromIn } from '../http/return-list.ts';
import { MOST_WITHOUT_JOB } from '../jobs/run.ts';
import { Deadline } from '../lib/deadline.ts';
import type { Fields } from '../lib/forms.ts';
import type { Problems } from '../users/form.ts';
import { listAddress } from '../users/list/address.ts';
import { listBefore, userAddress } from '../users/request.ts';
import { countUntouched, findChangesOf, findUsersOfChanges } from './changes.ts';
import { digestOf } from './commands.ts';
import { findConflicts, MOST_CONFLICTS, MOST_LEFT, type Part, refuseWhileUnderWay } from './conflicts.ts';
import { type Holders, partIn, readChoices } from './form.ts';
import { planTogether } from './plan.ts';
import { isConflict, isRefused, type Step } from './steps.ts';

export type Request = FastifyRequest<{ Params: { id: string }; Querystring: Fields }>;

export type Undoing = { row: DescribedSet; actor: Actor };

export type Shown = {
  part?: Part | undefined;
  fields?: Fields;
  errors?: Problems;
  holders?: Holders;
  isChanged?: boolean;
  isDraft?: boolean;
  status?: number;
};

/** So long it is looked for somebody among very many. */
const LOOKING_MS = 200;

export async function showUndo(request: Request, reply: FastifyReply, undoing: Undoing) {
  const { reader: db, server, query } = request;
  const draft = await draftFor(request);
  if (draft) return showDraft(reply, undoing, db, readChoices(draft));
  const { row, actor } = undoing;
  const { after = '' } = query;
  if (!/^\d{1,15}$/.test(after)) return showSteps(reply, undoing, await planPage(db, undoing), {});
  await refuseWhileUnderWay(db, row.set);
  const deadline = Deadline.in(LOOKING_MS, server.stopwatch);
  const { steps, ...place } = await findConflicts(db, actor, row.set, Number(after), deadline);
  const users = steps.filter((step) => !isRefused(step)).map(({ id }) => id);
  return showSteps(reply, undoing, steps, { part: { users, ...place } });
}

async function showDraft(reply: FastifyReply, undoing: Undoing, db: Db, fields: Fields) {
  const part = partIn(fields);
  if (part) await refuseWhileUnderWay(db, undoing.row.set);
  const isDraft = Object.keys(fields).length > 0;
  return showSteps(reply, undoing, await planPage(db, undoing, part), { part, fields, isDraft });
}

export async function planPage(db: Db, { row, actor }: Undoing, part?: Part): Promise<Step[]> {
  const { id, users } = row.set;
  if (part === undefined && users > MOST_WITHOUT_JOB) return [];
  const changes = await findChangesOf(db, id, part?.users);
  return planTogether(db, actor, changes, await findUsersOfChanges(db, changes));
}

export async function showSteps(
  reply: FastifyReply,
  { row, actor }: Undoing,
  steps: readonly Step[],
  { part, fields = {}, errors = {}, holders = {}, isChanged = false, isDraft = false, status = 200 }: Shown,
) {
  const { reader: db } = reply.request;
  const conflicts = steps.filter(isConflict);
  const left = steps.filter(isRefused);
  const isLarge = part === undefined && row.set.users > MOST_WITHOUT_JOB;
  const isTooMany = conflicts.length > MOST_CONFLICTS;
  return reply.render(
    'undo/show',
    {
      row,
      part,
      conflicts: isTooMany ? [] : conflicts.map((step) => withoutHidden(step, actor)),
      others: isTooMany ? conflicts.length : 0,
      isLarge,
      untouched: isLarge ? await countUntouched(db, row.set) : undefined,
      withoutConflict: steps.filter((step) => 'differences' in step && !isConflict(step)),
      left: left.slice(0, MOST_LEFT),
      leftInAll: left.length,
      seen: digestOf(steps),
      fields,
      errors,
      holders,
      isChanged,
      isDraft,
      from: fromIn(reply.request.query as Fields),
      back: placeBefore(reply.request as Request, row),
    },
    status,
  );
}

/** Whoever does not go on is where they began it: at a list, at a user, or in the history. */
function placeBefore(request: Request, { set, whom }: DescribedSet): string {
  if (request.query.from === undefined) return `/history/${set.id}`;
  return set.users === 1 && whom ? userAddress(whom.id, request) : listAddress(listBefore(request));
}

/** What became of a role is for those who see access, also where they could do away with the whole user. */
function withoutHidden(step: Step, actor: Actor): Step {
  if (step.kind !== 'delete' || maySeeAccess(actor, step.id)) return step;
  return { ...step, differences: step.differences.filter(({ field }) => field !== 'role') };
}
