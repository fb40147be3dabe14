/** `/export`: the users of a list, or those who were ticked, as a file. */
import { Readable } from 'node:stream';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { allow } from '../auth/access.ts';
import { mayRead } from '../auth/policy.ts';
import { runCommand } from '../auth/run-command.ts';
import { transact } from '../db/transact.ts';
import { countInSet, recordExport } from '../history/record.ts';
import { abortSignalOf } from '../http/client-gone.ts';
import { isFromHere } from '../http/cross-site.ts';
import { refuseUnseenImport } from '../imports/commands.ts';
import { refuseWithoutRoom } from '../lib/disk-space.ts';
import type { Fields } from '../lib/forms.ts';
import type { Total } from '../lib/pagination.ts';
import { wholeNumber } from '../lib/text.ts';
import { urlFor } from '../lib/url-for.ts';
import {
  countSelected,
  isEmpty,
  parseSelection,
  type Selection,
  selectionAddress,
} from '../users/list/selection.ts';
import { type Download, giveUp, startDownload } from './download.ts';
import { FORMATS, type FormatName, parseFormat } from './formats.ts';
import { ownSlots, type TakeSlot } from './slots.ts';
import { detailOf, fileNameOf } from './words.ts';

const ASKED_AGAIN_SECONDS = '3';
/** Without a byte: of many users few may match, or whoever reads does not. */
const LONGEST_SILENCE_MS = 120_000;

type Request = FastifyRequest<{ Querystring: Fields }>;

/** `promised`: how many were to be in the file when it was asked for, where that was known. */
type ExportRequest = { selection: Selection; format: FormatName; promised: number | undefined };

/** By now there are others: whoever has asked for so many is asked again. */
class OtherNumberError extends Error {}

export function exportRoutes(
  app: FastifyInstance,
  folder: string,
  takeSlot: TakeSlot = ownSlots(app.stopwatch),
): void {
  app.get('/export', allow(mayRead), async (request: Request, reply) => showExport(request, reply));
  const writing = { ...allow(mayRead, { readsPrimary: true }), onSend: allowSilence };
  app.get('/export/file', writing, async (request: Request, reply) => {
    const { query, server } = request;
    const selection = await readSelection(request);
    const format = parseFormat(query.format);
    // Whom another site leads here is asked first.
    if (format === undefined || isEmpty(selection) || isFromHere(request, server.config) === false)
      return reply.redirect(selectionAddress('/export', selection), 302);
    const asked = { selection, format, promised: wholeNumber(query.count ?? '') };
    reply.header('cache-control', 'no-store');
    if (request.method === 'HEAD') return reply.type(FORMATS[format].type).send();
    const gone = abortSignalOf(reply.raw);
    // Whoever is gone already takes no slot; what they are answered nobody reads.
    const slot = gone.aborted ? undefined : await takeSlot(`${request.actor?.user?.id}`);
    if (slot === undefined || gone.aborted) {
      slot?.endWriting();
      slot?.endReading();
      return showWaiting(reply, asked);
    }
    const download = begin(request, asked, folder, gone);
    void download.then(({ written }) => written).then(slot.endWriting, slot.endWriting);
    void download.then(({ closed }) => closed).then(slot.endReading, slot.endReading);
    try {
      return await sendFile(reply, await download, asked);
    } catch (error) {
      if (error instanceof OtherNumberError) return showExport(request, reply, asked);
      throw error;
    }
  });
}

async function sendFile(reply: FastifyReply, download: Download, { selection, format }: ExportRequest) {
  const { stream, written, size } = download;
  // It has no chunks: without a length, what is cut off would look as if that were all (RFC 9112, 6.3).
  if (reply.request.raw.httpVersion === '1.0') {
    const { error } = await written;
    if (error !== undefined) {
      await giveUp(download);
      throw error;
    }
    reply.header('content-length', size());
  }
  const name = fileNameOf(selection, format, reply.server.clock());
  const disposition = `attachment; filename="${name}"`;
  return reply.type(FORMATS[format].type).header('content-disposition', disposition).send(stream);
}

function allowSilence(
  request: FastifyRequest,
  _reply: FastifyReply,
  payload: unknown,
  done: (error: null, payload: unknown) => void,
) {
  if (payload instanceof Readable) request.socket.setTimeout?.(LONGEST_SILENCE_MS);
  done(null, payload);
}

/** It is in the history as soon as it begins, and how many there were once that is known. */
async function begin(
  request: Request,
  { selection, format, promised }: ExportRequest,
  folder: string,
  gone: AbortSignal,
): Promise<Download> {
  const { server, log } = request;
  const { db, clock } = server;
  const judge = (total: Total | undefined) => refuseOther(total, promised);
  // Also at the moment as of which it is read; here, so that nothing is told that was not begun.
  if (promised !== undefined) judge(await countSelected(db, selection));
  refuseWithoutRoom(folder);
  const detail = detailOf(selection, format);
  const set = await runCommand(request, (trx, actor) => recordExport(trx, actor, clock(), detail));
  const keep = (users: number) =>
    transact(db, (trx) => countInSet(trx, Number(set), users)).catch((err) =>
      log.error({ err }, 'how many were exported could not be kept'),
    );
  return startDownload(db, { folder, selection, format, judge, keep }, gone);
}

function refuseOther(total: Total | undefined, promised: number | undefined): void {
  if (total === undefined || promised === undefined) return;
  if (!total.isExact || total.count !== promised) throw new OtherNumberError();
}

/** @throws NotFoundError for what is not to be seen */
async function readSelection({ reader, query, server, actor }: Request): Promise<Selection> {
  const selection = parseSelection(query, server.clock());
  await refuseUnseenImport(reader, actor, selection.list);
  return selection;
}

/** @param asked what cannot be had any more: then it is asked again */
async function showExport(request: Request, reply: FastifyReply, asked?: ExportRequest) {
  const selection = await readSelection(request);
  const total = await countSelected(request.reader, selection);
  const formats = Object.entries(FORMATS).map(([value, { name, hint }]) => [value, name, hint] as const);
  const { format = 'csv', promised } = asked ?? {};
  return reply.render('exports/export', { selection, total, formats, format, promised }, asked ? 409 : 200);
}

/** No 200, which a program would take for the file; browsers ask again all the same. */
async function showWaiting(reply: FastifyReply, { selection, format, promised }: ExportRequest) {
  const count = promised === undefined ? [] : [['count', `${promised}`] as [string, string]];
  const again = selectionAddress('/export/file', selection, [['format', format], ...count]);
  reply.header('refresh', `${ASKED_AGAIN_SECONDS}; url=${urlFor(reply.server.config.origin, again)}`);
  reply.header('retry-after', ASKED_AGAIN_SECONDS);
  return reply.render('exports/waiting', { selection }, 503);
}
