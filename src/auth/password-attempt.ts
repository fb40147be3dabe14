/** Passwords that are sent, each in its turn: an attempt at one, which is refused, or counted and looked at; and a new one. */
import type { FastifyRequest } from 'fastify';
import { largestNetworkOf } from './networks.ts';
import { hashPassword, isPassword } from './password-hashing.ts';
import { type Attempt, attempt, type Counters, waitOf } from './throttle.ts';

/** @param hash undefined where there is no such user; that takes as long. @throws BusyError */
export async function attemptPassword(
  request: FastifyRequest,
  counters: Counters,
  password: string,
  hash: string | undefined,
): Promise<Attempt> {
  const { db, clock, passwordCost } = request.server;
  // Who is refused takes no place in the queue. In it `attempt` looks once more, as others may have failed meanwhile.
  const wait = await waitOf(db, counters, clock());
  if (wait > 0) return { isRight: false, wait };
  return inTurn(request, () =>
    attempt(db, counters, clock(), () => isPassword(password, hash, passwordCost)),
  );
}

/** @throws BusyError */
export function hashInTurn(request: FastifyRequest, password: string): Promise<string> {
  return inTurn(request, () => hashPassword(password, request.server.passwordCost));
}

/** A network is one place, also of browsers that are known: of those somebody could have any number. @throws BusyError */
export function inTurn<T>({ server, address }: FastifyRequest, work: () => Promise<T>): Promise<T> {
  return server.passwordQueue.run(largestNetworkOf(address), work);
}
