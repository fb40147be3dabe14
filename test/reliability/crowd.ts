/** A process of its own: many connections that each ask again as soon as they are answered. */
import { connect } from 'node:net';

/** What a crowd is told, as JSON in its only argument. */
export type Orders = {
  port: number;
  connections: number;
  /** For how long it goes on once each has been answered, in milliseconds. */
  milliseconds: number;
  /** And until somebody is refused, however slow the machine is. */
  untilRefused: boolean;
  /** Connections take turns with these; a "0000000" becomes another number each time, a "0.0.0.0" the next client's address. */
  requests: string[];
};

/** What it has seen by then, as JSON in the second line that it says. The first one comes when each has been answered. */
export type Seen = {
  answers: Record<number, number>;
  /** How long each refusal took, in milliseconds, and what they said. */
  refusals: number[];
  retryAfter: string[];
  /** Connections that ended, and answers without a length. */
  problems: string[];
};

const orders: Orders = JSON.parse(process.argv[2] ?? '');
const seen: Seen = { answers: {}, refusals: [], retryAfter: [], problems: [] };
/** In milliseconds, until it is looked once more whether somebody was. */
const AGAIN = 50;
const NOTHING = Buffer.alloc(0);
/** What has come last, on whichever connection: what this process takes of the machine the other one lacks. */
const taken = Buffer.alloc(64 * 1024);
let asked = 0;
let waitedFor = orders.connections;
let isStanding = false;

for (let index = 0; index < orders.connections; index++) {
  askForEver(orders.requests[index % orders.requests.length] ?? '');
}

function askForEver(request: string): void {
  let sent = 0;
  let answered = 0;
  let missing = 0;
  let head: Buffer = NOTHING;
  const ask = () => {
    sent = performance.now();
    const number = String(asked++).padStart(7, '0');
    socket.write(request.replaceAll('0000000', number).replace('0.0.0.0', nextClient()), 'latin1');
  };
  const take = (data: Buffer) => {
    if (missing === 0) {
      head = head.length > 0 ? Buffer.concat([head, data]) : data;
      const end = head.indexOf('\r\n\r\n');
      if (end < 0) {
        head = Buffer.from(head);
        return;
      }
      missing = note(head.toString('latin1', 0, end), performance.now() - sent) + end + 4 - head.length;
      head = NOTHING;
    } else missing -= data.length;
    if (missing > 0) return;
    if (answered++ === 0 && --waitedFor === 0) stand();
    ask();
  };
  const onread = {
    buffer: taken,
    callback: (length: number) => {
      take(taken.subarray(0, length));
      return true;
    },
  };
  const socket = connect({ port: orders.port, host: '127.0.0.1', noDelay: true, onread }, ask);
  const fail = (what: string) => () => seen.problems.push(what);
  socket.on('error', fail('error')).on('close', fail('closed'));
}

/** As many clients as connections: behind a proxy each asks on whichever is free. */
function nextClient(): string {
  const client = asked % orders.connections;
  return `10.0.${client >> 8}.${client & 255}`;
}

/** From now on it counts. */
function stand(): void {
  isStanding = true;
  console.log('standing');
  setTimeout(end, orders.milliseconds);
}

function end(): void {
  if (orders.untilRefused && seen.refusals.length === 0) {
    setTimeout(end, AGAIN);
    return;
  }
  seen.retryAfter = [...new Set(seen.retryAfter)];
  // Not before all of it is in the pipe.
  process.stdout.write(`${JSON.stringify(seen)}\n`, () => process.exit());
}

/** Returns the length of the body that follows. */
function note(head: string, time: number): number {
  const status = Number(head.slice(9, 12));
  if (isStanding) seen.answers[status] = (seen.answers[status] ?? 0) + 1;
  if (status === 503) {
    if (isStanding) seen.refusals.push(time);
    seen.retryAfter.push(/\r\nretry-after: (.*)/i.exec(head)?.[1] ?? 'none');
  }
  const length = /\r\ncontent-length: (\d+)/i.exec(head)?.[1];
  if (length === undefined) seen.problems.push(head);
  return Number(length);
}
