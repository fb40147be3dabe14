/** What can be done to many users at once: one thing, to all of them. */
import { mayChange, mayEdit, mayManage, type Rule } from '../auth/policy.ts';
import type { Role } from '../db/schema.ts';
import { NotFoundError } from '../errors.ts';
import type { Kind } from '../history/kinds.ts';
import type { Candidate } from '../users/list/matching.ts';
import type { UserChanges } from '../users/validation.ts';

export const ACTS = {
  role: { kind: 'access', may: mayManage },
  activate: { kind: 'activated', may: mayEdit },
  deactivate: { kind: 'deactivated', may: mayEdit },
  delete: { kind: 'deleted', may: mayEdit },
} as const satisfies Record<string, { kind: Kind; may: Rule }>;

export type Act = { do: keyof typeof ACTS; role?: Role | undefined };

/** @throws NotFoundError */
export function parseAct(typed: string | undefined): Act {
  const known = Object.keys(ACTS).find((name) => name === typed);
  if (known === undefined) throw new NotFoundError('There is nothing like that to be done to many users.');
  return { do: known as Act['do'] };
}

export function changesOf({ do: done, role }: Act): UserChanges | undefined {
  if (done === 'delete') return undefined;
  return done === 'role' ? { role } : { is_active: done === 'activate' };
}

export type Why = 'already so' | 'yourself' | 'not allowed' | 'last administrator' | 'changed since' | 'gone';

export type By = { role: Role; user?: { id: number } | undefined };

/** Beforehand: the commands judge each again. Nobody takes their own access away among many. */
export function whyLeft(actor: By, user: Candidate, act: Act): Why | undefined {
  if (isSo(user, act)) return 'already so';
  if (user.id === actor.user?.id) return 'yourself';
  return ACTS[act.do].may(actor) && mayChange(actor, user) ? undefined : 'not allowed';
}

function isSo(user: Candidate, { do: done, role }: Act): boolean {
  if (done === 'role') return user.role === role;
  return done !== 'delete' && user.is_active === (done === 'activate');
}
