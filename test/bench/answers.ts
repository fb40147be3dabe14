/** What a server answers to one request, and whether the hand-written one answers it as Roster does. */
import { deepStrictEqual } from 'node:assert/strict';
import { SIGNED_IN } from './session.ts';

export type Request = {
  method: 'GET' | 'POST';
  path: string;
  headers?: Record<string, string>;
  body?: string;
};

/** Without the headers that belong to the moment or the connection. */
export type Answer = { status: number; headers: Record<string, string>; body: string };

const TIMES = /<time [^>]*>[^<]*/g;

/** In milliseconds; many who sign in at once wait for each other, and the machine may be busy with other things. */
const PATIENCE = 60_000;

export async function ask(origin: string, { path, ...request }: Request): Promise<Answer> {
  const response = await fetch(origin + path, {
    ...request,
    headers: { 'accept-encoding': 'identity', ...SIGNED_IN, ...request.headers },
    redirect: 'manual',
    signal: AbortSignal.timeout(PATIENCE),
  });
  const { date, connection, 'keep-alive': keepAlive, ...headers } = Object.fromEntries(response.headers);
  // Sealed, and so another one each time, with the mark of its server in its name and the number of the change set in it.
  const cookie = headers['set-cookie']?.replace(/^(roster_flash_)\w{8}=[\w-]+/, '$1x=x');
  if (cookie !== undefined) headers['set-cookie'] = cookie;
  // The idempotency keys of its forms are other ones each time, too.
  const body = (await response.text()).replaceAll(
    /(name="key" value=")([^"]*)/g,
    (_, start, key) => `${start}${'x'.repeat(key.length)}`,
  );
  return { status: response.status, headers, body };
}

/**
 * Roster's answers by address, such as "GET /users".
 * @throws AssertionError when the hand-written server's differ: it would no longer do the same work.
 */
export async function askBoth(
  requests: readonly Request[],
  handWritten: { origin: string },
  roster: { origin: string },
): Promise<[address: string, answer: Answer][]> {
  const answers: [string, Answer][] = [];
  for (const request of requests) {
    const { headers: all, ...shown } = await ask(roster.origin, request);
    // The other one knows of no revision, gives requests no names, and has no file of rules.
    const { etag: _, 'x-request-id': __, 'speculation-rules': ___, ...headers } = all;
    const answer = { ...shown, headers };
    deepStrictEqual(withoutTimes(await ask(handWritten.origin, request)), withoutTimes(answer));
    answers.push([`${request.method} ${request.path}`, answer]);
  }
  return answers;
}

/** Databases that are made one after the other differ in when: "6 minutes ago" is "8 minutes ago", and may be longer. */
function withoutTimes({ headers: { 'content-length': length, ...headers }, body, ...answer }: Answer) {
  return { ...answer, headers, hasLength: length !== undefined, body: body.replaceAll(TIMES, '<time>') };
}
