/** An export that is read while it is made: the database is let go of as soon as it is written, however slowly it is read. */
import { Readable } from 'node:stream';
import type { Db } from '../db/schema.ts';
import type { Selection } from '../users/list/selection.ts';
import { writeExport } from './export.ts';
import type { FormatName } from './formats.ts';
import { Spool } from './spool.ts';

export type Asked = {
  /** For the file. */
  folder: string;
  selection: Selection;
  format: FormatName;
  /** Keeps how many were written, before whoever reads comes to the end; never rejects. */
  keep: (users: number) => Promise<void>;
};

export type Download = {
  stream: Readable;
  /** Nothing more is written. */
  written: Promise<void>;
  /** In bytes, as far as it is written. */
  size: () => number;
  /** Nothing is kept of it any more. */
  closed: Promise<void>;
};

/** @param gone aborted when nobody reads it any more. @throws what goes wrong before there is anything to read */
export async function startDownload(db: Db, asked: Asked, gone: AbortSignal): Promise<Download> {
  const spool = await Spool.make(asked.folder);
  const written = write(db, asked, spool, gone);
  const stream = Readable.from(spool.read(), { objectMode: false });
  const read = new Promise<void>((resolve) => stream.once('close', resolve));
  const closed = Promise.all([written, read]).then(() => spool.close());
  try {
    await spool.begun();
  } catch (error) {
    stream.once('error', () => {}).destroy();
    await closed;
    throw error;
  }
  return { stream, written, size: () => spool.size, closed };
}

/** Never rejects: whoever reads meets what goes wrong. */
async function write(db: Db, asked: Asked, spool: Spool, gone: AbortSignal): Promise<void> {
  let count = 0;
  const note = (users: number) => {
    count += users;
  };
  const outcome = await writeExport(db, asked, spool, note, gone).then(
    () => ({}),
    (error) => ({ error }),
  );
  await asked.keep(count);
  spool.end(outcome);
}
