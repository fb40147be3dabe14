/** Files that come in to be imported, by bytes on a connection: what is kept of them, and what is refused. */
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { readLongBody } from '../../src/http/long-bodies.ts';
import { findFolder } from '../../src/imports/folder.ts';
import { LIMITS, RefusedUploadError, type Staged, type Upload, Uploads } from '../../src/imports/uploads.ts';
import { temporaryFolder } from '../support.ts';
import { multipart } from './multipart.ts';

const NOTHING: Staged = { own: 0, bytes: 0 };
const FEW = { ...LIMITS, spare: 0 };

/** What becomes of the files that a server takes in. */
async function start(limits = FEW, staged = NOTHING) {
  const folder = join(temporaryFolder(), 'imports');
  const uploads = new Uploads(folder, limits);
  const taken: Promise<Upload>[] = [];
  const requests: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    requests.push(request);
    const upload = uploads.take({ raw: request }, 'ann', staged);
    taken.push(upload);
    upload.then(
      () => response.end(),
      () => response.end(),
    );
    server.emit('begun');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const send = async (form: ReturnType<typeof multipart>) => {
    const before = taken.length;
    await fetch(`http://127.0.0.1:${port}`, { method: 'POST', ...form } as RequestInit).catch(() => {});
    return taken[before] as Promise<Upload>;
  };
  const left = () => (existsSync(folder) ? readdirSync(folder).filter((name) => name !== 'identity') : []);
  return { folder, uploads, server, port, taken, send, left };
}

const refused = (statusCode: number, message: RegExp) =>
  expect.toSatisfy(
    (error) =>
      error instanceof RefusedUploadError && error.statusCode === statusCode && message.test(error.message),
  );

test('a file lies there as it was sent, for its owner alone, with the fields beside it', async () => {
  const { folder, send, left } = await start();
  const content = Buffer.from(`username,email\r\n\0\xff\r\n--${'x'.repeat(200_000)}`, 'latin1');
  const upload = await send(multipart({ key: 'k' }, { name: 'Müller & Söhne “東京”.csv', content }));
  expect(upload).toMatchObject({
    name: 'Müller & Söhne “東京”.csv',
    size: content.length,
    fields: { key: 'k' },
  });
  expect(readFileSync(upload.path).equals(content)).toBe(true);
  expect(statSync(upload.path).mode & 0o777).toBe(0o600);
  expect(statSync(folder).mode & 0o777).toBe(0o700);
  await upload.discard();
  expect(left()).toEqual([]);
  // Else nobody would look there for what was left.
  expect(findFolder(folder)).toBeDefined();
});

test('the same content has the same hash, another one has another', async () => {
  const { send } = await start();
  const of = async (content: string) => {
    const { hash, discard } = await send(multipart({}, { name: 'a.csv', content }));
    await discard();
    return hash;
  };
  expect(await of('one')).toBe(await of('one'));
  expect(await of('one')).not.toBe(await of('two'));
});

test('what was sent counts until it is known as one that waits, or is given up', async () => {
  const { send } = await start();
  const one = () => send(multipart({}, { name: 'a.csv', content: 'x' }));
  const [first] = [await one(), await one(), await one()];
  await expect(one()).rejects.toEqual(refused(422, /^Three files wait here already/));
  await first.discard();
  expect(await one()).toMatchObject({ size: 1 });
});

test('a form where no file was chosen has no name', async () => {
  const { send } = await start();
  expect(await send(multipart({ key: 'k' }, { name: '', content: '' }))).toMatchObject({ name: '', size: 0 });
  expect(await send(multipart({ key: 'k' }))).toMatchObject({ name: '', size: 0 });
});

test('of a path, as some browsers send it, the name is kept alone', async () => {
  const { send } = await start();
  const upload = await send(multipart({}, { name: 'C:\\\\temp\\\\..\\\\users.csv', content: 'a' }));
  expect(upload.name).toBe('users.csv');
});

test.each([
  ['is announced', true],
  ['turns out to be', false],
])('what %s too large is refused, and nothing of it left', async (_how, isAnnounced) => {
  const { send, left } = await start({ ...FEW, bytes: 100_000 });
  const form = multipart({}, { name: 'a.csv', content: 'a'.repeat(isAnnounced ? 2_000_000 : 200_000) });
  await expect(send(isAnnounced ? form : inChunks(form))).rejects.toEqual(refused(413, /too large/));
  expect(left()).toEqual([]);
});

test('a file as large as is allowed is taken, and one with a byte more is not', async () => {
  const { send, left } = await start({ ...FEW, bytes: 100_000 });
  const form = (bytes: number) => multipart({}, { name: 'a.csv', content: 'a'.repeat(bytes) });
  const { size, discard } = await send(form(100_000));
  expect(size).toBe(100_000);
  await discard();
  await expect(send(form(100_001))).rejects.toEqual(refused(413, /too large/));
  expect(left()).toEqual([]);
});

test('whoever has three imports under way is told so before a byte is kept', async () => {
  const { folder, send } = await start(FEW, { own: 3, bytes: 0 });
  await expect(send(multipart({}, { name: 'a.csv', content: 'a' }))).rejects.toEqual(
    refused(422, /Three files wait here already/),
  );
  expect(existsSync(folder)).toBe(false);
});

test('where too much waits there is room for nothing more', async () => {
  const { send, left } = await start(FEW, { own: 0, bytes: FEW.all });
  const form = multipart({}, { name: 'a.csv', content: 'a' });
  await expect(send(form)).rejects.toEqual(refused(507, /Too much waits/));
  await expect(send(inChunks(form))).rejects.toEqual(refused(507, /Too much waits/));
  expect(left()).toEqual([]);
});

test('what the disk has no room for is refused', async () => {
  const { send, left } = await start({ ...FEW, spare: Number.MAX_SAFE_INTEGER });
  await expect(send(multipart({}, { name: 'a.csv', content: 'a' }))).rejects.toEqual(
    refused(507, /too little room on Roster’s disk/),
  );
  expect(left()).toEqual([]);
});

test('what is cut off leaves nothing', async () => {
  const { server, port, taken, uploads, left } = await start();
  const { body, headers } = multipart({}, { name: 'a.csv', content: 'a'.repeat(100_000) });
  const socket = connect(port, '127.0.0.1');
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.write(`POST / HTTP/1.1\r\nHost: x\r\n${lines.join('')}Content-Length: ${body.length}\r\n\r\n`);
  socket.write(body.subarray(0, 60_000));
  await once(server, 'begun');
  const ended = uploads.ended();
  const outcome = expect(taken[0]).rejects.toThrow('did not arrive whole');
  socket.destroy();
  await outcome;
  await ended;
  expect(left()).toEqual([]);
});

test.each([
  [
    'without its end',
    (form: ReturnType<typeof multipart>) => ({ ...form, body: form.body.subarray(0, -30) }),
  ],
  [
    'without a boundary',
    (form: ReturnType<typeof multipart>) => ({ ...form, headers: { 'content-type': 'multipart/form-data' } }),
  ],
])('a form %s is none', async (_how, spoil) => {
  const { send, left } = await start();
  const form = multipart({}, { name: 'a.csv', content: 'a'.repeat(100) });
  await expect(send(spoil(form))).rejects.toMatchObject({ name: 'BadSubmissionError' });
  expect(left()).toEqual([]);
});

/** Without its length. */
function inChunks({ body, headers }: ReturnType<typeof multipart>) {
  return { body: new Blob([body]).stream(), headers, duplex: 'half' } as unknown as ReturnType<
    typeof multipart
  >;
}

test('what comes beside the file is bounded: parts without end, and heads of parts without end', async () => {
  const boundary = 'b';
  const headers = { 'content-type': `multipart/form-data; boundary=${boundary}` };
  const head = '--b\r\nContent-Disposition: form-data; name="x"\r\n';
  for (const body of [
    '--b\r\n\r\n\r\n'.repeat(50),
    `${head}\r\n1\r\n`.repeat(50),
    `--b\r\n${'X-Filling: abcdefghij\r\n'.repeat(100_000)}`,
  ]) {
    const { send, left } = await start();
    await expect(send({ body: Buffer.from(`${body}--b--\r\n`), headers })).rejects.toThrow(
      'The form has more in it than a file.',
    );
    expect(left()).toEqual([]);
  }
});

test('what comes too slowly to come to an end is given up', async () => {
  const { promise: ended, resolve } = Promise.withResolvers<string>();
  const server = createServer((request, response) => {
    request.resume();
    const limits = { silence: 10_000, longest: 60_000, while: 200, bytes: 1_000 };
    const read = (signal: AbortSignal) =>
      new Promise<never>((_resolve, reject) =>
        signal.addEventListener('abort', () => reject(signal.reason), { once: true }),
      );
    readLongBody(request, read, limits).catch((error) => resolve(error.message));
    response.on('error', () => {});
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
  onTestFinished(() => {
    client.destroy();
    server.close();
  });
  client.write('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n');
  const drip = setInterval(() => client.write('x'), 50);
  onTestFinished(() => clearInterval(drip));
  expect(await ended).toBe('The body took too long to arrive.');
});
