/** Stands between Roster and PostgreSQL, and breaks what they say to each other at a chosen moment. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

/**
 * What happens when Roster says `at`: the connection is cut `before` it reaches PostgreSQL or `after`
 * PostgreSQL has answered it, or PostgreSQL is not heard of any more (`silence`), or it ends the connection in the same
 * breath in which it answers (`ended`).
 */
export type Fault = { at: string; is: 'before' | 'after' | 'silence' | 'ended' };

/** https://www.postgresql.org/docs/18/protocol-message-formats.html: "ErrorResponse", and the end of a whole answer. */
const ENDED = errorResponse(
  'SFATAL\0VFATAL\0C57P01\0Mterminating connection due to administrator command\0\0',
);
const READY = /5a00000005..$/;

export type Proxy = {
  url: string;
  /** All that Roster has said, as it went over the wire. */
  heard(): string;
  /** The next connection on which that is said breaks, and for each further fault another one; all others work. */
  breakOnce(...faults: Fault[]): void;
  /** What connects from now on is led to another server, as by an address that follows the primary. */
  moveTo(url: string): void;
  /** Nothing is heard of PostgreSQL any more, nor that it is gone, as of a machine that is off. */
  fallSilent(): void;
  /** Nobody gets through any more, until it is moved. */
  cutOff(): void;
};

export async function startProxy(url: string): Promise<Proxy> {
  let target: URL | undefined = new URL(url);
  const sockets = new Set<Socket>();
  let faults: Fault[] = [];
  let heard = '';
  let isSilent = false;
  const server = createServer((roster) => {
    if (target === undefined) return void roster.destroy();
    const postgres = connect(Number(target.port), target.hostname);
    const cut = () => {
      roster.destroy();
      postgres.destroy();
    };
    let broken: Fault | undefined;
    roster.on('data', (data) => {
      heard += data.toString('latin1');
      if (broken === undefined && faults[0] && data.includes(faults[0].at)) broken = faults.shift();
      if (broken?.is === 'before') cut();
      else if (broken?.is !== 'silence' && !isSilent) postgres.write(data);
    });
    postgres.on('data', (data: Buffer) => {
      if (isSilent) return;
      if (broken?.is === 'after') cut();
      else if (broken?.is === 'ended')
        roster.write(READY.test(data.toString('hex')) ? Buffer.concat([data, ENDED]) : data);
      else if (broken === undefined) roster.write(data);
    });
    for (const socket of [roster, postgres]) {
      sockets.add(socket);
      socket.on('error', cut).on('close', cut);
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  const proxied = new URL(url);
  proxied.port = String((server.address() as AddressInfo).port);
  return {
    url: proxied.href,
    heard: () => heard,
    breakOnce: (...next) => {
      faults = next;
    },
    moveTo: (next) => {
      target = new URL(next);
    },
    fallSilent: () => {
      isSilent = true;
    },
    cutOff: () => {
      target = undefined;
      for (const socket of sockets) socket.destroy();
    },
  };
}

function errorResponse(fields: string): Buffer {
  const message = Buffer.from(`E\0\0\0\0${fields}`);
  message.writeInt32BE(message.length - 1, 1);
  return message;
}
