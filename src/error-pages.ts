/** What each error becomes on a page, also where no route has been found and where there is no request at all. */
import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import {
  BadSubmissionError,
  BusyError,
  DatabaseLostError,
  ForbiddenError,
  LastAdministratorError,
  NotFoundError,
  OutcomeUnknownError,
  SignedOutError,
  UnavailableError,
} from './errors.ts';
import { RefusedError, securityHeaders } from './security.ts';
import { askToSignIn } from './sessions/access.ts';
import { formOf } from './sessions/drafts.ts';
import { dropBody, giveUp, isGivenUp, stopDropping } from './unread-bodies.ts';
import type { Views } from './views.ts';

type Explanation = { status: number } & Views['error'];

/** Where it is not known who asks. */
const NOBODY = { link: undefined, flash: undefined, session: undefined, actor: undefined, isOpen: false };

const TO_THE_LIST = { href: '/users', text: 'Go to the list of users' };

/** What people are told of the errors that Fastify and Node find themselves. */
const KNOWN: Readonly<Record<number, Omit<Views['error'], 'link'>>> = {
  400: { title: 'Request not understood', sentence: 'The request could not be read. Nothing was changed.' },
  408: { title: 'Too slow', sentence: 'The request took too long to arrive. Nothing was changed.' },
  413: {
    title: 'Too large',
    sentence: 'A form may be 64 KiB at most. Nothing was changed; what you typed is one step back.',
  },
  414: { title: 'Address too long', sentence: 'There is no page with an address that long.' },
  415: {
    title: 'Not a form',
    sentence: 'Only a form (application/x-www-form-urlencoded) is taken here. Nothing was changed.',
  },
  431: {
    title: 'Headers too large',
    sentence: 'The headers of the request are too large. Nothing was changed.',
  },
};

const UNEXPECTED = {
  status: 500,
  title: 'Something went wrong',
  sentence:
    'The mistake is ours, and it has been noted. Nothing was changed; what you typed is one step back.',
};

const UNAVAILABLE = {
  reading: 'The directory cannot be read just now. Reload this page to see whether it can again.',
  busy: 'Too much is being done at this moment. Nothing was changed; go back and send it again.',
  writing: 'The directory cannot be written just now. Nothing was changed; go back and send it again.',
};

const LOST = {
  title: 'The database is not there',
  sentence:
    'The file that holds the directory is gone, or another one lies in its place. Nothing was changed; whoever runs Roster finds in its log what to do.',
};

const OUTCOME_UNKNOWN = {
  title: 'Was it saved?',
  sentence:
    'The connection to the database broke during the last step. The change may have been saved: look before you send it again.',
};

/** The last request of each connection, with its answer. */
const lastRequests = new WeakMap<Socket, FastifyReply>();

export function addErrorPages(app: FastifyInstance): void {
  app.addHook('onRequest', (request, reply, done) => {
    lastRequests.set(request.socket, reply);
    done();
  });
  app.setErrorHandler(showError);
  app.setNotFoundHandler(async (_request, reply) =>
    reply.render(
      'error',
      { title: 'Page not found', sentence: 'There is no page at this address.', link: TO_THE_LIST },
      404,
    ),
  );
}

/** For errors that Fastify finds before its hooks have run, when a reply has none of our own methods yet. */
export async function showFrameworkError(
  app: FastifyInstance,
  error: FastifyError,
  reply: FastifyReply,
): Promise<void> {
  const status = error.statusCode ?? 400;
  const html = await bareErrorPage(app, status);
  dropBody(reply.request.raw, (isWhole) => {
    if (!isWhole) reply.header('connection', 'close');
    reply.headers(bareHeaders(app)).code(status).send(html);
  });
}

/** For what is no HTTP at all, too slow or too large to be read: answered on the bare connection. */
export async function answerClientError(
  app: FastifyInstance,
  error: Error & { code?: string },
  socket: Socket,
) {
  if (isGivenUp(socket)) return;
  const last = lastRequests.get(socket);
  if (last?.request.raw.complete && !last.raw.writableFinished) {
    // It came after a request that is complete: that one is answered, and then the connection closed.
    last.raw.once('close', () => socket.destroy());
    return;
  }
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT' && stopDropping(socket)) return;
  const codes: Record<string, number> = { HPE_HEADER_OVERFLOW: 431, ERR_HTTP_REQUEST_TIMEOUT: 408 };
  const status = codes[error.code ?? ''] ?? 400;
  const html = await bareErrorPage(app, status);
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
function bareHeaders({ config }: FastifyInstance) {
  return {
    ...securityHeaders(config),
    'cache-control': 'private, no-cache',
    'content-type': 'text/html; charset=utf-8',
  };
}

async function bareErrorPage(app: FastifyInstance, status: number): Promise<string> {
  return app.view('error', { ...(KNOWN[status] ?? KNOWN[400]), ...NOBODY });
}

async function showError(error: unknown, request: FastifyRequest, reply: FastifyReply): Promise<void> {
  if (error instanceof SignedOutError) {
    request.session = undefined;
    request.actor = undefined;
    return void (await askToSignIn(request, reply));
  }
  const { status, ...page } = explain(error, request);
  if (status >= 500) request.log.error({ err: error }, 'request failed');
  if (status === 503) reply.header('retry-after', '5');
  await reply.render('error', page, status);
}

function explain(error: unknown, request: FastifyRequest): Explanation {
  if (error instanceof NotFoundError) {
    return { status: 404, title: 'Not found', sentence: error.message, link: TO_THE_LIST };
  }
  if (error instanceof BadSubmissionError) {
    return { status: 400, title: 'Form not understood', sentence: `${error.message} Nothing was changed.` };
  }
  if (error instanceof RefusedError) {
    return {
      status: error.statusCode,
      title: 'Not accepted',
      sentence: `${error.message} Nothing was changed.`,
    };
  }
  if (error instanceof ForbiddenError) {
    const sentence = `Only ${error.who} can do that.${request.method === 'POST' ? ' Nothing was changed.' : ''}`;
    return { status: 403, title: 'You may not do that', sentence, link: TO_THE_LIST };
  }
  if (error instanceof LastAdministratorError) {
    const sentence = `${error.message} Nothing was changed: make someone else an administrator first.`;
    return { status: 409, title: 'Somebody has to stay', sentence, link: whereToLook(request) };
  }
  if (error instanceof BusyError) {
    return { status: 503, title: 'Try again in a moment', sentence: UNAVAILABLE.busy };
  }
  if (error instanceof DatabaseLostError) {
    return { status: 503, ...LOST };
  }
  if (error instanceof UnavailableError) {
    const sentence = UNAVAILABLE[request.method === 'POST' ? 'writing' : 'reading'];
    return { status: 503, title: 'Try again in a moment', sentence };
  }
  if (error instanceof OutcomeUnknownError) {
    return { status: 503, ...OUTCOME_UNKNOWN, link: whereToLook(request) };
  }
  const status = (error as Partial<FastifyError>)?.statusCode ?? 500;
  const known = KNOWN[status] ?? (status >= 400 && status < 500 ? KNOWN[400] : undefined);
  return known ? { status, ...known } : UNEXPECTED;
}

/** Where a change shows, if it was saved: at the user that was to be changed, among the newest, or where its form is. */
function whereToLook(request: FastifyRequest): Views['error']['link'] {
  const { id } = request.params as { id?: string };
  if (id) return { href: `/users/${id}`, text: `Look at user ${id}` };
  const form = formOf(request);
  if (form?.startsWith('/users/new')) return { href: '/users?sort=-id', text: 'Look at the newest users' };
  return form ? { href: form, text: 'Look at it' } : undefined;
}
