/** Undoing a change set: done at once where nothing was changed since, else asked first. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { allow } from '../auth/access.ts';
import { authorize } from '../auth/actor.ts';
import { done } from '../auth/kept-answers.ts';
import { mayRead, mayUndo } from '../auth/policy.ts';
import { runCommand } from '../auth/run-command.ts';
import { NotFoundError, NotUniqueError } from '../errors.ts';
import { type Described, getSeenSet } from '../history/described.ts';
import { isUndoable } from '../history/words.ts';
import { findJobOfSet } from '../jobs/queries.ts';
import { type Fields, readFields } from '../lib/forms.ts';
import { beginUndo, MOST_AT_ONCE, planFirstSteps } from './batches.ts';
import { digestOf, undoChangeSet } from './commands.ts';
import { choicesIn, isChoice, problemsIn } from './form.ts';
import { isAsked, isRefused, type Step } from './steps.ts';
import { answerOf, BEGUN } from './words.ts';

type Request = FastifyRequest<{ Params: { id: string } }>;
type Errors = Readonly<Record<string, string>>;

/** Of those who are asked about one by one: a form may have so many fields. */
const MOST_ASKED = 20;
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
    const outcome = await runCommand(request, async (trx, actor) => {
      if (row.set.users > MOST_AT_ONCE) {
        const begun = await beginUndo(trx, actor, row.set, fields, server.clock());
        return begun.kind === 'begun' ? done(`/history/${begun.set}`, BEGUN) : begun;
      }
      const undone = await undoChangeSet(trx, actor, row.set, choicesIn(fields), server.clock());
      const isShown = undone.kind === 'asks' || (undone.kind === 'nothing' && undone.steps.some(isRefused));
      return isShown ? { kind: 'asks' as const, steps: undone.steps } : answerOf(undone);
    });
    if (outcome.kind === 'asks') {
      const shown = { fields, isChanged: fields.seen !== undefined, status: 409 };
      return showSteps(reply, row, outcome.steps, shown);
    }
    void server.runJobs();
    return reply.answer(outcome);
  } catch (error) {
    // Taken while it was being put back.
    if (!(error instanceof NotUniqueError)) throw error;
    return showSteps(reply, row, await stepsOf(request, row), { fields, isChanged: true, status: 409 });
  }
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
