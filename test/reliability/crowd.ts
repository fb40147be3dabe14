/** A process of its own: many connections that each ask the same again as soon as they are answered. */
import { connect, type Socket } from 'node:net';

/** What a crowd is told to do, as JSON in its only argument. */
export type Orders = { port: number; connections: number; milliseconds: number; request: string };

/** What it has seen, as JSON on its standard output. */
export type Seen = {
  /** How many answers of each status came in the second half of the time, by when all are connected, and how long that is. */
  answers: Record<number, number>;
  milliseconds: number;
  /** How long each refusal took from its request on, in milliseconds, and what it said. */
  refusals: number[];
  retryAfter: string[];
  /** Answers that are neither: cut off, or without a length. */
  problems: string[];
};

const HEAD_END = Buffer.from('\r\n\r\n');
const orders: Orders = JSON.parse(process.argv[2] ?? '');
const seen: Seen = {
  answers: {},
  milliseconds: orders.milliseconds / 2,
  refusals: [],
  retryAfter: [],
  problems: [],
};
const request = Buffer.from(orders.request);
const began = performance.now();
const sockets = Array.from({ length: orders.connections }, ask);

setTimeout(() => {
  for (const socket of sockets) socket.removeAllListeners('close').destroy();
  seen.retryAfter = [...new Set(seen.retryAfter)];
  console.log(JSON.stringify(seen));
}, orders.milliseconds);

function ask(): Socket {
  let sent = 0;
  let missing = 0;
  let head: Buffer = Buffer.alloc(0);
  const send = () => {
    sent = performance.now();
    socket.write(request);
  };
  const socket = connect({ port: orders.port, host: '127.0.0.1', noDelay: true }, send);
  socket.on('data', (data: Buffer) => {
    if (missing === 0) {
      head = head.length === 0 ? data : Buffer.concat([head, data]);
      const end = head.indexOf(HEAD_END);
      if (end < 0) return;
      missing = note(head.toString('latin1', 0, end), sent) + end + 4 - head.length;
      head = Buffer.alloc(0);
    } else missing -= data.length;
    if (missing === 0) send();
  });
  const fail = (what: string) => () => seen.problems.push(what);
  return socket.on('error', fail('error')).on('close', fail('closed'));
}

/** The length of the body that follows. */
function note(head: string, sent: number): number {
  const status = Number(head.slice(9, 12));
  const now = performance.now();
  if (now - began > orders.milliseconds / 2) seen.answers[status] = (seen.answers[status] ?? 0) + 1;
  if (status === 503) {
    seen.refusals.push(now - sent);
    seen.retryAfter.push(/\r\nretry-after: (.*)/i.exec(head)?.[1] ?? 'none');
  }
  const length = /\r\ncontent-length: (\d+)/i.exec(head)?.[1];
  if (length === undefined) seen.problems.push(head);
  return Number(length);
}
