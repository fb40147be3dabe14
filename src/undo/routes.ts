/** Undoing a change set: done at once where nothing was changed since, else asked first. */
import type { FastifyInstance, FastifyReply } from 'fastify';
import { allow } from '../auth/access.ts';
import { authorize } from '../auth/actor.ts';
import { type Answer, begun, done, nothingDone } from '../auth/idempotency-store.ts';
import { mayRead, mayUndo } from '../auth/policy.ts';
import { runCommand } from '../auth/run-command.ts';
import type { Trx } from '../db/schema.ts';
import { NotNowError, NotUniqueError } from '../errors.ts';
import { getSeenSet } from '../history/descriptions.ts';
import { findUndoneTooOften } from '../history/undos.ts';
import { isUndoable } from '../history/words.ts';
import { fromIn } from '../http/return-list.ts';
import { MOST_WITHOUT_JOB } from '../jobs/run.ts';
import type { Fields } from '../lib/forms.ts';
import type { Problems } from '../users/form.ts';
import { listAddress } from '../users/list/address.ts';
import { listBefore, userAddress } from '../users/request.ts';
import { type Decided, undoChangeSet } from './commands.ts';
import { type Part, refuseWhileUnderWay } from './conflicts.ts';
import { choicesIn, partIn, problemsIn, readChoices, takenIn } from './form.ts';
import { beginUndo, lockUndoable, refuseUnfinished } from './job.ts';
import { planPage, type Request, type Shown, showSteps, showUndo, type Undoing } from './show.ts';
import { isConflict, isRefused } from './steps.ts';
import { BEGUN, sentenceOfPart, sentenceOfUndone, TOO_OFTEN } from './words.ts';

export function undoRoutes(app: FastifyInstance): void {
  app.get('/history/:id/undo', allow(mayRead), async (request: Request, reply) =>
    showUndo(request, reply, await getUndoable(request)),
  );
  app.post('/history/:id/undo', allow(mayRead, { form: '/history/:id/undo', isDraftKept: true }), undo);
}

async function undo(request: Request, reply: FastifyReply) {
  const undoing = await getUndoable(request);
  const fields = readChoices(request.body);
  const isLarge = undoing.row.set.users > MOST_WITHOUT_JOB && fields.users === undefined;
  return isLarge ? begin(request, reply, undoing, fields) : undoAtOnce(request, reply, undoing, fields);
}

async function begin(request: Request, reply: FastifyReply, undoing: Undoing, { seen }: Fields) {
  const { server } = request;
  if (seen === undefined) return showSteps(reply, undoing, [], { status: 409 });
  const answer = await runCommand(request, async (trx, actor) => {
    const set = await beginUndo(trx, actor, undoing.row.set, server.clock());
    return begun(`/history/${set}${fromIn(request.query)}`, BEGUN, set);
  });
  void server.runJobs();
  return reply.answer(answer);
}

async function undoAtOnce(request: Request, reply: FastifyReply, undoing: Undoing, fields: Fields) {
  const { db, clock } = request.server;
  const { set } = undoing.row;
  const part = partIn(fields);
  const showAgain = async (errors: Problems, status: number, more: Partial<Shown> = {}) =>
    showSteps(reply, undoing, await planPage(db, undoing, part), {
      part,
      fields,
      errors,
      status,
      ...more,
    });
  const errors = problemsIn(fields);
  if (Object.keys(errors).length > 0) return showAgain(errors, 422);
  try {
    const outcome = await runCommand(request, async (trx, actor) => {
      await lockUndoable(trx, set.id);
      if (part) await refuseWhileUnderWay(trx, set);
      const undone = await undoChangeSet(trx, actor, set, choicesIn(fields), clock(), part?.users);
      const { kind, steps } = undone;
      if (kind === 'asks') return { kind: 'shown', isChanged: fields.seen !== undefined } as const;
      if (kind === 'nothing' && steps.some(isRefused) && !steps.some(isConflict))
        return { kind: 'shown', isChanged: false } as const;
      return answerOf(trx, request, undone, set.id, part);
    });
    if (outcome.kind === 'shown') return showAgain({}, 409, { isChanged: outcome.isChanged });
    return reply.answer(outcome);
  } catch (error) {
    // What was typed is somebody else's, or what is put back was taken a moment ago.
    if (!(error instanceof NotUniqueError)) throw error;
    const { errors, holders } = await takenIn(db, fields, await planPage(db, undoing, part));
    return Object.keys(errors).length > 0
      ? showAgain(errors, 422, { holders })
      : showAgain({}, 409, { isChanged: true });
  }
}

/** @param undoes the change set; after some about whom it was decided the next are shown */
async function answerOf(
  trx: Trx,
  request: Request,
  undone: Decided,
  undoes: number,
  part: Part | undefined,
): Promise<Answer> {
  const next = `/history/${undoes}/undo?after=${part?.cursor}${fromIn(request.query).replace('?', '&')}`;
  const to = part ? next : placeOf(undone, request);
  const sentence = part ? sentenceOfPart(undone) : sentenceOfUndone(undone);
  if (undone.kind === 'nothing') return nothingDone(to, sentence);
  const isLast = (await findUndoneTooOften(trx, [{ id: undone.set, undoes }])).size > 0;
  return done(to, sentence, isLast ? undefined : undone.set);
}

/** Back to the list, or to its user, where it was begun beside these. */
function placeOf(undone: Decided, request: Request): string {
  const isBeside = request.query.from !== undefined;
  const list = listAddress(listBefore(request));
  if (undone.kind === 'nothing') return isBeside ? list : '/history';
  const { set, steps, user, left } = undone;
  if (steps.length === 1) return user ? userAddress(user.id, request) : list;
  return isBeside && left.length === 0 ? list : `/history/${set}${fromIn(request.query)}`;
}

/** @throws NotFoundError, ForbiddenError, NotNowError */
async function getUndoable({ reader, params, actor }: Request): Promise<Undoing> {
  const row = await getSeenSet(reader, params.id, actor);
  authorize(actor, (someone) => mayUndo(someone, row.whom?.id, row.fields));
  if (actor === undefined || !isUndoable(row.set)) throw noWayBack('This cannot be undone.', row.set.id);
  if ((await findUndoneTooOften(reader, [row.set])).size > 0) throw noWayBack(TOO_OFTEN, row.set.id);
  await refuseUnfinished(reader, row.set.id);
  return { row, actor };
}

function noWayBack(sentence: string, set: number): NotNowError {
  return new NotNowError('No way back', sentence, { href: `/history/${set}`, text: 'Look at this change' });
}
