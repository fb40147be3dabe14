/** The secrets of second factors as they are kept: sealed, each for its user alone. */
import { open, seal } from './tokens.ts';

/** Stands for a secret that nobody can open any more, since the key was lost. */
export const GIVEN_UP = 'given up with the key';

export function sealSecret(key: Buffer, userId: number, secret: string): string {
  return seal(key, purposeOf(userId), secret);
}

export function openSecret(key: Buffer, userId: number, stored: string): string | undefined {
  const secret = open(key, purposeOf(userId), stored);
  return typeof secret === 'string' ? secret : undefined;
}

function purposeOf(userId: number): string {
  return `second factor of ${userId}`;
}
