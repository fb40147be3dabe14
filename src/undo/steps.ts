/** What it takes to undo what was done to one user: what is put back, and what has been changed since, which is asked about. */
import type { User } from '../db/schema.ts';
import type { KeptField } from '../history/kinds.ts';
import type { UserChanges } from '../users/validation.ts';

/** What is not put back unasked: it has been changed since, or somebody else has it by now. */
export type Difference = {
  field: KeptField;
  was: User[KeptField];
  became: User[KeptField];
  now: User[KeptField];
  holder?: Pick<User, 'id' | 'username'> | undefined;
  /** It is as it became then because somebody has made it so once more. */
  isAnew?: boolean;
};

export type Left = 'erased' | 'deleted since' | 'not allowed' | 'own email' | 'last administrator';

export type Stays = { field: KeptField; why: Left };

/** `version`: of the user as they are, or the last that a deleted one had. */
export type Step = {
  id: number;
  username: string;
  version: number;
} /** `stays`: what of it cannot be put back; `hadAccess`: what is put back lets them sign in, without what ended with it. */ & (
  | { kind: 'change'; back: UserChanges; differences: Difference[]; stays: Stays[]; hadAccess: boolean }
  /** `hasAccess`: by now they have a password; `isAgain`: something was done to them since, though all may be as it was. */
  | { kind: 'delete'; differences: Difference[]; hasAccess: boolean; isAgain: boolean }
  /** `isAgain`: they were brought back since, and deleted again. */
  | { kind: 'restore'; differences: Difference[]; isAgain: boolean; hadAccess: boolean }
  | { kind: 'as before' }
  | { kind: 'left'; why: Left }
);

export type BareStep = Bare<Step>;
type Bare<S> = S extends Step ? Omit<S, 'id' | 'username' | 'version'> : never;

export function isConflict(step: Step): boolean {
  if (step.kind === 'left' || step.kind === 'as before') return false;
  if (step.differences.length > 0) return true;
  if (step.kind === 'change') return step.stays.length > 0;
  return step.isAgain || (step.kind === 'delete' && step.hasAccess);
}

export function isRefused(step: Step): boolean {
  return step.kind === 'left';
}
