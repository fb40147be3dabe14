/** One thing done to all who were ticked on the list, or to all who match: asked first. */
import type { FastifyInstance, FastifyReply } from 'fastify';
import { allow } from '../auth/access.ts';
import { type Answer, begun, done, nothingDone } from '../auth/idempotency-store.ts';
import { mayEdit } from '../auth/policy.ts';
import { runCommand } from '../auth/run-command.ts';
import { fromIn } from '../http/return-list.ts';
import { isShort } from '../http/safe-redirect.ts';
import { refuseUnseenImport } from '../imports/commands.ts';
import { parseForm, readFields } from '../lib/forms.ts';
import { listAddress, listQuery } from '../users/list/address.ts';
import { nearestPage } from '../users/list/page.ts';
import { isEmpty, parseSelection, type Selection, selectionAddress } from '../users/list/selection.ts';
import type { ListState } from '../users/list/state.ts';
import { userChangesSchema } from '../users/validation.ts';
import type { Act } from './acts.ts';
import { doToAll, type Target } from './commands.ts';
import { areSameAbsent, confirm } from './confirm.ts';
import { beginBulk, type Many } from './job.ts';
import { ask, asking, openSeen, type Request, readAsked } from './show.ts';
import { BULK_BEGUN, NOTHING_CHOSEN, NOTHING_TICKED, sentenceOfDone, TOO_LONG } from './words.ts';

export function bulkRoutes(app: FastifyInstance): void {
  app.get('/bulk', allow(mayEdit, { readsPrimary: true }), show);
  app.post('/bulk', allow(mayEdit, { form: '/bulk' }), doBulk);
}

async function show(request: Request, reply: FastifyReply) {
  const { reader, query, server, actor } = request;
  const selection = parseSelection(query, server.clock());
  await refuseUnseenImport(reader, actor, selection.list);
  const back = listAddress(selection.list);
  if (isEmpty(selection)) return reply.seeInstead(back, NOTHING_TICKED);
  if (!query.do) return reply.seeInstead(back, NOTHING_CHOSEN);
  if (query.do !== 'export') return ask(request, reply, readAsked(request));
  const address = selectionAddress('/export', selection);
  return isShort(address, server.config.origin)
    ? reply.redirect(address, 302)
    : reply.seeInstead(back, TOO_LONG);
}

async function doBulk(request: Request, reply: FastifyReply) {
  const asked = readAsked(request);
  await refuseUnseenImport(request.reader, request.actor, asked.selection.list);
  const fields = readFields(request.body, ['seen', 'role']);
  const { role } = fields;
  const seen = openSeen(request, asked, fields.seen);
  if (seen === undefined) return ask(request, reply, asked, { role, status: 409 });
  const form = parseForm(userChangesSchema, asked.act.do === 'role' ? { role: role ?? '' } : {});
  if (!form.ok)
    return ask(request, reply, asked, { error: form.errors.role, seen: fields.seen, status: 422 });
  const act: Act = { ...asked.act, ...form.value };
  const { selection } = asked;
  const confirmed = await confirm(asking(request), act, selection, seen);
  if (confirmed.kind === 'drifted')
    return ask(request, reply, asked, { drift: confirmed.drift, role, status: 409 });
  if (confirmed.kind === 'few')
    return reply.answer(await doAtOnce(request, act, selection, confirmed.targets));
  const answer = await begin(request, act, { ...selection, ...confirmed });
  if (answer === undefined) return ask(request, reply, asked, { role, status: 409 });
  void request.server.runJobs();
  return reply.answer(answer);
}

/** @returns undefined where it has to be asked again */
async function begin(
  request: Request,
  act: Act,
  { absence, ...many }: Many & { absence: number | undefined },
): Promise<Answer | undefined> {
  return runCommand(request, async (trx, actor) => {
    if (!(await areSameAbsent(trx, many.list, absence))) return undefined;
    const set = await beginBulk(trx, actor, act, many, request.server.clock());
    return begun(`/history/${set}${fromIn({ from: listQuery(many.list) })}`, BULK_BEGUN, set);
  });
}

async function doAtOnce(request: Request, act: Act, selection: Selection, targets: readonly Target[]) {
  const { clock } = request.server;
  const address = listAddress(await listAfter(request, act, selection, targets.length));
  return runCommand(request, async (trx, actor): Promise<Answer> => {
    const { set, done: count, left } = await doToAll(trx, actor, act, targets, clock());
    const sentence = sentenceOfDone(act, count, left);
    return set === undefined ? nothingDone(address, sentence) : done(address, sentence, set);
  });
}

async function listAfter(
  { server }: Request,
  act: Act,
  { list, ticked }: Selection,
  count: number,
): Promise<ListState> {
  if (ticked === undefined) return { ...list, page: 1, cursor: undefined };
  const isLeaving = act.do === 'delete' || list[act.do === 'role' ? 'role' : 'status'] !== undefined;
  return nearestPage(server.db, list, { without: isLeaving ? count : 0 });
}
