/** A form with one file, as a browser sends it (RFC 7578): the file goes straight to the disk, piece by piece. */
import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { Busboy, type BusboyHeaders } from '@fastify/busboy';
import { BadSubmissionError } from '../errors.ts';
import type { Fields } from '../lib/forms.ts';

/** The names of files are longer than values of fields are. */
const LIMITS = { files: 1, fields: 10, parts: 12, fieldSize: 1024, headerPairs: 20, headerSize: 8 * 1024 };

/** `hash`: of what is in the file. `name`: as whoever sends it calls it, empty where no file was chosen. */
export type Received = { name: string; size: number; hash: string; fields: Fields };

/** Of all that is not the file, and of it what waits to be written, in bytes. */
const MOST_BESIDE = 1024 * 1024;

type File = Pick<Received, 'size' | 'hash'>;

/** What is not wanted any more ends it: `raw` is then neither at its end nor destroyed, and is to be dropped. */
export type Receiving = {
  raw: IncomingMessage;
  path: string;
  signal: AbortSignal;
  /** Called before some bytes are written; what it throws ends it. */
  admit: (bytes: number) => Promise<void>;
};

/** @throws BadSubmissionError where it is no such form, or not whole; what `admit` throws; why it was aborted */
export async function receiveFile({ raw, path, signal, admit }: Receiving): Promise<Received> {
  const { promise: ended, resolve, reject } = Promise.withResolvers<void>();
  const fields: Record<string, string> = Object.create(null);
  const parser = parserOf(raw.headers);
  let file: { name: string; stream: Readable; written: Promise<File> } | undefined;
  parser.on('field', (name, value) => {
    fields[name] ??= value;
  });
  const odd = () => reject(new BadSubmissionError('The form has more in it than a file.'));
  for (const limit of ['partsLimit', 'fieldsLimit', 'filesLimit'] as const) parser.on(limit, odd);
  let beside = 0;
  const onData = (chunk: Buffer) => {
    beside += chunk.length;
    if (beside > MOST_BESIDE) odd();
  };
  raw.on('data', onData);
  parser.on('file', (_field, stream, name) => {
    const written = write(stream, path, async (bytes) => {
      beside -= bytes;
      await admit(bytes);
    });
    written.catch(reject);
    // Of what is not wanted any more nobody hears that it is cut off.
    stream.on('error', () => {});
    file = { name: name ?? '', stream, written };
  });
  const cutOff = () => reject(new BadSubmissionError('The file did not arrive whole.'));
  parser.on('finish', resolve).on('error', cutOff);
  const onAbort = () => reject(signal.reason);
  const onClose = () => raw.complete || cutOff();
  raw.once('close', onClose);
  signal.addEventListener('abort', onAbort);
  try {
    signal.throwIfAborted();
    // Before it was listened to.
    if (raw.destroyed) onClose();
    raw.pipe(parser);
    await ended;
    return { ...(await (file?.written ?? { size: 0, hash: '' })), name: file?.name ?? '', fields };
  } finally {
    signal.removeEventListener('abort', onAbort);
    raw.off('close', onClose).off('data', onData).unpipe(parser);
    // Dropped from here on, as far as it goes on.
    raw.resume();
    file?.stream.destroy();
    await file?.written.catch(() => {});
  }
}

function parserOf(headers: IncomingMessage['headers']) {
  try {
    return new Busboy({ headers: headers as BusboyHeaders, limits: LIMITS });
  } catch {
    throw new BadSubmissionError('The form does not say how its parts are told apart.');
  }
}

async function write(stream: Readable, path: string, admit: Receiving['admit']): Promise<File> {
  const hash = createHash('sha256');
  let size = 0;
  await using file = await open(path, 'wx', 0o600);
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    size += chunk.length;
    await admit(chunk.length);
    hash.update(chunk);
    await file.writeFile(chunk);
  }
  await file.sync();
  return { size, hash: hash.digest('base64url') };
}
