/** Changing something for whoever asks: who that is, and what they may, is read again in the transaction that changes it. */
import type { FastifyRequest } from 'fastify';
import type { Trx } from '../db/schema.ts';
import { transact } from '../db/transact.ts';
import { ForbiddenError, SignedOutError } from '../errors.ts';
import { hasAdministrator, shareAdministrators } from './last-administrator.ts';
import { type Actor, mayRead, whoMay } from './policy.ts';
import { findActorOf } from './queries.ts';

/**
 * Changes something in one transaction, until whose end the session goes on and its user keeps their role: a request can be
 * held open for longer than its sender is let in.
 * @throws SignedOutError, ForbiddenError
 */
export async function act<T>(
  request: FastifyRequest,
  change: (trx: Trx, actor: Actor) => Promise<T>,
): Promise<T> {
  return transact(request.server.db, async (trx) => change(trx, await confirmActor(trx, request)));
}

/** Who asks, as they are now; see `act`. */
export async function confirmActor(
  trx: Trx,
  { session, isOpen, routeOptions }: FastifyRequest,
): Promise<Actor> {
  const { may = mayRead } = routeOptions.config;
  const actor = session ? await findActorOf(trx, session) : isOpen && (await stillOpen(trx));
  if (!actor) throw new SignedOutError('The session has ended.');
  if (!may(actor)) throw new ForbiddenError(whoMay(may));
  return actor;
}

/** Whoever is there may act until there is an administrator, whom nobody makes before the end of the transaction. */
async function stillOpen(trx: Trx): Promise<Actor | undefined> {
  await shareAdministrators(trx);
  return (await hasAdministrator(trx)) ? undefined : { role: 'editor' };
}
