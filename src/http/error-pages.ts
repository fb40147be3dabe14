/** What each error becomes on a page, also where no route has been found and where there is no request at all. */
import { randomUUID } from 'node:crypto';
import { type ServerResponse, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { askToSignIn } from '../auth/ask-to-sign-in.ts';
import { formOf } from '../auth/kept-forms.ts';
import {
  BadSubmissionError,
  BusyError,
  DamagedError,
  ForbiddenError,
  LastAdministratorError,
  NotFoundError,
  OutcomeUnknownError,
  SignedOutError,
  UnavailableError,
} from '../errors.ts';
import { retryAfter } from '../lib/retry-after.ts';
import { RefusedError, securityHeaders } from './security.ts';
import { dropBody, giveUp, isGivenUp, stopDropping } from './unread-bodies.ts';
import type { Views } from './views.ts';

type Explanation = { status: number } & Views['error'];

/** Where it is not known who asks. */
const NOBODY = { flash: undefined, session: undefined, actor: undefined, isOpen: false };

const TO_THE_LIST = { href: '/users', text: 'Go to the list of users' };

/** What someone was doing whose request failed; undefined where that is not known. */
type Doing = 'reading' | 'writing';
type Known = { title: string; sentence: string } & Partial<Record<Doing, string>>;

const NOT_UNDERSTOOD: Known = { title: 'Request not understood', sentence: 'The request could not be read.' };

/** What people are told of the errors that Fastify and Node find themselves: for all, and for what they were doing. */
const KNOWN: Readonly<Record<number, Known>> = {
  400: NOT_UNDERSTOOD,
  408: {
    title: 'Too slow',
    sentence: 'The request took too long to arrive.',
    writing: 'Nothing was changed; what you typed is one step back.',
  },
  413: {
    title: 'Too large',
    sentence: 'A form may be 64 KiB at most.',
    writing: 'Nothing was changed; what you typed is one step back.',
  },
  414: { title: 'Address too long', sentence: 'There is no page with an address that long.' },
  415: {
    title: 'Not a form',
    sentence: 'Only a form (application/x-www-form-urlencoded) is taken here.',
  },
  431: { title: 'Headers too large', sentence: 'The headers of the request are too large.' },
  503: {
    title: 'Try again in a moment',
    sentence: 'Too many people are using Roster at this moment.',
    reading: 'Reload this page in a few seconds.',
    writing: 'Nothing was changed; go back and send it again in a few seconds.',
  },
};

const UNEXPECTED = {
  reading:
    'The mistake is ours, and it has been noted. Reload this page to see whether it was a passing one.',
  writing:
    'The mistake is ours, and it has been noted. Nothing was changed; what you typed is one step back.',
};

const UNAVAILABLE = {
  reading: 'The directory cannot be read just now. Reload this page to see whether it can again.',
  writing: 'The directory cannot be written just now. Nothing was changed; go back and send it again.',
};

const BUSY = {
  reading: 'Too much is being done at this moment. Reload this page to see whether it is over.',
  writing: 'Too much is being done at this moment. Nothing was changed; go back and send it again.',
};

const DAMAGED =
  'What is in the directory’s file cannot be understood: whoever runs Roster finds in its log what to do.';

/** The answers to the last request of each connection and, where that was not over when it came, to the one before. */
const answers = new WeakMap<Socket, ServerResponse[]>();

/**
 * Call it for each request, before anything else is done with it.
 * @returns the answer to the request before on its connection, where that is not over.
 */
export function noteRequest(response: ServerResponse): ServerResponse | undefined {
  const { socket } = response.req;
  const [last] = answers.get(socket) ?? [];
  const before = last?.writableFinished ? undefined : last;
  answers.set(socket, before ? [response, before] : [response]);
  return before;
}

/** By it a request is found in the log: short enough to be read out. */
export function newRequestId(): string {
  return randomUUID().slice(0, 13);
}

export function addErrorPages(app: FastifyInstance): void {
  app.setErrorHandler(showError);
  app.setNotFoundHandler(async (request, reply) => {
    const requestId = isLogged(request) ? request.id : undefined;
    const page = { title: 'Page not found', sentence: 'There is no page at this address.', requestId };
    return reply.render('error', page, 404);
  });
}

/** For errors that Fastify finds before its hooks have run, when a reply has none of our own methods yet. */
export async function showFrameworkError(
  app: FastifyInstance,
  error: FastifyError,
  reply: FastifyReply,
): Promise<void> {
  const { id: requestId, method, log, raw } = reply.request;
  const status = error.statusCode ?? 400;
  log.warn({ req: reply.request }, 'request not understood');
  const html = await bareErrorPage(app, status, { doing: doingOf(method), requestId });
  dropBody(raw, (isWhole) => {
    if (!isWhole) reply.header('connection', 'close');
    reply.headers(bareHeaders(app)).code(status).send(html);
  });
}

/** For what is no HTTP at all, too slow or too large to be read: answered on the bare connection. */
export async function answerClientError(
  app: FastifyInstance,
  error: Error & { code?: string },
  socket: Socket,
): Promise<void> {
  if (isGivenUp(socket)) return;
  const known = answers.get(socket) ?? [];
  const pending = known.find(({ req, writableFinished }) => req.complete && !writableFinished);
  if (pending) {
    // It came after a request that is complete: that one is answered first, and nothing is read meanwhile.
    socket.pause();
    pending.once('close', () => void answerClientError(app, error, socket));
    return;
  }
  // Whoever has sent nothing waits for no answer: browsers and proxies connect ahead of need.
  if (error.code === 'ECONNRESET' || !socket.writable || socket.bytesRead === 0) {
    socket.destroy();
    return;
  }
  if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT' && stopDropping(socket)) return;
  const codes: Record<string, number> = { HPE_HEADER_OVERFLOW: 431, ERR_HTTP_REQUEST_TIMEOUT: 408 };
  const status = codes[error.code ?? ''] ?? 400;
  const requestId = newRequestId();
  app.log.child({ reqId: requestId }).warn({ code: error.code }, 'request not understood');
  const broken = known.find(({ req }) => !req.complete);
  const html = await bareErrorPage(app, status, { doing: broken && doingOf(broken.req.method), requestId });
  const headers = {
    ...bareHeaders(app),
    'content-length': Buffer.byteLength(html),
    date: new Date().toUTCString(),
    connection: 'close',
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  giveUp(socket, `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join('')}\r\n${html}`);
}

/** What any other page about an error has. */
export function bareHeaders({ config }: FastifyInstance) {
  return {
    ...securityHeaders(config),
    'cache-control': 'private, no-cache',
    'content-type': 'text/html; charset=utf-8',
  };
}

/** A page for whoever asks, made without a request. */
export async function bareErrorPage(
  app: FastifyInstance,
  status: number,
  { doing, ...more }: { doing?: Doing | undefined } & Pick<Views['error'], 'link' | 'requestId'> = {},
): Promise<string> {
  return app.view('error', { ...pageOf(KNOWN[status] ?? NOT_UNDERSTOOD, doing), ...more, ...NOBODY });
}

function pageOf({ title, sentence, ...more }: Known, doing: Doing | undefined): Views['error'] {
  const { reading, writing = 'Nothing was changed.' } = more;
  const end = { reading, writing }[doing ?? 'reading'];
  return { title, sentence: doing && end ? `${sentence} ${end}` : sentence };
}

export function doingOf(method = ''): Doing {
  return method === 'POST' ? 'writing' : 'reading';
}

async function showError(error: unknown, request: FastifyRequest, reply: FastifyReply): Promise<void> {
  if (error instanceof SignedOutError) {
    request.session = undefined;
    request.actor = undefined;
    return void (await askToSignIn(request, reply));
  }
  const { status, link, ...page } = explain(error, request);
  const isOurs = status >= 500;
  if (isOurs) request.log.error({ err: error, req: request }, 'request failed');
  if (status === 503) reply.header('retry-after', retryAfter());
  const requestId = isOurs || isLogged(request) ? request.id : undefined;
  const shown = { ...page, link: link ?? wayOn(request, status), requestId };
  await reply.render('error', shown, status);
}

/** Whether the log has all requests, and not only those that failed by a mistake of ours. */
function isLogged({ log }: FastifyRequest): boolean {
  return ['info', 'debug', 'trace'].includes(log.level);
}

function explain(error: unknown, request: FastifyRequest): Explanation {
  const doing = doingOf(request.method);
  const unchanged = doing === 'writing' ? ' Nothing was changed.' : '';
  if (error instanceof NotFoundError) return { status: 404, title: 'Not found', sentence: error.message };
  if (error instanceof BadSubmissionError) {
    return { status: 400, title: 'Form not understood', sentence: `${error.message}${unchanged}` };
  }
  if (error instanceof RefusedError) {
    const { statusCode: status, message } = error;
    const link = status === 421 ? ownAddress(request) : undefined;
    return { status, title: 'Not accepted', sentence: `${message}${unchanged}`, link };
  }
  if (error instanceof ForbiddenError) {
    const sentence = `Only ${error.who} can do that.${unchanged}`;
    return { status: 403, title: 'You may not do that', sentence, link: TO_THE_LIST };
  }
  if (error instanceof LastAdministratorError) {
    const sentence = `${error.message} Nothing was changed: make someone else an administrator first.`;
    return { status: 409, title: 'Somebody has to stay', sentence, link: whereToLook(request) };
  }
  if (error instanceof BusyError) {
    return { status: 503, title: 'Try again in a moment', sentence: BUSY[doing] };
  }
  if (error instanceof UnavailableError) {
    return { status: 503, title: 'Try again in a moment', sentence: unavailable(doing, error.reason) };
  }
  if (error instanceof OutcomeUnknownError) {
    const sentence = outcomeUnknown(error.reason);
    return { status: 503, title: 'Was it saved?', sentence, link: whereToLook(request) };
  }
  if (error instanceof DamagedError) {
    return { status: 500, title: 'The directory is damaged', sentence: `${DAMAGED}${unchanged}` };
  }
  const status = (error as Partial<FastifyError>)?.statusCode ?? 500;
  const known = KNOWN[status] ?? (status >= 400 && status < 500 ? NOT_UNDERSTOOD : undefined);
  return known
    ? { status, ...pageOf(known, doing) }
    : { status: 500, title: 'Something went wrong', sentence: UNEXPECTED[doing] };
}

/** @param reason such as "its disk is full". */
function unavailable(doing: 'reading' | 'writing', reason: string | undefined): string {
  if (reason === undefined) return UNAVAILABLE[doing];
  return doing === 'reading'
    ? `The directory cannot be read: ${reason}. Reload this page to see whether it can again.`
    : `The directory cannot be written: ${reason}. Nothing was changed; what you typed is one step back.`;
}

function outcomeUnknown(reason: string | undefined): string {
  const what = reason
    ? `The last step of saving failed: ${reason}.`
    : 'The connection to the database broke during the last step.';
  return `${what} The change may have been saved: look before you send it again.`;
}

/** From where it can be tried once more; the view knows where to go where there is no such place. */
function wayOn(request: FastifyRequest, status: number): Views['error']['link'] {
  const { method, url, routeOptions, server } = request;
  const isReading = method === 'GET' || method === 'HEAD';
  // Where there is nothing, nor is its form.
  if ((isReading && status < 500) || status === 404) return undefined;
  const form = formOf(request);
  if (form) return { href: form, text: 'Open the form again' };
  if (!server.rules.has(`GET ${routeOptions.url}`)) return undefined;
  return { href: url, text: isReading ? 'Reload this page' : 'Open the form again' };
}

/** Where Roster is for whoever has come by another name. */
function ownAddress({ server }: FastifyRequest): Views['error']['link'] {
  const { config } = server;
  const { port } = (server.server.address() ?? config) as { port: number };
  const href =
    config.origin?.href ?? `http://${config.host.includes(':') ? `[${config.host}]` : config.host}:${port}/`;
  return { href, text: 'Go to Roster' };
}

/** Where a change shows, if it was saved: at the user that was to be changed, among the newest, or where its form is. */
function whereToLook(request: FastifyRequest): Views['error']['link'] {
  const { id } = request.params as { id?: string };
  if (id) return { href: `/users/${id}`, text: `Look at user ${id}` };
  const form = formOf(request);
  if (form?.startsWith('/users/new')) return { href: '/users?sort=-id', text: 'Look at the newest users' };
  return form ? { href: form, text: 'Look at it' } : undefined;
}
