/** What people are told of each error: what happened, what became of their data, and where to go. */
import type { FastifyError, FastifyRequest } from 'fastify';
import { formOf } from '../auth/request-drafts.ts';
import {
  BadSubmissionError,
  BusyError,
  ClosedFolderError,
  DamagedError,
  ForbiddenError,
  LastAdministratorError,
  NoRoomError,
  NotFoundError,
  NotNowError,
  OutcomeUnknownError,
  TooBroadError,
  UnavailableError,
} from '../errors.ts';
import { diskReasonOf } from '../lib/reasons.ts';
import { RefusedError } from './refused-error.ts';
import type { Views } from './views.ts';

type Explanation = { status: number } & Views['error'];

const TO_THE_LIST = { href: '/users', text: 'Go to the list of users' };

/** Nothing of what was typed is there. */
const OPEN_ANEW = 'Open the page anew';

export type Doing = 'reading' | 'writing';
type StatusTexts = { title: string; sentence: string } & Partial<Record<Doing, string>>;

const NOT_UNDERSTOOD: StatusTexts = {
  title: 'Request not understood',
  sentence: 'The request could not be read.',
};

export const TYPED_IS_BACK = 'Nothing was changed; what you typed is one step back.';
const SEND_AGAIN = 'Nothing was changed; go back and send it again.';
const RELOAD_TO_READ = 'Reload this page to see whether it can again.';
const OUR_MISTAKE = 'The mistake is ours.';
const TOO_BROAD = 'To find these users takes too long: choose one more filter for the list.';
const TOO_MUCH = 'Too much is being done at this moment.';
const BY_STATUS: Readonly<Record<number, StatusTexts>> = {
  400: NOT_UNDERSTOOD,
  408: {
    title: 'Too slow',
    sentence: 'The request took too long to arrive.',
    writing: TYPED_IS_BACK,
  },
  413: {
    title: 'Too large',
    sentence: 'A form may be 64 KiB at most.',
    writing: TYPED_IS_BACK,
  },
  414: { title: 'Address too long', sentence: 'There is no page with an address that long.' },
  415: {
    title: 'Not a form',
    sentence: 'Only a form (application/x-www-form-urlencoded) is taken here.',
  },
  431: {
    title: 'Too long',
    sentence:
      'The address is too long, with what the browser sends along: search for less, or take out Roster’s cookies.',
  },
  503: {
    title: 'Try again in a moment',
    sentence: 'Too many people are using Roster at this moment.',
    reading: 'Reload this page in a few seconds.',
    writing: 'Nothing was changed; go back and send it again in a few seconds.',
  },
};

const UNEXPECTED = {
  reading: `${OUR_MISTAKE} Reload this page to see whether it happens again.`,
  writing: `${OUR_MISTAKE} ${TYPED_IS_BACK}`,
};

const UNAVAILABLE = {
  reading: `The directory cannot be read just now. ${RELOAD_TO_READ}`,
  writing: `The directory cannot be written just now. ${SEND_AGAIN}`,
};

const BUSY = {
  reading: `${TOO_MUCH} Reload this page to see whether it is over.`,
  writing: `${TOO_MUCH} ${SEND_AGAIN}`,
};

const CLOSED_FOLDER =
  'Roster may not read the folder for files that are imported. Tell whoever runs Roster: its log says which.';

const DAMAGED = 'The directory’s file is damaged. Tell whoever runs Roster: its log says what to do.';

export function doingOf(method = ''): Doing {
  return method === 'POST' ? 'writing' : 'reading';
}

export function explain(error: unknown, request: FastifyRequest): Explanation {
  const doing = doingOf(request.method);
  const unchanged = doing === 'writing' ? ' Nothing was changed.' : '';
  if (error instanceof NotFoundError) return { status: 404, title: 'Not found', sentence: error.message };
  if (error instanceof NotNowError) {
    const { title, message, link } = error;
    return { status: 409, title, sentence: `${message}${unchanged}`, link };
  }
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
  if (error instanceof TooBroadError) {
    return {
      status: 422,
      title: 'Too many at once',
      sentence: `${TOO_BROAD}${unchanged}`,
      link: TO_THE_LIST,
    };
  }
  if (error instanceof BusyError) {
    return { status: 503, title: 'Try again in a moment', sentence: BUSY[doing] };
  }
  if (error instanceof NoRoomError) return { status: 507, title: 'No room', sentence: error.message };
  if (error instanceof ClosedFolderError) {
    return { status: 503, title: 'Files cannot be read here', sentence: `${CLOSED_FOLDER}${unchanged}` };
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
  const reason = diskReasonOf(error);
  if (reason !== undefined) {
    const sentence = `A file that Roster needs for this cannot be used: ${reason}.${unchanged}`;
    return { status: 503, title: 'Try again in a moment', sentence };
  }
  const status = (error as Partial<FastifyError>)?.statusCode ?? 500;
  return status in BY_STATUS || (status >= 400 && status < 500)
    ? { status, ...explainStatus(status, doing) }
    : { status: 500, title: 'Something went wrong', sentence: UNEXPECTED[doing] };
}

function unavailable(doing: 'reading' | 'writing', reason: string | undefined): string {
  if (reason === undefined) return UNAVAILABLE[doing];
  return doing === 'reading'
    ? `The directory cannot be read: ${reason}. ${RELOAD_TO_READ}`
    : `The directory cannot be written: ${reason}. ${TYPED_IS_BACK}`;
}

function outcomeUnknown(reason: string | undefined): string {
  const what = reason
    ? `The last step of saving failed: ${reason}.`
    : 'The connection to the database broke during the last step.';
  return `${what} The change may have been saved: look before you send it again.`;
}

/** From where it can be tried once more; the view knows where to go where there is no such place. */
export function wayOn(request: FastifyRequest, status: number): Views['error']['link'] {
  const { method, url, routeOptions, server } = request;
  const isReading = method === 'GET' || method === 'HEAD';
  if ((isReading && status < 500) || status === 404) return undefined;
  const form = formOf(request);
  if (form) return { href: form, text: OPEN_ANEW };
  if (!server.rules.has(`GET ${routeOptions.url}`)) return undefined;
  return { href: url, text: isReading ? 'Reload this page' : OPEN_ANEW };
}

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

export function explainStatus(status: number, doing: Doing | undefined): Views['error'] {
  const { title, sentence, ...more } = BY_STATUS[status] ?? NOT_UNDERSTOOD;
  const { reading, writing = 'Nothing was changed.' } = more;
  const end = { reading, writing }[doing ?? 'reading'];
  return { title, sentence: doing && end ? `${sentence} ${end}` : sentence };
}
