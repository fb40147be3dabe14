/** Forms that are sent twice: the same idempotency key with the same content is one act, answered as it was the first time. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Db, Trx } from '../db/schema.ts';
import { transact } from '../db/transact.ts';
import { DatabaseFailure } from '../errors.ts';
import { isChangedAfter } from '../history/changes-since.ts';
import { findUndoing } from '../history/undos.ts';
import type { Fields } from '../lib/forms.ts';
import { readCookie, sessionCookie } from './cookie.ts';
import {
  type Answer,
  changedSince,
  type Done,
  type DoneBefore,
  findAnswer,
  insertAnswer,
  replaceAnswer,
  type SentForm,
} from './idempotency-store.ts';
import { derivedToken, hashOf, isToken, newToken, timeOfKey } from './tokens.ts';

declare module 'fastify' {
  interface FastifyRequest {
    sentForm: SentForm | undefined;
  }
  interface FastifyReply {
    answer(answer: Answer): FastifyReply;
  }
}

/** Call it after `addAccess`: who may not ask any more gets no answer either. */
export function addIdempotency(app: FastifyInstance): void {
  app.decorateRequest('sentForm', undefined);
  app.decorateReply('answer', function ({ kind, to, sentence, undo }) {
    if (this.request.routeOptions.config.renewsSession) {
      const { name, options } = sessionCookie(this.server);
      this.setCookie(name, renewedToken(this.request), options);
    }
    if (kind === 'nothing done') return this.seeInstead(to, sentence);
    return this.seeOther(to, sentence, undo);
  });
  // Before the handlers, which refuse what has been used up.
  app.addHook('preHandler', async (request, reply) => {
    noteForm(request, request.body);
    const kept = await findKeptAnswer(request);
    if (kept) return reply.answer(kept);
  });
}

export function noteForm(request: FastifyRequest, fields: unknown): void {
  request.body = fields;
  request.sentForm = sentFormOf(request, request.session?.user_id);
}

/** Also while the answer of the same form is on its way: ask again before refusing one. */
export async function findKeptAnswer({
  server,
  sentForm,
  session,
}: FastifyRequest): Promise<DoneBefore | undefined> {
  return sentForm === undefined ? undefined : findStanding(server.db, sentForm, session?.user_id ?? null);
}

/** None of what whoever sends the form has undone since, who wants it anew; what others have undone stays so. */
async function findStanding(db: Db, form: SentForm, who: number | null): Promise<DoneBefore | undefined> {
  const kept = await findAnswer(db, form);
  const set = kept?.undo ?? kept?.begun;
  const undoing = set === undefined ? [] : ((await findUndoing(db, [set])).get(set) ?? []);
  const isAnew = undoing.length > 0 && undoing.every(({ actor_id }) => actor_id === who);
  if (isAnew) return undefined;
  const isOver = kept?.undo !== undefined && (await isChangedAfter(db, kept.undo));
  return isOver ? changedSince(kept) : kept;
}

export async function transactOnce<T>(
  { server: { db, clock }, sentForm, session }: FastifyRequest,
  work: (trx: Trx) => Promise<T>,
): Promise<T | DoneBefore> {
  if (sentForm === undefined) return transact(db, work);
  const find = (trx: Trx) => findStanding(trx, sentForm, session?.user_id ?? null);
  try {
    return await transact(db, async (trx) => {
      const result = await work(trx);
      if (!isDone(result)) return (await find(trx)) ?? result;
      if (await insertAnswer(trx, sentForm, result, clock())) return result;
      if (await find(trx)) throw new DoneBeforeError();
      await replaceAnswer(trx, sentForm, result, clock());
      return result;
    });
  } catch (error) {
    if (error instanceof DatabaseFailure) throw error;
    // Of two clicks the second is refused what the first has used up: in a transaction, which waits until that is saved.
    const kept = await transact(db, find).catch(() => undefined);
    if (kept) return kept;
    throw error;
  }
}

class DoneBeforeError extends Error {}

function isDone(result: unknown): result is Done {
  return (result as Partial<Done> | undefined)?.kind === 'done';
}

/** Answered only once it has been looked at who sends it. */
export function signInForm(request: FastifyRequest): SentForm | undefined {
  return sentFormOf(request, 'sign-in');
}

/** Of a session that a form begins. Its number is never given to another one, so that no token is used twice. */
export function tokenOfBegun(request: FastifyRequest, session: number): string {
  return tokenOfForm(request, 'session', session) ?? newToken();
}

function sentFormOf(request: FastifyRequest, who: number | string | undefined): SentForm | undefined {
  const token = tokenOfForm(request, 'key', who);
  if (token === undefined) return undefined;
  const { key = '' } = request.body as Fields;
  const hash = timeOfKey(key) + hashOf(token);
  return { hash, key: Buffer.from(token, 'base64url') };
}

/** Undefined without a key. Passwords are in here: only with the secret key can anyone try some. */
function tokenOfForm(
  { method, body, url, server }: FastifyRequest,
  use: string,
  who: number | string | undefined,
): string | undefined {
  if (method !== 'POST') return undefined;
  const { key = '', ...fields } = (body ?? {}) as Fields;
  if (!isToken(key)) return undefined;
  const content = JSON.stringify(Object.entries(fields).sort());
  return derivedToken(server.secretKey, `form: ${use}`, who, key, url, content);
}

const renewed = new WeakMap<FastifyRequest, string>();

/** Of a session that a form renews. It is the same each time, so that a second click with the former cookie can go on. */
export function renewedToken(request: FastifyRequest): string {
  const former = readCookie(request, sessionCookie(request.server));
  const token = renewed.get(request) ?? tokenOfForm(request, 'renewed session', former) ?? newToken();
  renewed.set(request, token);
  return token;
}
