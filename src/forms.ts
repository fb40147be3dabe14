/** Parsing a submission: from the bytes of a form to a value, or to what is wrong with every field. */
import type { ZodType } from 'zod';
import { BadSubmissionError } from './errors.ts';
import { quotable } from './text.ts';

/** The fields of one submission, as typed. */
export type Fields = Readonly<Record<string, string>>;

/** What became of a submission: a value, or one sentence for each field that is wrong. */
export type Form<T> = { ok: true; value: T } | { ok: false; errors: Readonly<Record<string, string>> };

const MOST_FIELDS = 100;

/**
 * Reads `application/x-www-form-urlencoded` (WHATWG URL Standard, section 5), strictly.
 *
 * Bytes that are no UTF-8 become U+FFFD and are left to the field's own rule, which can say so beside the field.
 * @throws BadSubmissionError for bad percent-encoding, a field sent twice, and more than 100 fields.
 */
export function parseUrlEncoded(body: string): Fields {
  const fields: Record<string, string> = Object.create(null);
  const pairs = body.split('&').filter((pair) => pair !== '');
  if (pairs.length > MOST_FIELDS) {
    throw new BadSubmissionError(`A form may have at most ${MOST_FIELDS} fields.`);
  }
  for (const pair of pairs) {
    const split = pair.indexOf('=');
    const name = decode(split < 0 ? pair : pair.slice(0, split));
    if (name in fields) throw new BadSubmissionError(`The field “${quotable(name)}” was sent twice.`);
    fields[name] = split < 0 ? '' : decode(pair.slice(split + 1));
  }
  return fields;
}

/** Reads a query string; of repeated parameters the first counts, and bad percent-encoding stays as it is written. */
export function parseQuery(query: string): Fields {
  const parameters: Record<string, string> = Object.create(null);
  // Most requests have none, and a URLSearchParams costs more than it looks.
  if (query !== '') for (const [name, value] of new URLSearchParams(query)) parameters[name] ??= value;
  return parameters;
}

/**
 * The fields of a request's body (none, if it has no body).
 * @throws BadSubmissionError for a field that is not one of `names`.
 */
export function readFields(body: unknown, names: readonly string[]): Fields {
  const fields = (body ?? {}) as Fields;
  const unknown = Object.keys(fields).find((name) => !names.includes(name));
  if (unknown !== undefined) {
    throw new BadSubmissionError(`This form has no field “${quotable(unknown)}”.`);
  }
  return fields;
}

/** Checks fields against a schema; a field's first error is the one that is told. */
export function parseForm<T>(schema: ZodType<T>, fields: Fields): Form<T> {
  const result = schema.safeParse(fields);
  if (result.success) return { ok: true, value: result.data };
  const errors: Record<string, string> = {};
  for (const issue of result.error.issues) errors[String(issue.path[0])] ??= issue.message;
  return { ok: false, errors };
}

function decode(encoded: string): string {
  if (/%(?![0-9a-f]{2})/i.test(encoded)) {
    throw new BadSubmissionError(
      'The form could not be read: a “%” in it is not followed by two hex digits.',
    );
  }
  const text = encoded.replaceAll('+', ' ');
  try {
    return decodeURIComponent(text);
  } catch {
    const bytes = text.replace(/%(..)|[^%]+/g, (run, hex) => hex ?? Buffer.from(run).toString('hex'));
    return Buffer.from(bytes, 'hex').toString('utf8');
  }
}
