/** Reading forms: from their bytes to a value, or to what is wrong with every field. */
import type { ZodType } from 'zod';
import { BadSubmissionError } from '../errors.ts';

export type Fields = Readonly<Record<string, string>>;

export type Errors = Readonly<Record<string, string>>;

export type Form<T> = { ok: true; value: T } | { ok: false; errors: Errors };

const MOST_FIELDS = 100;

/** What is wrong with single fields, by name: it matters only where the form has such a field. */
const mistakes = new WeakMap<Fields, ReadonlyMap<string, string>>();

/** `application/x-www-form-urlencoded` (WHATWG URL Standard, 5). @throws BadSubmissionError for too many fields */
export function parseUrlEncoded(body: string): Fields {
  const fields: Record<string, string> = Object.create(null);
  const pairs = body.split('&').filter((pair) => pair !== '');
  if (pairs.length > MOST_FIELDS) {
    throw new BadSubmissionError(`A form may have at most ${MOST_FIELDS} fields.`);
  }
  const wrong = new Map<string, string>();
  for (const pair of pairs) {
    const split = pair.indexOf('=');
    const name = decode(split < 0 ? pair : pair.slice(0, split));
    const value = split < 0 ? '' : decode(pair.slice(split + 1));
    if (name === undefined) continue;
    if (value === undefined) wrong.set(name, 'has a “%” in it that is not followed by two hex digits');
    if (name in fields) wrong.set(name, 'was sent twice');
    fields[name] ??= value ?? '';
  }
  if (wrong.size > 0) mistakes.set(fields, wrong);
  return fields;
}

/** Of repeated parameters the first counts, and bad percent-encoding stays as it is written. */
export function parseQuery(query: string): Fields {
  const parameters: Record<string, string> = Object.create(null);
  // Most requests have none, and a URLSearchParams costs more than it looks.
  if (query !== '') for (const [name, value] of new URLSearchParams(query)) parameters[name] ??= value;
  return parameters;
}

/** As `URLSearchParams` writes it, which is not asked where nothing has to be encoded. */
export function formatQuery(parameters: readonly (readonly [name: string, value: string])[]): string {
  return parameters.map(([name, value]) => `${encode(name)}=${encode(value)}`).join('&');
}

function encode(text: string): string {
  return /^[\w.*-]*$/.test(text) ? text : `${new URLSearchParams([['', text]])}`.slice(1);
}

/** Without what a proxy or an extension has added. @throws BadSubmissionError for a field sent twice, or unreadable */
export function readFields(body: unknown, names: readonly string[]): Fields {
  const fields = (body ?? {}) as Fields;
  const wrong = mistakes.get(fields);
  for (const name of names) {
    const mistake = wrong?.get(name);
    if (mistake !== undefined) throw new BadSubmissionError(`The field “${name}” ${mistake}.`);
  }
  return Object.fromEntries(Object.entries(fields).filter(([name]) => names.includes(name)));
}

export function parseForm<T>(schema: ZodType<T>, fields: Fields): Form<T> {
  const result = schema.safeParse(fields);
  if (result.success) return { ok: true, value: result.data };
  const errors: Record<string, string> = {};
  for (const issue of result.error.issues) errors[String(issue.path[0])] ??= issue.message;
  return { ok: false, errors };
}

function decode(encoded: string): string | undefined {
  if (/%(?![0-9a-f]{2})/i.test(encoded)) return undefined;
  const text = encoded.replaceAll('+', ' ');
  try {
    return decodeURIComponent(text);
  } catch {
    // Bytes that are no UTF-8 become U+FFFD, so that the rule of the field can say so.
    const bytes = text.replace(/%(..)|[^%]+/g, (run, hex) => hex ?? Buffer.from(run).toString('hex'));
    return Buffer.from(bytes, 'hex').toString('utf8');
  }
}
