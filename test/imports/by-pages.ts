/** Bringing a file, as a person does it by pages. */
import { Readable } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import { newToken } from '../../src/auth/tokens.ts';
import { pageOf } from '../page.ts';
import type { Headers } from '../people.ts';
import { get, post } from '../support.ts';
import { type File, multipart } from './multipart.ts';

export async function send(
  app: FastifyInstance,
  headers: Headers | object,
  file?: File,
  key: string = newToken(),
  url = '/import',
) {
  const form = multipart({ key }, file);
  return app.inject({
    method: 'POST',
    url,
    headers: { host: 'localhost', ...headers, ...form.headers },
    payload: Readable.from(piecesOf(form.body)),
  });
}

/** As a connection brings them: whatever is not of the file has to be small. */
const PIECE_BYTES = 2 ** 16;

function* piecesOf(body: Buffer): Generator<Buffer> {
  for (let at = 0; at < body.length; at += PIECE_BYTES) yield body.subarray(at, at + PIECE_BYTES);
}

/** It is read by then. @returns its address */
export async function bring(
  app: FastifyInstance,
  headers: Headers,
  content: string | Buffer,
  name = 'users.csv',
  url = '/import',
): Promise<string> {
  const answer = await send(app, headers, { name, content }, newToken(), url);
  if (answer.statusCode !== 303) throw new Error(pageOf(answer).text);
  await app.runJobs();
  return String(answer.headers.location);
}

/** What was checked is applied, to its end. @returns what is said then */
export async function apply(app: FastifyInstance, headers: Headers, address: string) {
  const { action, judged } = await decision(app, headers, address);
  const answer = await post(app, action, { judged }, headers);
  await app.runJobs();
  return get(app, String(answer.headers.location), headers);
}

export async function decision(app: FastifyInstance, headers: Headers, address: string) {
  const page = pageOf(await get(app, address, headers));
  const button = page.buttons.find((text) => text.startsWith('Apply ')) ?? '';
  return { action: page.form(button).action, judged: page.field('judged'), button };
}
