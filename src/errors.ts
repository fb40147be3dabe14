/** What may be thrown on purpose; knows no HTTP. `error-pages.ts` says what each becomes on a page. */

/** Something asked for by name or number does not exist. The message is a sentence for a person. */
export class NotFoundError extends Error {
  override name = 'NotFoundError';
}

/** A submission that no form of ours sends. The message is a sentence for a person. */
export class BadSubmissionError extends Error {
  override name = 'BadSubmissionError';
}

/** A row would repeat a value that must be unique. Thrown by the database layer, whatever the engine. */
export class NotUniqueError extends Error {
  override name = 'NotUniqueError';
}

/** The database could not be written in time, or has no room; what was under way was rolled back. */
export class UnavailableError extends Error {
  override name = 'UnavailableError';
}

/** A reason not to start, in one sentence for the person who started Roster. */
export class StartError extends Error {
  override name = 'StartError';
}
