/** Admission control: a request is begun when there is time for it, and refused when there was none for too long. */
// Each turn of the event loop takes one new connection (https://github.com/nodejs/node/issues/57364): turns are short.
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { isSaturated } from '../db/engine.ts';
import { basePathOf } from '../lib/url-for.ts';
import { AdmissionQueue, type Kind, LONGEST_WAIT } from './admission-queue.ts';
import { noteRequest } from './bare-pages.ts';
import { type Asker, Askers, isHasty } from './haste.ts';
import { withoutBase } from './host.ts';
import { addRefusals } from './refusals.ts';
import { isGivenUp } from './unread-bodies.ts';

/** Writers that are begun in one turn are synced together. Times are in milliseconds. */
const MOST_BEGUN_A_TURN = 32;
const LONGEST_TURN = 15;
/** While connections come in, one request is begun in so many turns. */
const TURNS_PER_BEGUN = 4;
/** Of more waiting than this some are refused before they are late: all at once would take too long. */
const CROWD = 256;
/** How far a crowd may get ahead of time, as a part of it: for so long it may stand still, and nobody is refused. */
const LEAD = 0.25;
const MOST_WAITING = 10_000;
const HEALTH = /^\/(healthz|readyz)(?=[/?]|$)/;
const SIGNING_IN = /^\/(sign-in|sign-out|setup|invitations)(?=[/?]|$)/;
/** Many users at once. An undo may be of one of them. */
const BULK = /^\/(bulk|imports?|export|made-up-people)(?=[/?]|$)/;

declare module 'fastify' {
  interface FastifyInstance {
    /** How many were refused, since there was no time for them. */
    refused: Record<Kind, number>;
  }
}

type Who = Socket | string;
type Exchange = { request: IncomingMessage; response: ServerResponse; asker: Asker<Who> | undefined };

/** What `inject` asks does not pass here; `whoAsks` returns undefined where that is not known. @param isUrgent never of just anyone */
export function addAdmission(
  app: FastifyInstance,
  whoAsks: (request: IncomingMessage) => Who | undefined,
  isUrgent: (request: IncomingMessage) => boolean = () => false,
): void {
  const { server, db } = app;
  const basePath = basePathOf(app.config.origin);
  const [begin] = server.listeners('request') as [RequestListener];
  const queue = new AdmissionQueue<Exchange>();
  const askers = new Askers<Who>();
  const answerRefused = addRefusals(app);
  app.decorate('refused', { 'signing in': 0, reading: 0, writing: 0, bulk: 0 });
  let isScheduled = false;
  let leftThisTurn = MOST_BEGUN_A_TURN;
  let turnEnds = 0;
  let lastTurn = 0;
  /** How many more of a crowd should have been begun or refused by now, for all to be in time; below 0 that many fewer. */
  let behind = 0;
  let connections = 0;

  server.off('request', begin).on('request', (request, response) => {
    const before = noteRequest(response);
    if (before === undefined) admit(request, response);
    else admitAfter(before, request, response);
  });
  // Others may wait behind it, for the next turn.
  server.on('connection', () => {
    connections++;
    leftThisTurn = 0;
    schedule();
  });

  /** Requests of one connection are answered one after the other (RFC 9112, 9.3.2). */
  function admitAfter(before: ServerResponse, request: IncomingMessage, response: ServerResponse): void {
    const { socket } = request;
    // Node reads on by itself once it has the whole request.
    process.nextTick(() => {
      if (!before.closed) socket.pause();
    });
    before.once('close', () => {
      socket.resume();
      if (socket.writable) admit(request, response);
    });
  }

  function admit(request: IncomingMessage, response: ServerResponse): void {
    // Whoever checks on health hears whether Roster lives, not whether it is busy.
    if (HEALTH.test(withoutBase(request.url ?? '', basePath)) || isUrgent(request)) {
      begin(request, response);
      return;
    }
    const now = performance.now();
    const who = whoAsks(request);
    const asker = who === undefined ? undefined : askers.note(who, now);
    if (queue.size === 0 && leftThisTurn > 0 && !isSaturated(db)) {
      leftThisTurn--;
      begin(request, response);
    } else if (queue.size < MOST_WAITING)
      queue.add({ request, response, asker }, kindOf(request, basePath), isHasty(asker), now);
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
    behind = queue.size > CROWD ? behind + (queue.size * (now - lastTurn)) / LONGEST_WAIT : 0;
    lastTurn = now;
    if (queue.size > MOST_BEGUN_A_TURN || isSaturated(db))
      while (refuseNext(behind < 1 ? now : Number.POSITIVE_INFINITY)) behind--;
    if (connections % TURNS_PER_BEGUN === 0) beginNext();
    leftThisTurn = MOST_BEGUN_A_TURN;
    if (queue.size === 0) return;
    // Whatever has come is read before.
    setImmediate(() => {
      turnEnds = performance.now() + LONGEST_TURN;
    });
    // Each by itself, so that it has done what it can at once when the next is begun.
    for (let more = Math.min(queue.size, MOST_BEGUN_A_TURN); more > 0; more--) setImmediate(beginIfAny);
    schedule();
  }

  function beginIfAny(): void {
    if (leftThisTurn-- > 0 && performance.now() < turnEnds) beginNext();
  }

  function beginNext(): void {
    const next = isSaturated(db) ? undefined : queue.takeNext();
    if (next === undefined || isGone(next)) return;
    behind = Math.max(behind - 1, -LEAD * queue.size);
    leave(next);
    begin(next.request, next.response);
  }

  function leave({ asker }: Exchange): void {
    if (asker) askers.keep(asker, performance.now());
  }

  function refuse(request: IncomingMessage, response: ServerResponse): void {
    app.refused[kindOf(request, basePath)]++;
    answerRefused(request, response);
  }

  function refuseNext(then: number): boolean {
    const oldest = queue.takeOldest(then);
    if (oldest === undefined) return false;
    leave(oldest);
    if (!isGone(oldest)) refuse(oldest.request, oldest.response);
    return true;
  }
}

function isGone({ request: { socket } }: Exchange): boolean {
  return socket.destroyed || isGivenUp(socket);
}

/** @param basePath that a proxy may have left before its address */
export function kindOf({ method, url = '' }: IncomingMessage, basePath: string): Kind {
  const path = withoutBase(url, basePath);
  if (SIGNING_IN.test(path)) return 'signing in';
  if (BULK.test(path)) return 'bulk';
  return method === 'GET' || method === 'HEAD' ? 'reading' : 'writing';
}
