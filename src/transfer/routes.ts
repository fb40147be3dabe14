/** `/export`: the users of a list, or those who were ticked, as a file. */
import { Readable } from 'node:stream';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { allow } from '../auth/access.ts';
import { mayRead } from '../auth/policy.ts';
import { runCommand } from '../auth/run-command.ts';
import { transact } from '../db/transact.ts';
import { countInSet, recordExport } from '../history/record.ts';
import { isFromHere } from '../http/cross-site.ts';
import type { Fields } from '../lib/forms.ts';
import { urlFor } from '../lib/url-for.ts';
import {
  countSelected,
  isEmpty,
  parseSelection,
  type Selection,
  selectionAddress,
} from '../users/list/selection.ts';
import { type Asked, type Download, startDownload } from './download.ts';
import { FORMATS, type FormatName, parseFormat } from './formats.ts';
import { Turns } from './turns.ts';
import { detailOf, fileNameOf } from './words.ts';

const MOST = { written: 2, open: 10, ofOne: 2 };
/** In seconds. */
const ASKED_AGAIN = '3';
/** In milliseconds, without a byte: of many users few may match, or whoever reads does not. */
const LONGEST_SILENCE = 120_000;

type Request = FastifyRequest<{ Querystring: Fields }>;

/** @param folder for what is exported, until it is read */
export function exportRoutes(app: FastifyInstance, folder: string): void {
  const turns = new Turns(MOST, app.stopwatch);
  app.get('/export', allow(mayRead), showExport);
  app.get('/export/file', { ...allow(mayRead), onSend: allowSilence }, async (request: Request, reply) => {
    const { query, server } = request;
    const selection = parseSelection(query, server.clock());
    const format = parseFormat(query.format);
    // Whom another site leads here is asked first.
    if (format === undefined || isEmpty(selection) || isFromHere(request, server.config) === false)
      return reply.redirect(selectionAddress('/export', selection), 302);
    reply.header('cache-control', 'no-store');
    if (request.method === 'HEAD') return reply.type(FORMATS[format].type).send();
    const turn = turns.take(`${request.actor?.user?.id}`);
    if (turn === undefined) return showWaiting(reply, selection, format);
    const download = begin(request, reply, { folder, selection, format });
    void download.then(({ written }) => written).then(turn.endWriting, turn.endWriting);
    void download.then(({ closed }) => closed).then(turn.endReading, turn.endReading);
    return sendFile(
      reply,
      await download,
      fileNameOf(selection, format, server.clock()),
      FORMATS[format].type,
    );
  });
}

async function sendFile(
  reply: FastifyReply,
  { stream, written, size }: Download,
  name: string,
  type: string,
) {
  // It has no chunks: without a length, what is cut off would look as if that were all (RFC 9112, 6.3).
  if (reply.request.raw.httpVersion === '1.0') {
    await written;
    reply.header('content-length', size());
  }
  return reply.type(type).header('content-disposition', `attachment; filename="${name}"`).send(stream);
}

function allowSilence(
  request: FastifyRequest,
  _reply: FastifyReply,
  payload: unknown,
  done: (error: null, payload: unknown) => void,
) {
  if (payload instanceof Readable) request.socket.setTimeout?.(LONGEST_SILENCE);
  done(null, payload);
}

/** It is in the history as soon as it begins, and how many there were once that is known. */
async function begin(
  request: Request,
  reply: FastifyReply,
  asked: Pick<Asked, 'folder' | 'selection' | 'format'>,
): Promise<Download> {
  const { server, log } = request;
  const { db, clock } = server;
  const gone = new AbortController();
  reply.raw.once('close', () => gone.abort());
  const detail = detailOf(asked.selection, asked.format);
  const set = await runCommand(request, (trx, actor) => recordExport(trx, actor, clock(), detail));
  const keep = (users: number) =>
    transact(db, (trx) => countInSet(trx, Number(set), users)).catch((err) =>
      log.error({ err }, 'how many were exported could not be kept'),
    );
  return startDownload(db, { ...asked, keep }, gone.signal);
}

async function showExport(request: Request, reply: FastifyReply) {
  const { db, clock } = request.server;
  const selection = parseSelection(request.query, clock());
  const total = await countSelected(db, selection);
  const formats = Object.entries(FORMATS).map(([value, { name, hint }]) => [value, name, hint] as const);
  return reply.render('transfer/export', { selection, total, formats });
}

async function showWaiting(reply: FastifyReply, selection: Selection, format: FormatName) {
  const again = selectionAddress('/export/file', selection, [['format', format]]);
  reply.header('refresh', `${ASKED_AGAIN}; url=${urlFor(reply.server.config.origin, again)}`);
  return reply.render('transfer/waiting', { selection });
}
