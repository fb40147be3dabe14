/** What the log says of an error: what it is and where, and nothing that somebody typed. */

export type LoggedError = {
  type: string;
  message: string;
  stack: string;
  code?: string;
  cause?: LoggedError;
  errors?: LoggedError[];
  [more: string]: unknown;
};

/** Whose messages quote what they were given: data exceptions of PostgreSQL (class 22), FTS5, and parsers of JSON. */
const QUOTES_VALUES = /^22\w{3} |fts5:|JSON/;
const QUOTED = /"[^"]*"|'[^']*'/g;

/** The rows and values that PostgreSQL adds to its errors stay behind, as does whatever else one carries. */
export function loggedError(error: unknown): LoggedError {
  if (!isErrorLike(error)) return { type: typeof error, message: String(error), stack: '' };
  const { name = 'Error', type = name, message, code, stack = '', cause, errors } = error;
  const isQuoting = QUOTES_VALUES.test(`${code ?? ''} ${message}`);
  const plain = (text: string) => (isQuoting ? text.replaceAll(QUOTED, '"…"') : text);
  return {
    type,
    message: plain(message),
    stack: plain(stack),
    ...(code !== undefined && { code }),
    ...(cause !== undefined && { cause: loggedError(cause) }),
    ...(errors !== undefined && { errors: errors.map(loggedError) }),
  };
}

/** `type`: of one that has been through here already, in another thread. */
type ErrorLike = {
  type?: string;
  name?: string;
  message: string;
  stack?: string;
  code?: string;
  cause?: unknown;
  errors?: unknown[];
};

function isErrorLike(error: unknown): error is ErrorLike {
  return typeof error === 'object' && error !== null && 'message' in error;
}
