/** Undoing a change set: done at once where nothing was changed since, else asked first. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { allow } from '../auth/access.ts';
import { authorize } from '../auth/actor.ts';
import { type Answer, done } from '../auth/kept-answers.ts';
import { mayRead, mayUndo } from '../auth/policy.ts';
import { runCommand } from '../auth/run-command.ts';
import type { Db } from '../db/schema.ts';
import { NotFoundError, NotUniqueError } from '../errors.ts';
import { type Described, getSeenSet } from '../history/described.ts';
import { isUndoable } from '../history/words.ts';
import { findJobOfSet } from '../jobs/queries.ts';
import { type Fields, readFields } from '../lib/forms.ts';
import { addHolders } from '../users/form.ts';
import { beginUndo, MOST_AT_ONCE, planFirstSteps } from './batches.ts';
import { digestOf, undoChangeSet } from './commands.ts';
import { choicesIn, isChoice, problemsIn } from './form.ts';
import { isAsked, isRefused, type Step } from './steps.ts';
import { answerOf, BEGUN } from './words.ts';

type Request = FastifyRequest<{ Params: { id: string } }>;
type Errors = Readonly<Record<string, string>>;

/** Of those who are asked about one by one: a form may have 100 fields, and each may take seven. */
const MOST_ASKED = 12;
const MOST_LEFT = 20;

export function undoRoutes(app: FastifyInstance): void {
  app.get('/history/:id/undo', allow(mayRead), showUndo);
  app.post('/history/:id/undo', allow(mayRead, { form: '/history/:id/undo' }), undo);
}

async function showUndo(request: Request, reply: FastifyReply) {
  const row = await getUndoable(request);
  return showSteps(reply, row, await stepsOf(request, row), {});
}

async function undo(request: Request, reply: FastifyReply) {
  const { server } = request;
  const row = await getUndoable(request);
  const body = (request.body ?? {}) as Fields;
  const fields = readFields(body, Object.keys(body).filter(isChoice));
  const errors = problemsIn(fields);
  if (Object.keys(errors).length > 0)
    return showSteps(reply, row, await stepsOf(request, row), { fields, errors, status: 422 });
  try {
    const outcome = await runCommand(request, (trx, actor) =>
      row.set.users > MOST_AT_ONCE
        ? beginBatches(trx, actor, row.set, fields, server.clock())
        : undoAtOnce(trx, actor, row.set, fields, server.clock()),
    );
    if (outcome.kind === 'shown') {
      const { steps, isChanged } = outcome;
      return showSteps(reply, row, steps, { fields, isChanged, status: 409 });
    }
    if (row.set.users > MOST_AT_ONCE) void server.runJobs();
    return reply.answer(outcome);
  } catch (error) {
    // What was typed is somebody else's, or what is put back was taken a moment ago.
    if (!(error instanceof NotUniqueError)) throw error;
    const taken = await takenIn(server.db, fields);
    const isChanged = Object.keys(taken).length === 0;
    const shown = { fields, errors: taken, isChanged, status: isChanged ? 409 : 422 };
    return showSteps(reply, row, await stepsOf(request, row), shown);
  }
}

/** What is to be decided first, or cannot be done; `isChanged`: once more, since something else was decided about. */
type ToShow = { kind: 'shown'; steps: Step[]; isChanged: boolean };

type Undoing = Parameters<typeof beginUndo>;

async function beginBatches(...[trx, actor, set, fields, now]: Undoing): Promise<Answer | ToShow> {
  const begun = await beginUndo(trx, actor, set, fields, now);
  if (begun.kind === 'begun') return done(`/history/${begun.set}`, BEGUN);
  return { kind: 'shown', steps: begun.steps, isChanged: fields.seen !== undefined };
}

async function undoAtOnce(...[trx, actor, set, fields, now]: Undoing): Promise<Answer | ToShow> {
  const undone = await undoChangeSet(trx, actor, set, choicesIn(fields), now);
  const { kind, steps } = undone;
  if (kind === 'asks') return { kind: 'shown', steps, isChanged: fields.seen !== undefined };
  const isRefusedAll = kind === 'nothing' && steps.some(isRefused);
  return isRefusedAll ? { kind: 'shown', steps, isChanged: false } : answerOf(undone);
}

/** Of what was typed instead of something that is taken, what is taken as well. */
async function takenIn(db: Db, fields: Fields): Promise<Errors> {
  const taken: Record<string, string> = {};
  for (const [name, value] of Object.entries(fields).filter(([field]) => field.endsWith('.other'))) {
    const [, field = ''] = name.split('.');
    const { errors, holders } = await addHolders(db, { [field]: value }, {});
    if (Object.keys(holders).length > 0) taken[name] = errors[field] ?? '';
  }
  return taken;
}

/** @throws NotFoundError, ForbiddenError */
async function getUndoable({ server, params, actor }: Request): Promise<Described> {
  const row = await getSeenSet(server.db, params.id, actor);
  authorize(actor, (someone) => mayUndo(someone, row.whom?.id, row.fields));
  if (!isUndoable(row.set)) throw new NotFoundError('This cannot be undone.');
  const job = await findJobOfSet(server.db, row.set.id);
  if (job?.state === 'running') throw new NotFoundError('This is still under way.');
  return row;
}

async function stepsOf({ server, actor }: Request, { set }: Described): Promise<Step[]> {
  return actor ? planFirstSteps(server.db, actor, set) : [];
}

type Shown = { fields?: Fields; errors?: Errors; isChanged?: boolean; status?: number };

async function showSteps(
  reply: FastifyReply,
  row: Described,
  steps: readonly Step[],
  { fields = {}, errors = {}, isChanged = false, status = 200 }: Shown,
) {
  const isLarge = row.set.users > MOST_AT_ONCE;
  const asked = steps.filter(isAsked);
  const left = steps.filter(isRefused);
  const unasked = steps.filter((step) => 'differences' in step && !isAsked(step));
  return reply.render(
    'undo/show',
    {
      row,
      asked: asked.slice(0, MOST_ASKED),
      others: Math.max(0, isLarge ? row.set.users - MOST_ASKED : asked.length - MOST_ASKED),
      isLarge,
      unasked,
      left: left.slice(0, MOST_LEFT),
      leftInAll: left.length,
      seen: digestOf(steps),
      fields,
      errors,
      isChanged,
    },
    status,
  );
}
