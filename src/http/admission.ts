/** Admission control: a request is begun when there is time for it, and refused when there was none for too long. */
// Each turn of the event loop takes one new connection (https://github.com/nodejs/node/issues/57364): turns are short.
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { isSaturated, replicasOf } from '../db/engine.ts';
import type { Stopwatch } from '../lib/clock.ts';
import { basePathOf } from '../lib/url-for.ts';
import { AdmissionQueue, KINDS, type Kind, LONGEST_WAIT } from './admission-queue.ts';
import { noteRequest } from './bare-pages.ts';
import { BurstTracker, type Client, isBursting } from './bursts.ts';
import { withoutBase } from './host.ts';
import { addOverloadResponse } from './overload-response.ts';
import { kindOf } from './request-kind.ts';
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

declare module 'fastify' {
  interface FastifyInstance {
    refused: Record<Kind, number>;
  }
}

type Who = Socket | string;
/** What is read of another server meanwhile, and the way in: whoever is not signed in is led there. */
const WITHOUT_PRIMARY: readonly Kind[] = ['signing in', 'reading'];

type Exchange = {
  request: IncomingMessage;
  response: ServerResponse;
  kind: Kind;
  client: Client<Who> | undefined;
};

/** Undefined where that is not known. */
type WhoAsks = (request: IncomingMessage, kind: Kind) => Who | undefined;

type Parts = { begin: RequestListener; whoAsks: WhoAsks; isUrgent: (request: IncomingMessage) => boolean };

/** What `inject` asks does not pass here. @param isUrgent never of just anyone */
export function addAdmission(
  app: FastifyInstance,
  whoAsks: WhoAsks,
  isUrgent: (request: IncomingMessage) => boolean = () => false,
): void {
  const { server } = app;
  const [begin] = server.listeners('request') as [RequestListener];
  app.decorate('refused', { 'signing in': 0, reading: 0, writing: 0, bulk: 0 });
  const admission = new Admission(app, { begin, whoAsks, isUrgent });
  server.off('request', begin).on('request', (request, response) => {
    const before = noteRequest(response);
    if (before === undefined) admission.admit(request, response);
    else onceAnswered(before, request, () => admission.admit(request, response));
  });
  server.on('connection', () => admission.letConnect());
}

/** Requests of one connection are answered one after the other (RFC 9112, 9.3.2). */
function onceAnswered(before: ServerResponse, { socket }: IncomingMessage, admit: () => void): void {
  // Node reads on by itself once it has the whole request.
  process.nextTick(() => {
    if (!before.closed) socket.pause();
  });
  before.once('close', () => {
    socket.resume();
    if (socket.writable) admit();
  });
}

class Admission {
  readonly #app: FastifyInstance;
  readonly #stopwatch: Stopwatch;
  readonly #parts: Parts;
  readonly #basePath: string;
  readonly #answerRefused: ReturnType<typeof addOverloadResponse>;
  readonly #queue = new AdmissionQueue<Exchange>();
  readonly #bursts = new BurstTracker<Who>();
  #isScheduled = false;
  #leftThisTurn = MOST_BEGUN_A_TURN;
  #turnEnds = 0;
  #lastTurn = 0;
  /** How many more of a crowd should have been begun or refused by now, for all to be in time; below 0 that many fewer. */
  #behind = 0;
  #connections = 0;

  constructor(app: FastifyInstance, parts: Parts) {
    this.#app = app;
    this.#stopwatch = app.stopwatch;
    this.#parts = parts;
    this.#basePath = basePathOf(app.config.origin);
    this.#answerRefused = addOverloadResponse(app);
  }

  /** Others may wait behind it, for the next turn. */
  letConnect(): void {
    this.#connections++;
    this.#leftThisTurn = 0;
    this.#schedule();
  }

  admit(request: IncomingMessage, response: ServerResponse): void {
    if (this.#isAnsweredAtOnce(request)) {
      this.#parts.begin(request, response);
      return;
    }
    const now = this.#stopwatch();
    const kind = kindOf(request, this.#basePath);
    const who = this.#parts.whoAsks(request, kind);
    const client = who === undefined ? undefined : this.#bursts.note(who, now);
    if (this.#queue.size === 0 && this.#leftThisTurn > 0 && !this.#isSaturated) {
      this.#leftThisTurn--;
      this.#parts.begin(request, response);
    } else this.#take({ request, response, kind, client }, now);
    this.#schedule();
  }

  #take(exchange: Exchange, now: number): void {
    const { kind, client } = exchange;
    if (this.#queue.size < MOST_WAITING) this.#queue.add(exchange, kind, isBursting(client), now);
    else this.#refuse(exchange);
  }

  /** Whoever checks on health hears whether Roster lives, not whether it is busy. */
  #isAnsweredAtOnce(request: IncomingMessage): boolean {
    return HEALTH.test(withoutBase(request.url ?? '', this.#basePath)) || this.#parts.isUrgent(request);
  }

  get #isSaturated(): boolean {
    return isSaturated(this.#app.db);
  }

  /** Where something stands in, pages need not wait with those who want the primary. */
  get #kindsBegun(): readonly Kind[] {
    if (!this.#isSaturated) return KINDS;
    return replicasOf(this.#app.db)?.hasStandIn ? WITHOUT_PRIMARY : [];
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    // A database that is behind is looked after every millisecond.
    if (this.#queue.size > 0 && this.#isSaturated) setTimeout(this.#turn, 1);
    else setImmediate(this.#turn);
  }

  readonly #turn = (): void => {
    this.#isScheduled = false;
    this.#refuseLate(this.#stopwatch());
    if (this.#connections % TURNS_PER_BEGUN === 0) this.#beginNext();
    this.#leftThisTurn = MOST_BEGUN_A_TURN;
    if (this.#queue.size > 0 && this.#kindsBegun.length > 0) this.#beginSome();
    if (this.#queue.size > 0) this.#schedule();
  };

  #refuseLate(now: number): void {
    const { size } = this.#queue;
    // Where this turn begins all of them it is no crowd that has made them late, but a machine that stood still.
    this.#behind = size > CROWD ? this.#behind + (size * (now - this.#lastTurn)) / LONGEST_WAIT : 0;
    this.#lastTurn = now;
    if (size <= MOST_BEGUN_A_TURN && !this.#isSaturated) return;
    this.#queue.setLateAside(now);
    while (this.#refuseNext(this.#behind < 1 ? now : Number.POSITIVE_INFINITY)) this.#behind--;
  }

  #beginSome(): void {
    // Whatever has come is read before.
    setImmediate(() => {
      this.#turnEnds = this.#stopwatch() + LONGEST_TURN;
    });
    // Each by itself, so that it has done what it can at once when the next is begun.
    for (let more = Math.min(this.#queue.size, MOST_BEGUN_A_TURN); more > 0; more--)
      setImmediate(this.#beginIfAny);
  }

  readonly #beginIfAny = (): void => {
    if (this.#leftThisTurn-- > 0 && this.#stopwatch() < this.#turnEnds) this.#beginNext();
  };

  #beginNext(): void {
    const next = this.#queue.takeNext(this.#kindsBegun);
    // It is not asked again for each of those who wait.
    if (next === undefined && this.#queue.size > 0) this.#leftThisTurn = 0;
    if (next === undefined || isGone(next)) return;
    this.#behind = Math.max(this.#behind - 1, -LEAD * this.#queue.size);
    this.#leave(next);
    this.#noteTaken(next);
    this.#parts.begin(next.request, next.response);
  }

  #noteTaken({ kind, response }: Exchange): void {
    const begun = this.#stopwatch();
    response.once('close', () => this.#queue.noteTaken(kind, this.#stopwatch() - begun));
  }

  #leave({ client }: Exchange): void {
    if (client) this.#bursts.keep(client, this.#stopwatch());
  }

  #refuse({ kind, request, response }: Exchange): void {
    this.#app.refused[kind]++;
    this.#answerRefused(request, response);
  }

  #refuseNext(then: number): boolean {
    const oldest = this.#queue.takeOldest(then);
    if (oldest === undefined) return false;
    this.#leave(oldest);
    if (!isGone(oldest)) this.#refuse(oldest);
    return true;
  }
}

function isGone({ request: { socket } }: Exchange): boolean {
  return socket.destroyed || isGivenUp(socket);
}
