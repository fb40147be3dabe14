/**
 * Admission control: a request is begun when there is time for it, and refused when there has been none for too long. All
 * work is done by one event loop, and each of its turns takes one new connection (https://github.com/nodejs/node/issues/57364):
 * so turns are kept short, and requests wait here, where it is known for how long.
 */
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { isSaturated } from '../db/engine.ts';
import { AdmissionQueue, type Kind } from './admission-queue.ts';
import { noteRequest } from './error-pages.ts';
import { type Asker, Askers, isHasty } from './haste.ts';
import { addRefusals } from './refusals.ts';
import { isGivenUp } from './unread-bodies.ts';

/** How many requests a turn begins at most, and for how many milliseconds: writers among them are synced together. */
const MOST_A_TURN = 32;
const TURN_TIME = 15;
/** While connections come in, one request is begun in so many turns. */
const TURNS_PER_BEGUN = 4;
/** Of those who are late so many are refused for each request that is begun: a refusal costs a fifteenth of a page. */
const REFUSED_PER_BEGUN = 6;
/** Whoever is so late, in milliseconds, is refused at once. */
const MOST_LATE = 3_000;
/** How many may wait; the next are refused at once. */
const MOST_WAITING = 10_000;
const HEALTH = /^\/(healthz|readyz)(?=[/?]|$)/;
const SIGNING_IN = /^\/(sign-in|sign-out|setup|invitations)(?=[/?]|$)/;

/** A connection, or an address. */
type Who = Socket | string;
/** Without an asker it is not known who asks. */
type Exchange = { request: IncomingMessage; response: ServerResponse; asker: Asker<Who> | undefined };

/**
 * What `inject` asks does not pass here.
 * @param whoAsks of whom it is known whether they pause.
 */
export function addAdmission(
  app: FastifyInstance,
  whoAsks: (request: IncomingMessage) => Who | undefined,
): void {
  const { server, db } = app;
  const [begin] = server.listeners('request') as [RequestListener];
  const queue = new AdmissionQueue<Exchange>();
  const askers = new Askers<Who>();
  const refuse = addRefusals(app);
  let isScheduled = false;
  /** How many more this turn begins, and how many of those that waited the last one has begun. */
  let left = MOST_A_TURN;
  let begun = 0;
  let turnEnds = 0;
  let connections = 0;

  server.off('request', begin).on('request', (request, response) => {
    const before = noteRequest(response);
    if (before === undefined) admit(request, response);
    else admitAfter(before, request, response);
  });
  // Others may wait behind it, for the next turn.
  server.on('connection', () => {
    connections++;
    left = 0;
    schedule();
  });

  /** Requests of one connection are answered one after the other (RFC 9112, 9.3.2), and no more of them are read meanwhile. */
  function admitAfter(before: ServerResponse, request: IncomingMessage, response: ServerResponse): void {
    const { socket } = request;
    // Node reads on by itself once it has the whole request.
    process.nextTick(() => {
      if (!before.closed) socket.pause();
    });
    before.once('close', () => {
      socket.resume();
      // That answer may have been the last one.
      if (socket.writable) admit(request, response);
    });
  }

  function admit(request: IncomingMessage, response: ServerResponse): void {
    // Whoever checks on health hears whether Roster lives, not whether it is busy.
    if (HEALTH.test(request.url ?? '')) {
      begin(request, response);
      return;
    }
    const now = performance.now();
    const who = whoAsks(request);
    const asker = who === undefined ? undefined : askers.note(who, now);
    if (queue.size === 0 && left > 0 && !isSaturated(db)) {
      left--;
      begin(request, response);
    } else if (queue.size < MOST_WAITING)
      queue.add({ request, response, asker }, kindOf(request), isHasty(asker), now);
    else refuse(request, response);
    schedule();
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
    // Where this turn begins all of them it is no crowd that has made them late, but a machine that stood still.
    if (queue.size > MOST_A_TURN || isSaturated(db)) {
      refuseLate(now - MOST_LATE, Number.POSITIVE_INFINITY);
      // One in any case, as nothing is begun while the database hangs.
      refuseLate(now, 1 + begun * REFUSED_PER_BEGUN);
    }
    begun = 0;
    if (connections % TURNS_PER_BEGUN === 0) beginNext();
    left = MOST_A_TURN;
    if (queue.size === 0) return;
    // Whatever has come is read before.
    setImmediate(() => {
      turnEnds = performance.now() + TURN_TIME;
    });
    // Each by itself, so that it has done what it can at once when the next is begun.
    for (let more = Math.min(queue.size, MOST_A_TURN); more > 0; more--) setImmediate(beginIfAny);
    schedule();
  }

  function beginIfAny(): void {
    if (left-- > 0 && performance.now() < turnEnds) beginNext();
  }

  function beginNext(): void {
    const next = isSaturated(db) ? undefined : queue.takeNext();
    if (next === undefined || isGone(next)) return;
    begun++;
    leave(next);
    begin(next.request, next.response);
  }

  function leave({ asker }: Exchange): void {
    if (asker) askers.keep(asker, performance.now());
  }

  function refuseLate(then: number, most: number): void {
    for (let left = most; left > 0; left--) {
      const late = queue.takeLate(then);
      if (late === undefined) return;
      if (isGone(late)) continue;
      leave(late);
      refuse(late.request, late.response);
    }
  }
}

function isGone({ request: { socket } }: Exchange): boolean {
  return socket.destroyed || isGivenUp(socket);
}

function kindOf({ method, url = '' }: IncomingMessage): Kind {
  if (SIGNING_IN.test(url)) return 'signing in';
  return method === 'GET' || method === 'HEAD' ? 'reading' : 'writing';
}
