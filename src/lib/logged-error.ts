/** What the log says of an error: what it is and where, and nothing that somebody typed. */

type Logged = {
  type: string;
  message: string;
  code?: string;
  stack?: string;
  cause?: unknown;
  errors?: unknown[];
};

/** Whose messages quote what they were given: data exceptions of PostgreSQL (class 22), FTS5, and parsers of JSON. */
const QUOTES_VALUES = /^22\w{3} |fts5:|JSON/;
const QUOTED = /"[^"]*"|'[^']*'/g;

/** The rows and values that PostgreSQL adds to its errors stay behind, as does whatever else one carries. */
export function loggedError(error: unknown): unknown {
  if (!isErrorLike(error)) return typeof error === 'string' ? error : undefined;
  const { name, type = name, message, code, stack, cause, errors } = error;
  const quotes = QUOTES_VALUES.test(`${code ?? ''} ${message}`);
  const plain = (text: string) => (quotes ? text.replaceAll(QUOTED, '"…"') : text);
  return {
    type: type ?? 'Error',
    message: plain(message),
    ...(code !== undefined && { code }),
    ...(stack !== undefined && { stack: plain(stack) }),
    ...(cause !== undefined && { cause: loggedError(cause) }),
    ...(errors !== undefined && { errors: errors.map(loggedError) }),
  } satisfies Logged;
}

/** `type`: of one that has been through here already, in another thread. */
type ErrorLike = Partial<Logged> & { message: string; name?: string };

function isErrorLike(error: unknown): error is ErrorLike {
  return typeof error === 'object' && error !== null && 'message' in error;
}
