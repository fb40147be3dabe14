/** A mail server of the tests' own, on a free port of this machine, and the mails that it has taken. */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';
import { onTestFinished } from 'vitest';

export type Received = {
  from: string;
  to: readonly string[];
  headers: ReadonlyMap<string, string>;
  body: string;
  isEncrypted: boolean;
};

export async function startMailServer(options: SMTPServerOptions = {}) {
  const mails: Received[] = [];
  const server = new SMTPServer({
    authOptional: true,
    logger: false,
    hideSTARTTLS: true,
    onData(stream, { envelope, secure }, done) {
      const [from, to] = [envelope.mailFrom, envelope.rcptTo];
      const mail = {
        from: from ? from.address : '',
        to: to.map(({ address }) => address),
        isEncrypted: secure,
      };
      text(stream).then((raw) => {
        mails.push({ ...mail, ...parse(raw) });
        done();
      }, done);
    },
    ...options,
  });
  server.on('error', () => {});
  server.listen(0, '127.0.0.1');
  await once(server.server, 'listening');
  const end = Promise.withResolvers<void>();
  onTestFinished(() => {
    for (const connection of server.connections) connection.close();
    server.close(end.resolve);
    return end.promise;
  });
  return { port: (server.server.address() as AddressInfo).port, mails };
}

/** One that takes connections, and never says a word. */
export async function startSilentServer() {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    socket.on('error', () => {});
    sockets.push(socket);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const hangUp = () => {
    for (const socket of sockets) socket.destroy();
  };
  onTestFinished(async () => {
    hangUp();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { port, server, hangUp };
}

/** RFC 5322 and 2045, as far as mails of one part need them. */
function parse(raw: string): { headers: ReadonlyMap<string, string>; body: string } {
  const [head = '', ...rest] = raw.split('\r\n\r\n');
  const lines = head.replaceAll(/\r\n[ \t]+/g, ' ').split('\r\n');
  const headers = new Map(
    lines.map((line) => {
      const [name = '', ...value] = line.split(': ');
      return [name.toLowerCase(), decodeWords(value.join(': '))];
    }),
  );
  const content = rest.join('\r\n\r\n');
  const encoding = headers.get('content-transfer-encoding');
  const body =
    encoding === 'base64'
      ? Buffer.from(content, 'base64').toString('utf8')
      : encoding === 'quoted-printable'
        ? unquote(content.replaceAll('=\r\n', ''))
        : content;
  return { headers, body: body.replaceAll('\r\n', '\n') };
}

/** RFC 2047 */
function decodeWords(value: string): string {
  return value
    .replaceAll(/\?=\s+=\?/g, '?==?')
    .replaceAll(/=\?utf-8\?([qb])\?([^?]*)\?=/gi, (_word, kind: string, coded: string) =>
      kind.toLowerCase() === 'b'
        ? Buffer.from(coded, 'base64').toString('utf8')
        : unquote(coded.replaceAll('_', ' ')),
    );
}

function unquote(text: string): string {
  const bytes = text.replaceAll(/=([\da-f]{2})/gi, (_coded, hex) => `%${hex}`);
  return decodeURIComponent(bytes.replaceAll(/%(?![\da-f]{2})/gi, '%25'));
}
