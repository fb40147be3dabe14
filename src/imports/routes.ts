/** Users from a file: it is brought, read and looked at; only then is anything changed. */
import type { FastifyInstance, FastifyReply } from 'fastify';
import { allow } from '../auth/access.ts';
import { type Answer, done, nothingDone } from '../auth/idempotency-store.ts';
import { mayEdit } from '../auth/policy.ts';
import { runCommand } from '../auth/run-command.ts';
import type { Trx } from '../db/schema.ts';
import { NotFoundError } from '../errors.ts';
import { readFields } from '../lib/forms.ts';
import { CHOICES, columnName, parseChoices } from './choices.ts';
import { confirmImport, discardImport, getImport, readDifferently } from './commands.ts';
import { findFolder } from './folder.ts';
import { choicesOf, howRead, totalsOf } from './json-columns.ts';
import { findImport } from './queries.ts';
import { showRefused } from './refused-page.ts';
import { dispositionOf, refusedRows, streamOf } from './refused-rows.ts';
import { addressOf, type Request, showImport, waitingFor } from './show.ts';
import { readStage } from './stage-reader.ts';
import { template } from './template.ts';
import { showUploadForm, uploadFile, waitForJobs } from './upload-page.ts';
import { Uploads } from './uploads.ts';
import {
  anotherOf,
  BEGUN,
  DISCARDED,
  JUDGED_AGAIN,
  READ_AGAIN,
  ROWS_GONE,
  TAKING_BACK,
  tooLate,
} from './words.ts';

const CSV = 'text/csv; charset=utf-8';

export async function importRoutes(app: FastifyInstance): Promise<void> {
  const uploads = new Uploads(app.config.importFolder);
  app.addHook('onClose', () => uploads.ended());
  app.get('/import', allow(mayEdit), async (request, reply) => showUploadForm(request, reply));
  app.get('/import/template', allow(mayEdit), sendTemplate);
  app.get('/imports/:id', allow(mayEdit, { readsPrimary: true }), showImport);
  app.get('/imports/:id/refused', allow(mayEdit), sendRefused);
  app.get('/imports/:id/refused-rows', allow(mayEdit), showRefused);
  app.post('/imports/:id', allow(mayEdit, { form: '/imports/:id' }), choose);
  app.post('/imports/:id/apply', allow(mayEdit, { form: '/imports/:id' }), apply);
  app.post('/imports/:id/discard', allow(mayEdit, { form: '/imports/:id' }), discard);
  // Files are taken here alone. None is read before it is known who sends it.
  await app.register(async (scope) => {
    scope.addContentTypeParser('multipart/form-data', (_request, _body, parsed) => parsed(null));
    scope.post('/import', allow(mayEdit, { form: '/import' }), uploadFile(uploads));
  });
}

async function sendTemplate(_request: Request, reply: FastifyReply) {
  return reply.type(CSV).header('content-disposition', 'attachment; filename="users.csv"').send(template());
}

async function choose(request: Request, reply: FastifyReply) {
  const { server, params, actor, body } = request;
  const found = await getImport(server.db, params.id, actor);
  const how = howRead(found);
  const names = [...CHOICES, ...(how?.columns.map((_, index) => columnName(index)) ?? [])];
  const choices = parseChoices(readFields(body, names), how, choicesOf(found));
  const answer = await runCommand(request, async (trx, acting): Promise<Answer> => {
    const outcome = await readDifferently(trx, acting, found.id, choices, server.clock());
    return outcome === 'reading' ? done(addressOf(found.id), '') : refuseLate(trx, found.id);
  });
  await waitForJobs(server);
  return reply.answer(answer);
}

async function apply(request: Request, reply: FastifyReply) {
  const { server, params, actor, body } = request;
  const { id } = await getImport(server.db, params.id, actor);
  const judged = Number(readFields(body, ['judged']).judged);
  const answer = await runCommand(request, async (trx, acting): Promise<Answer> => {
    const outcome = await confirmImport(trx, acting, id, judged, server.clock());
    if (outcome === 'confirmed') return done(waitingFor(id), BEGUN);
    return outcome === 'too late' ? refuseLate(trx, id) : nothingDone(addressOf(id), await whyAgain(trx, id));
  });
  void server.runJobs();
  return reply.answer(answer);
}

async function discard(request: Request, reply: FastifyReply) {
  const { server, params, actor } = request;
  const found = await getImport(server.db, params.id, actor);
  const { id } = found;
  const answer = await runCommand(request, async (trx, acting): Promise<Answer> => {
    const outcome = await discardImport(trx, acting, id, server.clock());
    if (outcome === 'taken back') return done(waitingFor(id), TAKING_BACK);
    return outcome === 'discarded' ? done(anotherOf(found), DISCARDED) : refuseLate(trx, id);
  });
  void server.runJobs();
  return reply.answer(answer);
}

/** It was confirmed once, and what it would do then was not what was shown; or somebody has had it read anew. */
async function whyAgain(trx: Trx, id: number): Promise<string> {
  const found = await findImport(trx, id);
  return found && (totalsOf(found)?.differences ?? 0) > 0 ? JUDGED_AGAIN : READ_AGAIN;
}

/** Somebody has decided about it meanwhile, perhaps the same one in another window. */
async function refuseLate(trx: Trx, id: number): Promise<Answer> {
  const found = await findImport(trx, id);
  return nothingDone(addressOf(id), tooLate(found?.state ?? 'discarded'));
}

/** They are read a few at a time: the file that they are in may be gone meanwhile. */
async function sendRefused(request: Request, reply: FastifyReply) {
  const { server, params, actor } = request;
  const imported = await getImport(server.db, params.id, actor);
  const how = howRead(imported);
  const folder = findFolder(server.config.importFolder);
  const read = (after: number, limit: number) =>
    readStage(folder, imported, (stage) => stage.refused(after, limit));
  const readOn = (after: number, limit: number) => {
    const rows = read(after, limit);
    // What has been sent would else look like all of it.
    if (rows === undefined) throw new NotFoundError(ROWS_GONE);
    return rows;
  };
  if (how === undefined) throw new NotFoundError(ROWS_GONE);
  readOn(0, 1);
  const lines = refusedRows(how, readOn);
  reply.header('content-disposition', dispositionOf(imported.file_name));
  return reply.header('cache-control', 'no-store').type(CSV).send(streamOf(lines));
}
