/** Changing something for whoever asks: who that is, and what they may, is read again in the transaction that changes it. */
import type { FastifyRequest } from 'fastify';
import type { Role, Trx } from '../db/schema.ts';
import { SignedOutError } from '../errors.ts';
import { type Actor, authorize } from './actor.ts';
import { hasAdministrator, shareAdministrators } from './administrators.ts';
import { transactOnce } from './idempotency.ts';
import type { DoneBefore } from './idempotency-store.ts';
import { mayRead } from './policy.ts';
import { findRoleOf } from './sessions.ts';

/** A request can be held open for longer than its sender is let in. What is `done` is kept for the same form. @throws SignedOutError, ForbiddenError */
export async function runCommand<T>(
  request: FastifyRequest,
  change: (trx: Trx, actor: Actor) => Promise<T>,
): Promise<T | DoneBefore> {
  return transactOnce(request, async (trx) => change(trx, await confirmActor(trx, request)));
}

export function actorOf(
  request: FastifyRequest,
  who: Pick<Actor, 'role' | 'via'> & Partial<Pick<Actor, 'user'>>,
): Actor {
  const note: Actor['note'] = (event, user, more) => request.server.audit(request, event, user, more);
  return { user: undefined, address: request.address, note, ...who };
}

/** Until the end of the transaction the session goes on and its user keeps their role. */
export async function confirmActor(trx: Trx, request: FastifyRequest): Promise<Actor> {
  const { session, isOpen, actor, routeOptions } = request;
  const role = session ? await findRoleOf(trx, session) : isOpen ? await roleWhileOpen(trx) : undefined;
  if (!actor || !role) throw new SignedOutError('The session has ended.');
  authorize({ role }, routeOptions.config.may ?? mayRead);
  return { ...actor, role };
}

/** Whoever is there may act until there is an administrator, whom nobody makes before the end of the transaction. */
async function roleWhileOpen(trx: Trx): Promise<Role | undefined> {
  await shareAdministrators(trx);
  return (await hasAdministrator(trx)) ? undefined : 'editor';
}
