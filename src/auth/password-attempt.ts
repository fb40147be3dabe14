/** Passwords that are sent, each in its turn: an attempt at one, which is refused, or counted and looked at; and a new one. */
import type { FastifyRequest } from 'fastify';
import { largestNetworkOf } from './networks.ts';
import { hashPassword, isPassword } from './password-hashing.ts';
import { passwordQueue } from './password-queue.ts';
import { type Attempt, attempt, type Counters, waitOf } from './throttle.ts';

/** @param hash undefined where there is no such user; that takes as long. @throws BusyError */
export async function attemptPassword(
  { server: { db, clock }, address }: FastifyRequest,
  counters: Counters,
  password: string,
  hash: string | undefined,
): Promise<Attempt> {
  // Who is refused takes no place in the queue. In it `attempt` looks once more, as others may have failed meanwhile.
  const wait = await waitOf(db, counters, clock());
  if (wait > 0) return { isRight: false, wait };
  // A network is one place, also of browsers that are known: of those somebody could have any number.
  return passwordQueue.run(largestNetworkOf(address), () =>
    attempt(db, counters, clock(), () => isPassword(password, hash)),
  );
}

/** @throws BusyError */
export function hashInTurn({ address }: FastifyRequest, password: string): Promise<string> {
  return passwordQueue.run(largestNetworkOf(address), () => hashPassword(password));
}
