/**
 * Admission control: a request is begun when there is time for it, and refused when there has been none for too long. All
 * work is done by one event loop, and each of its turns takes one new connection (https://github.com/nodejs/node/issues/57364):
 * so turns are kept short, and requests wait here, where it is known for how long.
 */
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { AdmissionQueue, type Kind } from './admission-queue.ts';
import { isSaturated } from './db/engine.ts';
import { noteRequest } from './error-pages.ts';
import { addRefusals } from './refusals.ts';
import { isGivenUp } from './unread-bodies.ts';

/** For how long a turn begins requests, in milliseconds; of those that waited so many at most. */
const TURN = 10;
const MOST_A_TURN = 32;
/** While connections come in, one request is begun in so many turns. */
const TURNS_PER_BEGUN = 4;
/** Of those who are late so many are refused for each request that is begun: a refusal costs a fifth of a page. */
const REFUSED_PER_BEGUN = 2;
/** Whoever is so late, in milliseconds, is refused at once. */
const MOST_LATE = 3_000;
/** How many may wait; the next are refused at once. */
const MOST_WAITING = 10_000;
/** Whoever asks more often on one connection, never with a pause of so many milliseconds in between, is hasty. */
const BURST = 3;
const PAUSE = 1_000;

const HEALTH = /^\/(healthz|readyz)(?=[/?]|$)/;
const SIGNING_IN = /^\/(sign-in|sign-out|setup|invitations)(?=[/?]|$)/;

type Exchange = { request: IncomingMessage; response: ServerResponse };

/** What `inject` asks does not pass here. */
export function addAdmission(app: FastifyInstance): void {
  const { server, db } = app;
  const [begin] = server.listeners('request') as [RequestListener];
  const queue = new AdmissionQueue<Exchange>();
  const isHasty = watchPauses();
  const refuse = addRefusals(app);
  /** Whether a turn is to end; how many connections and begun requests there have been in it. */
  let isScheduled = false;
  let connections = 0;
  let begun = 0;
  /** When it begins no more. */
  let end = 0;

  server.off('request', begin).on('request', (request, response) => {
    noteRequest(response);
    const now = performance.now();
    const hasty = isHasty(request.socket, now);
    if (queue.size === 0 && hasTime(now) && !isSaturated(db)) begin(request, response);
    else if (queue.size < MOST_WAITING) queue.add({ request, response }, kindOf(request), hasty, now);
    else refuse(request, response);
    schedule();
  });
  // Others may wait behind it.
  server.on('connection', () => {
    connections++;
    end = 0;
  });

  function hasTime(now: number): boolean {
    if (!isScheduled) end = now + TURN;
    return now < end;
  }

  function schedule(): void {
    if (isScheduled) return;
    isScheduled = true;
    // A database that is behind is looked after every millisecond.
    if (queue.size > 0 && isSaturated(db)) setTimeout(turn, 1);
    else setImmediate(turn);
  }

  function turn(): void {
    isScheduled = false;
    const now = performance.now();
    refuseLate(now - MOST_LATE, Number.POSITIVE_INFINITY);
    refuseLate(now, isSaturated(db) ? Number.POSITIVE_INFINITY : 1 + begun * REFUSED_PER_BEGUN);
    begun = 0;
    if (end > 0 || connections % TURNS_PER_BEGUN === 0) beginNext();
    end = now + TURN;
    if (queue.size === 0) return;
    // Each by itself, so that it has done what it can at once before it is asked whether there is time for the next.
    for (let more = Math.min(queue.size, MOST_A_TURN); more > 0; more--) setImmediate(beginIfTime);
    schedule();
  }

  function beginIfTime(): void {
    if (performance.now() < end) beginNext();
  }

  function beginNext(): void {
    const next = isSaturated(db) ? queue.takeNextOfHealth() : queue.takeNext();
    if (next === undefined || isGone(next)) return;
    begun++;
    begin(next.request, next.response);
  }

  function refuseLate(then: number, most: number): void {
    for (let left = most; left > 0; left--) {
      const late = queue.takeLate(then);
      if (late === undefined) return;
      if (!isGone(late)) refuse(late.request, late.response);
    }
  }
}

function isGone({ request: { socket } }: Exchange): boolean {
  return socket.destroyed || isGivenUp(socket);
}

function kindOf({ method, url = '' }: IncomingMessage): Kind {
  if (HEALTH.test(url)) return 'health';
  if (SIGNING_IN.test(url)) return 'signing in';
  return method === 'GET' || method === 'HEAD' ? 'reading' : 'writing';
}

/** Tells whether who asks on a connection is hasty. */
function watchPauses(): (socket: Socket, now: number) => boolean {
  const askers = new WeakMap<Socket, { count: number; last: number }>();
  return (socket, now) => {
    const asker = askers.get(socket) ?? { count: 0, last: now };
    asker.count = now - asker.last < PAUSE ? asker.count + 1 : 1;
    asker.last = now;
    askers.set(socket, asker);
    return asker.count > BURST;
  };
}
