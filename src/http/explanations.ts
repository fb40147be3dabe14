/** What people are told of each error: what happened, what became of their data, and where to go. */
import type { FastifyError, FastifyRequest } from 'fastify';
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
import { diskReasonOf } from '../lib/error-reasons.ts';
import { number } from '../lib/formats.ts';
import type { Fields } from '../lib/forms.ts';
import { listAddress, parseFrom } from '../users/list/address.ts';
import { MOST_COUNTED } from '../users/list/plan.ts';
import { ownAddress, pageAbout, savedLink } from './error-links.ts';
import { RefusedError } from './refused-error.ts';
import type { Views } from './views.ts';

type Explanation = { status: number } & Views['error'];

const TO_THE_LIST = { href: '/users', text: 'Go to the list of users' };

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
const TOO_BROAD = `To find all of these users takes too long. Choose more filters, until the list has at most ${number.format(MOST_COUNTED)} users.`;
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

function unchangedBy(doing: Doing): string {
  return doing === 'writing' ? ' Nothing was changed.' : '';
}

export function explain(error: unknown, request: FastifyRequest): Explanation {
  const doing = doingOf(request.method);
  const unchanged = unchangedBy(doing);
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
    return { status: 403, title: 'You may not do that', sentence, link: pageAbout(request) ?? TO_THE_LIST };
  }
  if (error instanceof LastAdministratorError) {
    const sentence = `${error.message} Nothing was changed: make someone else an administrator first.`;
    return { status: 409, title: 'Somebody has to stay', sentence, link: savedLink(request) };
  }
  if (error instanceof TooBroadError) {
    const list = parseFrom(request.query as Fields, request.server.clock());
    const link = { href: listAddress(list), text: 'Back to the list' };
    return { status: 422, title: 'Too many at once', sentence: `${TOO_BROAD}${unchanged}`, link };
  }
  if (error instanceof BusyError) {
    return { status: 503, title: 'Try again in a moment', sentence: BUSY[doing] };
  }
  if (error instanceof NoRoomError) return { status: 507, title: 'No room', sentence: error.message };
  if (error instanceof ClosedFolderError) {
    return { status: 503, title: 'Files cannot be read here', sentence: `${CLOSED_FOLDER}${unchanged}` };
  }
  return explainFailure(error, request) ?? explainOther(error, doing);
}

/** A database or a disk that does not do what it should. */
function explainFailure(error: unknown, request: FastifyRequest): Explanation | undefined {
  const doing = doingOf(request.method);
  const unchanged = unchangedBy(doing);
  if (error instanceof UnavailableError) {
    return { status: 503, title: 'Try again in a moment', sentence: unavailable(doing, error.reason) };
  }
  if (error instanceof OutcomeUnknownError) {
    const sentence = outcomeUnknown(error.reason);
    return { status: 503, title: 'Was it saved?', sentence, link: savedLink(request) };
  }
  if (error instanceof DamagedError) {
    return { status: 500, title: 'The directory is damaged', sentence: `${DAMAGED}${unchanged}` };
  }
  const reason = diskReasonOf(error);
  if (reason === undefined) return undefined;
  const sentence = `A file that Roster needs for this cannot be used: ${reason}.${unchanged}`;
  return { status: 503, title: 'Try again in a moment', sentence };
}

function explainOther(error: unknown, doing: Doing): Explanation {
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

export function explainStatus(status: number, doing: Doing | undefined): Views['error'] {
  const { title, sentence, ...more } = BY_STATUS[status] ?? NOT_UNDERSTOOD;
  const { reading, writing = 'Nothing was changed.' } = more;
  const end = { reading, writing }[doing ?? 'reading'];
  return { title, sentence: doing && end ? `${sentence} ${end}` : sentence };
}
