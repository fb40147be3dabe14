/** Clients that ask again and again, half of them for pages and half by forms, and what was answered. */
import { once } from 'node:events';
import { Agent, type IncomingMessage, request } from 'node:http';
import { text } from 'node:stream/consumers';
import { setTimeout } from 'node:timers/promises';
import { expect, inject } from 'vitest';
import { temporaryDatabase } from '../support.ts';

export const CLIENTS = 16;
/** Not the plain list: to offer its button to whoever runs Roster, it reads of all connections of the machine. */
const PAGE = '/users?sort=username';
/** In milliseconds, before somebody asks again where much else goes on meanwhile: of sixteen one comes every other moment, and the machine is left to others. */
export const THINKING = inject('isLong') ? 0 : 20;

type Told = { failures: readonly string[]; acknowledged: readonly string[] };

let number = 0;

/**
 * Clients that ask on connections that they keep, as long as they may, until nobody listens or they are stopped.
 * @param thinking for so many milliseconds between an answer and what is asked next
 */
export function startClients(address: string, thinking = 0) {
  const acknowledged: string[] = [];
  const failures: string[] = [];
  let isStopped = false;
  const ask = async (agent: Agent) => {
    const username = `user${number++}`;
    const body = new URLSearchParams({ username, email: `${username}@example.org` }).toString();
    const headers = { 'content-type': 'application/x-www-form-urlencoded', 'content-length': body.length };
    const [status, wanted] =
      number % 2 === 0
        ? [await send(address + PAGE, { agent }), 200]
        : [await send(`${address}/users`, { agent, method: 'POST', headers }, body), 303];
    if (status === 303) acknowledged.push(username);
    if (status !== wanted) failures.push(`${status}`);
  };
  const client = async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    while (!isStopped) {
      const code = await ask(agent).catch(codeOf);
      if (code === 'ECONNREFUSED') break;
      if (code !== undefined) failures.push(code);
      if (thinking > 0) await setTimeout(thinking);
    }
    agent.destroy();
  };
  const ended = Promise.all(Array.from({ length: CLIENTS }, client));
  return {
    acknowledged,
    failures,
    ended,
    stop() {
      isStopped = true;
      return ended;
    },
    async more(count: number): Promise<void> {
      const goal = acknowledged.length + count;
      await expect.poll(() => acknowledged.length).toBeGreaterThan(goal);
    },
  };
}

/** Whoever is not answered by then never is. */
const PATIENCE_MS = 60_000;

/** The status of the answer. */
export async function send(url: string, options: object, body = ''): Promise<number | undefined> {
  const signal = AbortSignal.timeout(PATIENCE_MS);
  const [answer] = (await once(request(url, { ...options, signal }).end(body), 'response')) as [
    IncomingMessage,
  ];
  await text(answer);
  return answer.statusCode;
}

/** Asks again and again, each time on a connection of its own. @returns how to end that, which gives all statuses that were answered, and codes of errors */
export function askAnew(url: string): () => Promise<(number | string | undefined)[]> {
  const answers = new Set<number | string | undefined>();
  let isOver = false;
  const ask = () => send(url, { agent: false }).catch(codeOf);
  const asking = (async () => {
    for (; !isOver; await setTimeout(THINKING)) answers.add(await ask());
  })();
  return async () => {
    isOver = true;
    await asking;
    return [...answers];
  };
}

function codeOf({ code, message }: NodeJS.ErrnoException): string {
  return code ?? message;
}

/** A form of which a part is sent: whoever answers it has to wait for the rest. */
export async function beginForm(address: string) {
  const body = 'username=alice&email=alice@example.org';
  const headers = { 'content-type': 'application/x-www-form-urlencoded', 'content-length': body.length };
  const form = request(`${address}/users`, { method: 'POST', agent: false, headers });
  const answered = once(form, 'response').then(([{ statusCode }]) => statusCode);
  answered.catch(() => {});
  form.write(body.slice(0, 10));
  await once(form, 'socket');
  // Another answer on a connection of its own: by then the half of the form has arrived, too.
  await send(`${address}/healthz`, { agent: false });
  return { answered, finish: () => void form.end(body.slice(10)) };
}

/** What clients were told is there, and nothing else was answered than what has to be. */
export async function expectNothingLost({ failures, acknowledged }: Told, url: string): Promise<void> {
  expect(failures).toEqual([]);
  const stored = await storedUsernames(url);
  expect(acknowledged.filter((username) => !stored.has(username))).toEqual([]);
}

async function storedUsernames(url: string): Promise<Set<string>> {
  const db = await temporaryDatabase(url);
  const users = await db.selectFrom('users').select('username').execute();
  return new Set(users.map(({ username }) => username));
}
