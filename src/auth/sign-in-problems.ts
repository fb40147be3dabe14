/** Why someone who signs in is not let in, in a sentence. */
import type { FastifyRequest } from 'fastify';
import type { User } from '../db/schema.ts';
import { CODE_REFUSALS, isByTime, WHY_AUDITED, type WrongCode } from './code-refusals.ts';
import { tooMany } from './throttle.ts';

/** `wait` is in milliseconds. */
export type Problem = {
  kind: 'problem';
  problem: string;
  note?: string;
  status: number;
  ticket?: string;
  wait?: number;
  /** Not noted yet: of two clicks the second comes too late as well. */
  late?: { user: User | undefined };
};

const problem = (sentence: string, more: Partial<Problem> = {}): Problem => ({
  kind: 'problem',
  problem: sentence,
  status: 422,
  ...more,
});

export const WRONG = problem('Username or password is wrong.');
export const TOO_LATE = problem(
  'Your sign-in took too long, or something has changed meanwhile: enter your password again.',
);
export const SOON = 'Try again in a few seconds.';
export const BUSY = problem(`Too many people are signing in at this moment. ${SOON}`, { status: 503 });
export const LOST = problem(CODE_REFUSALS.lost);

export type Code = { ticket: string; typed: string };

export function refuseCode(
  request: FastifyRequest,
  user: User,
  { ticket, typed }: Code,
  outcome: WrongCode,
): Problem {
  const { server } = request;
  if (outcome.kind === 'wait') return haveToWait(request, user, outcome.wait, ticket);
  const { kind } = outcome;
  if (kind !== 'no code') server.auditOften(request, `sign-in failed: ${WHY_AUDITED[kind]}`, user);
  if (kind === 'removed') return TOO_LATE;
  if (kind === 'lost') return LOST;
  const note = isByTime(outcome, typed) ? { note: server.clockNote() } : {};
  return problem(CODE_REFUSALS[kind], { ticket, ...note });
}

export function haveToWait(
  request: FastifyRequest,
  user: User | undefined,
  wait: number,
  ticket?: string,
): Problem {
  request.server.auditOften(request, 'sign-in refused: too many attempts', user);
  return problem(tooMany(wait), { status: 429, wait, ...(ticket && { ticket }) });
}
