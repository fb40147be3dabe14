/** What may be thrown on purpose. `http/explanations.ts` says what people are told of each; where that is its message, it is a sentence for a person. */

export class NotFoundError extends Error {
  override name = 'NotFoundError';
}

/** A submission that no form of ours sends. */
export class BadSubmissionError extends Error {
  override name = 'BadSubmissionError';
}

/** It is there, and not to be done as things are. The title is for a person, too; `link`: where they see how things are. */
export class NotNowError extends Error {
  override name = 'NotNowError';
  readonly title: string;
  readonly link: { href: string; text: string };

  constructor(title: string, message: string, link: { href: string; text: string }) {
    super(message);
    this.title = title;
    this.link = link;
  }
}

/** A question to the database would take too long to answer. */
export class TooBroadError extends Error {
  override name = 'TooBroadError';
}

export function noneIfTooBroad(error: unknown): undefined {
  if (!(error instanceof TooBroadError)) throw error;
}

/** Someone asked for what their role does not let them do; `who` can, as in "Administrators". */
export class ForbiddenError extends Error {
  override name = 'ForbiddenError';
  readonly who: string;

  constructor(who: string) {
    super(`Only ${who} may do that.`);
    this.who = who;
  }
}

export class SignedOutError extends Error {
  override name = 'SignedOutError';
}

export class LastAdministratorError extends Error {
  override name = 'LastAdministratorError';
}

export class BusyError extends Error {
  override name = 'BusyError';
}

export class NotUniqueError extends Error {
  override name = 'NotUniqueError';
}

export class NoRoomError extends Error {
  override name = 'NoRoomError';
}

/** Thrown by the database layer, as is `NotUniqueError`, whatever the engine. */
export class DatabaseFailure extends Error {
  /** Why, in words that may stand on a page ("its disk is full"); undefined where they would tell of the inside. */
  readonly reason: string | undefined;

  constructor(message: string, { reason, ...options }: ErrorOptions & { reason?: string } = {}) {
    super(message, options);
    this.reason = reason;
  }
}

/** The database cannot be reached, was too busy or has no room; what was under way was rolled back. */
export class UnavailableError extends DatabaseFailure {
  override name: string = 'UnavailableError';
}

/** What is open is not what lies in the place of the database any more. */
export class DatabaseLostError extends UnavailableError {
  override name = 'DatabaseLostError';
}

/** Transactions got into each other's way and the database rolled this one back: done again, it may well pass. */
export class ContendedError extends UnavailableError {
  override name = 'ContendedError';
}

/** Somebody else had it locked for too long: that says nothing of how much was asked. */
export class LockedError extends UnavailableError {
  override name = 'LockedError';
}

/** A commit failed in such a way that what was under way has been saved whole, or not at all. */
export class OutcomeUnknownError extends DatabaseFailure {
  override name = 'OutcomeUnknownError';
}

/** What the database reads is not what it once wrote: waiting does not help. The message says what to do. */
export class DamagedError extends DatabaseFailure {
  override name = 'DamagedError';
}

/** The folder of imports cannot be read or written. */
export class ClosedFolderError extends Error {
  override name = 'ClosedFolderError';
}

export class StartError extends Error {
  override name = 'StartError';
}
