/** `/import`: a file is chosen and brought; whoever sends it, and how much there is already, is judged before it is kept. */
import { rename, rm } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { findKeptAnswer, noteForm } from '../auth/idempotency.ts';
import { type Answer, done } from '../auth/idempotency-store.ts';
import { runCommand } from '../auth/run-command.ts';
import { OutcomeUnknownError } from '../errors.ts';
import { type DescribedSet, describeSets, visibilityFor } from '../history/descriptions.ts';
import { readHistory } from '../history/list.ts';
import type { Fields } from '../lib/forms.ts';
import { plainNumber } from '../lib/text.ts';
import { beginImport } from './commands.ts';
import { filesOf, makeFolder, newName } from './folder.ts';
import { inheritChoices, NO_CHOICES } from './inherited-choices.ts';
import { totalsOf } from './json-columns.ts';
import { discardUnreadable, findLiveImports, findOwnImports, type Import } from './queries.ts';
import { SMALL_BYTES } from './run.ts';
import { RefusedUploadError, type Staged, type Upload, type Uploads } from './uploads.ts';
import { emptyFile, NO_FILE } from './words.ts';

const PATIENCE_MS = 500;
const MOST_LAST = 5;

export async function showUploadForm(
  request: FastifyRequest,
  reply: FastifyReply,
  { statusCode, message }: { statusCode: number; message?: string } = { statusCode: 200 },
) {
  const own = (await findOwn(request)).filter((one) => one.state !== 'done' || hasRefused(one));
  const of = earlierIn(request)?.toString();
  const rows = await findLast(request);
  return reply.render('imports/choose', { own, rows, of, error: message }, statusCode);
}

export function uploadFile(uploads: Uploads) {
  return async (request: FastifyRequest, reply: FastifyReply) => {
    const { headers, actor } = request;
    if (!headers['content-type']?.toLowerCase().startsWith('multipart/'))
      return showUploadForm(request, reply, { statusCode: 422, message: NO_FILE });
    try {
      const staged = await countStaged(request);
      const who = `${actor?.user?.id}`;
      const upload = await uploads.take(request, who, staged);
      try {
        return await take(request, reply, upload);
      } finally {
        await upload.discard();
      }
    } catch (error) {
      if (!(error instanceof RefusedUploadError)) throw error;
      return showUploadForm(request, reply, error);
    }
  };
}

async function take(request: FastifyRequest, reply: FastifyReply, upload: Upload) {
  const { name, size, hash, fields } = upload;
  if (name === '') throw new RefusedUploadError(422, NO_FILE);
  if (size === 0) throw new RefusedUploadError(422, emptyFile(name));
  // Sent twice it is one import: the same file, by what is in it.
  noteForm(request, { ...fields, name, hash });
  const answer = (await findKeptAnswer(request)) ?? (await begin(request, upload));
  if (size <= SMALL_BYTES) await waitForJobs(request.server);
  // Its page waits until it is known what the first rows would do.
  else void request.server.runJobs();
  return reply.answer(answer);
}

async function begin(request: FastifyRequest, { path, name, size }: Upload): Promise<Answer> {
  const { clock, config } = request.server;
  const folder = makeFolder(config.importFolder);
  const file = newName();
  const { upload } = filesOf(folder, file);
  const of = earlierIn(request);
  const earlier = (await findOwn(request)).find(({ id }) => id === of);
  const { choices, sentence } = of === undefined ? NO_CHOICES : await inheritChoices(path, earlier);
  await rename(path, upload);
  try {
    const answer = await runCommand(request, async (trx, actor) => {
      await discardUnreadable(trx, actor.user?.id ?? null, clock());
      const id = await beginImport(trx, actor, folder, { file, name, size }, clock(), choices, earlier?.id);
      return done(`/imports/${id}`, sentence);
    });
    if (answer.kind === 'done before') await rm(upload, { force: true });
    return answer;
  } catch (error) {
    if (!(error instanceof OutcomeUnknownError)) await rm(upload, { force: true });
    throw error;
  }
}

export async function waitForJobs(app: FastifyInstance): Promise<void> {
  const late = new AbortController();
  await Promise.race([app.runJobs(), sleep(PATIENCE_MS, undefined, { signal: late.signal }).catch(() => {})]);
  late.abort();
}

function earlierIn({ query }: FastifyRequest): number | undefined {
  return plainNumber((query as Fields).of ?? '');
}

function findOwn({ server, actor }: FastifyRequest): Promise<Import[]> {
  return findOwnImports(server.db, actor?.user?.id ?? null);
}

/** Of everybody, those that have changed somebody or are under way: whoever has left before the end finds it here. */
async function findLast({ server: { db }, actor }: FastifyRequest): Promise<DescribedSet[]> {
  const { sets } = await readHistory(db, { kinds: ['imported'] }, undefined, 2 * MOST_LAST);
  const described = await describeSets(db, sets, visibilityFor(actor));
  return described.filter(({ set, state }) => set.users > 0 || state === 'running').slice(0, MOST_LAST);
}

function hasRefused(imported: Import): boolean {
  return (totalsOf(imported)?.refused ?? 0) > 0;
}

/** The files of other machines take no room here. What cannot be read gives way to what is brought next. */
async function countStaged(request: FastifyRequest): Promise<Staged> {
  const folder = makeFolder(request.server.config.importFolder);
  const here = (await findLiveImports(request.server.db)).filter((one) => one.folder === folder.id);
  const own = (await findOwn(request)).filter(({ state }) => !['done', 'unreadable'].includes(state));
  return { own: own.length, bytes: here.reduce((sum, { size }) => sum + size, 0) };
}
