/** Undoing a change set: by the same commands, by which whoever undoes it could do the same today. */
import type { Actor } from '../auth/actor.ts';
import { hashOf } from '../auth/tokens.ts';
import type { Trx, User } from '../db/schema.ts';
import { ContendedError } from '../errors.ts';
import type { Kind } from '../history/codes.ts';
import { type ChangeSet, findChangesInSet } from '../history/queries.ts';
import { inOneSet } from '../history/record.ts';
import { changeUser, deleteUser, restoreUser } from '../users/commands.ts';
import { lockUsers } from '../users/queries.ts';
import type { UserChanges } from '../users/validation.ts';
import { isAsked, planSteps, type Step } from './steps.ts';

/** What was decided about what had been changed since. */
export type Choices = {
  /** What was shown: as `digestOf` tells it. */
  seen: string;
  /** Whether a user is deleted, or brought back, all the same. */
  isWhole: (step: Step) => boolean;
  /** Fields that are put back all the same, or become something else. */
  fieldsOf: (step: Step) => UserChanges;
};

export type Undone =
  /** Nothing is done yet: it has to be decided about what was changed since. */
  | { kind: 'asks'; steps: Step[] }
  | { kind: 'nothing'; steps: Step[] }
  /** `user`: where it was one, and they are there. */
  | { kind: 'undone'; set: number; steps: Step[]; left: Step[]; user: User | undefined };

/** @throws ForbiddenError, NotUniqueError (username or email taken meanwhile), LastAdministratorError */
export async function undoChangeSet(
  trx: Trx,
  actor: Actor,
  undone: ChangeSet,
  choices: Choices | undefined,
  now: number,
): Promise<Undone> {
  const changes = await findChangesInSet(trx, undone.id, { user_id: 0, version: 0 }, Number.MAX_SAFE_INTEGER);
  await lockUsers(trx, [...new Set(changes.map(({ user_id }) => user_id))]);
  const steps = await planSteps(trx, actor, changes);
  if (steps.some(isAsked) && choices?.seen !== digestOf(steps)) return { kind: 'asks', steps };
  const acts = steps.map((step) => ({ step, act: actOf(step, choices) }));
  const left = acts.filter(({ step, act }) => isLeftOut(step, act)).map(({ step }) => step);
  const kind = kindOf(acts.map(({ act }) => act));
  // What was done to someone's role they find in their own history.
  const subject_id = kind === 'access' && steps.length === 1 ? (steps[0]?.id ?? null) : null;
  const begun = { at: now, kind, undoes: undone.id, subject_id };
  const { result, set } = await inOneSet(trx, { ...actor, via: 'undo' }, begun, async (acting) => {
    let user: User | undefined;
    for (const { step, act } of acts) user = await perform(trx, acting, step, act, now);
    return user;
  });
  if (set === undefined) return { kind: 'nothing', steps };
  return { kind: 'undone', set, steps, left, user: steps.length === 1 ? result : undefined };
}

/** Of all that is asked about: whoever has seen something else has not decided about this. */
export function digestOf(steps: readonly Step[]): string {
  return hashOf(JSON.stringify(steps.filter(isAsked).map(({ version: _, ...asked }) => asked)));
}

type Act = { kind: 'change' | 'restore'; changes: UserChanges } | { kind: 'delete' } | undefined;

export function actOf(step: Step, choices: Choices | undefined): Act {
  if (step.kind === 'as before' || step.kind === 'left') return undefined;
  const chosen = choices?.fieldsOf(step) ?? {};
  if (step.kind === 'change') {
    const changes = { ...step.back, ...chosen };
    return Object.keys(changes).length > 0 ? { kind: 'change', changes } : undefined;
  }
  if (isAsked(step) && !choices?.isWhole(step)) return undefined;
  if (step.kind === 'delete') return { kind: 'delete' };
  const isFree = step.differences.every(({ field }) => field in chosen);
  return isFree ? { kind: 'restore', changes: chosen } : undefined;
}

/** Whether anything of it is as it was not before. */
export function isLeftOut(step: Step, act: Act): boolean {
  if (step.kind === 'as before') return false;
  if (step.kind !== 'change' || act?.kind !== 'change') return act === undefined;
  return step.differences.some(({ field }) => !(field in act.changes));
}

/** @throws ContendedError where somebody was at it since it was planned: it is planned anew */
export async function perform(
  trx: Trx,
  actor: Actor,
  { id, version }: Step,
  act: Act,
  now: number,
): Promise<User | undefined> {
  if (act === undefined) return undefined;
  const result =
    act.kind === 'delete'
      ? await deleteUser(trx, actor, id, now, version)
      : act.kind === 'restore'
        ? await restoreUser(trx, actor, id, now, { changes: act.changes, shownVersion: version })
        : await changeUser(trx, actor, id, act.changes, now, version);
  if (['conflict', 'changed since', 'deleted again', 'there already'].includes(result.kind))
    throw new ContendedError('Somebody else has changed what is being undone.');
  return result.kind === 'restored' || result.kind === 'changed' ? result.user : undefined;
}

/** What is done to all of them, as far as that is one thing. */
function kindOf(acts: readonly Act[]): Kind {
  const kinds = new Set(acts.flatMap((act) => kindOfAct(act) ?? []));
  const [kind = 'changed'] = kinds;
  return kinds.size === 1 ? kind : 'changed';
}

function kindOfAct(act: Act): Kind | undefined {
  if (act === undefined) return undefined;
  if (act.kind === 'delete') return 'deleted';
  if (act.kind === 'restore') return 'restored';
  const { is_active, ...others } = act.changes;
  if (is_active !== undefined) return is_active ? 'activated' : 'deactivated';
  return Object.keys(others).every((field) => field === 'role') ? 'access' : 'changed';
}
