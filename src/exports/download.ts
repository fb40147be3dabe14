/** An export that is read while it is made: the database is let go of as soon as it is written, however slowly it is read. */
import { Readable } from 'node:stream';
import type { Db } from '../db/schema.ts';
import type { Total } from '../lib/pagination.ts';
import type { Selection } from '../users/list/selection.ts';
import { writeExport } from './export.ts';
import type { FormatName } from './formats.ts';
import { type Outcome, Spool } from './spool.ts';

/** They are counted beforehand, and not measured. */
const USUAL_BYTES_PER_USER = 64;

/** `judge` is told how many there are, first of all, and ends it by throwing; `keep`, which never rejects, how many were written. */
type DownloadOptions = {
  folder: string;
  selection: Selection;
  format: FormatName;
  judge: (total: Total) => void;
  keep: (users: number) => Promise<void>;
};

/** `written`, which never rejects: nothing more is; `size`: in bytes, so far; `closed`: nothing is kept of it any more. */
export type Download = {
  stream: Readable;
  written: Promise<Outcome>;
  size: () => number;
  closed: Promise<void>;
};

/** @param gone aborted when nobody reads it any more @throws NoRoomError, what `judge` throws */
export async function startDownload(db: Db, options: DownloadOptions, gone: AbortSignal): Promise<Download> {
  const spool = await Spool.make(options.folder);
  const written = write(db, options, spool, gone);
  const stream = Readable.from(spool.read(), { objectMode: false });
  const read = new Promise<void>((resolve) => stream.once('close', resolve));
  const closed = Promise.all([written, read]).then(() => spool.close());
  const download = { stream, written, size: () => spool.size, closed };
  try {
    await spool.begun();
  } catch (error) {
    await giveUp(download);
    throw error;
  }
  return download;
}

/** Where nobody has begun to read it. */
export async function giveUp({ stream, closed }: Pick<Download, 'stream' | 'closed'>): Promise<void> {
  stream.once('error', () => {}).destroy();
  await closed;
}

async function write(db: Db, options: DownloadOptions, spool: Spool, gone: AbortSignal): Promise<Outcome> {
  let count = 0;
  const note = (users: number) => {
    count += users;
  };
  const judge = (total: Total) => {
    options.judge(total);
    spool.look(total.count * USUAL_BYTES_PER_USER);
  };
  const outcome: Outcome = await writeExport(db, { ...options, judge }, spool, note, gone).then(
    () => ({}),
    (error) => ({ error }),
  );
  await options.keep(count);
  spool.end(outcome);
  return outcome;
}
