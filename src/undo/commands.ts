/** Undoing a change set: by the same commands, by which whoever undoes it could do the same today. */
import type { Actor } from '../auth/actor.ts';
import { hashOf } from '../auth/tokens.ts';
import type { Trx, User } from '../db/schema.ts';
import { ContendedError, NotFoundError } from '../errors.ts';
import type { Kind } from '../history/kinds.ts';
import type { ChangeSet } from '../history/queries.ts';
import { inOneSet } from '../history/record.ts';
import { MIXED } from '../history/undo-kind.ts';
import { insertJob } from '../jobs/queries.ts';
import { MADE_UP, markBroughtBack } from '../made-up-people/queries.ts';
import { type ChangedMany, changeUsers, deleteUsers, restoreUser, restoreUsers } from '../users/commands.ts';
import type { UserChanges } from '../users/validation.ts';
import { findChangesOf, lockUsersOfChanges } from './changes.ts';
import { planTogether } from './plan.ts';
import { isConflict, type Step } from './steps.ts';

/** `isWhole`: deletes, or brings back, a user all the same; `fieldsOf`: puts fields back all the same, or to something else. */
export type Choices = {
  seen: string;
  isWhole: (step: Step) => boolean;
  fieldsOf: (step: Step) => UserChanges;
};

export type Undone =
  /** Nothing is done yet: it has to be decided about what was changed since. */
  | { kind: 'asks'; steps: Step[] }
  | { kind: 'nothing'; steps: Step[] }
  /** `user`: where it was one, and they are there. */
  | { kind: 'undone'; set: number; steps: Step[]; left: Step[]; user: User | undefined };

export type Decided = Exclude<Undone, { kind: 'asks' }>;

/** @param users if not all whom it has changed @throws ForbiddenError, NotUniqueError, LastAdministratorError */
export async function undoChangeSet(
  trx: Trx,
  actor: Actor,
  undone: ChangeSet,
  choices: Choices | undefined,
  now: number,
  users?: readonly number[],
): Promise<Undone> {
  const changes = await findChangesOf(trx, undone.id, users);
  const steps = await planTogether(trx, actor, changes, await lockUsersOfChanges(trx, changes));
  if (steps.some(isConflict) && choices?.seen !== digestOf(steps)) return { kind: 'asks', steps };
  const acts = steps.map((step) => ({ step, act: actOf(step, choices) }));
  const left = acts.filter(({ step, act }) => isLeftOut(step, act)).map(({ step }) => step);
  const kind = kindOfActs(acts.map(({ act }) => act));
  const subject_id = kind === 'access' && steps.length === 1 ? (steps[0]?.id ?? null) : null;
  const detail = undone.detail === MADE_UP ? MADE_UP : mixedOf(acts.map(({ act }) => act));
  const begun = { at: now, kind, undoes: undone.id, subject_id, detail };
  const { result, set } = await inOneSet(trx, { ...actor, via: 'undo' }, begun, (acting) =>
    performAll(trx, acting, acts, now),
  );
  if (set === undefined) return { kind: 'nothing', steps };
  if (undone.detail === MADE_UP) await markBroughtBack(trx, set);
  // Of a part counts whoever was not as before already: they are counted by what has made them so.
  const counted = users ? steps.filter(({ kind }) => kind !== 'as before') : steps;
  if (left.length > 0 || users) await recordPart(trx, actor, set, counted, left);
  return { kind: 'undone', set, steps, left, user: steps.length === 1 ? result[0] : undefined };
}

async function recordPart(
  trx: Trx,
  { user }: Actor,
  set: number,
  steps: readonly Step[],
  left: readonly Step[],
): Promise<void> {
  await insertJob(trx, {
    kind: 'undo',
    state: 'done',
    set_id: set,
    actor_id: user?.id ?? null,
    params: '{}',
    total: steps.length,
    done: steps.length - left.length,
    left_out: left.length,
    notes: JSON.stringify(left.map(({ id }) => id)),
  });
}

/** Of all that is asked about: whoever has seen something else has not decided about this. */
export function digestOf(steps: readonly Step[]): string {
  return hashOf(JSON.stringify(steps.filter(isConflict).map(({ version: _, ...asked }) => asked)));
}

type Act =
  | { kind: 'change'; changes: UserChanges }
  | { kind: 'restore'; changes: UserChanges }
  | { kind: 'delete' }
  | undefined;

export function actOf(step: Step, choices: Choices | undefined): Act {
  if (step.kind === 'as before' || step.kind === 'left') return undefined;
  const chosen = choices?.fieldsOf(step) ?? {};
  if (step.kind === 'change') {
    const changes = { ...step.back, ...chosen };
    return Object.keys(changes).length > 0 ? { kind: 'change', changes } : undefined;
  }
  if (isConflict(step) && !choices?.isWhole(step)) return undefined;
  if (step.kind === 'delete') return { kind: 'delete' };
  const isFree = step.differences.every(({ field }) => field in chosen);
  return isFree ? { kind: 'restore', changes: chosen } : undefined;
}

export function isLeftOut(step: Step, act: Act): boolean {
  if (step.kind === 'as before') return false;
  if (step.kind !== 'change' || act?.kind !== 'change') return act === undefined;
  return step.stays.length > 0 || step.differences.some(({ field }) => !(field in act.changes));
}

type Acts = readonly { step: Step; act: Act }[];

/** @returns those who are there @throws ContendedError where somebody was at it since it was planned: it is planned anew */
export async function performAll(trx: Trx, actor: Actor, acts: Acts, now: number): Promise<User[]> {
  const all = acts.flatMap(({ step: { id, version }, act }) => (act ? [{ id, version, ...act }] : []));
  const changed = all.filter((one) => one.kind === 'change');
  const restored = all.filter((one) => one.kind === 'restore');
  const isAsItWas = ({ changes }: { changes: UserChanges }) => Object.keys(changes).length === 0;
  // Whoever gives up a name that others of them take comes first.
  const gone = all.filter(({ kind }) => kind === 'delete');
  usersOf(await deleteUsers(trx, actor, gone, now));
  const users = usersOf(await changeUsers(trx, actor, changed, now));
  users.push(...usersOf(await restoreUsers(trx, actor, restored.filter(isAsItWas), now)));
  for (const { id, version, changes } of restored.filter((one) => !isAsItWas(one))) {
    const result = await restoreUser(trx, actor, id, now, { changes, shownVersion: version }).catch(
      goneMeanwhile,
    );
    if (result.kind !== 'restored') throw contended();
    users.push(result.user);
  }
  return users;
}

function usersOf(result: ChangedMany): User[] {
  if (result.kind === 'changed since') throw contended();
  return result.users;
}

function contended(): ContendedError {
  return new ContendedError('Somebody else has changed what is being undone.');
}

/** Whoever was erased is left, once it is planned anew; the others are undone. */
function goneMeanwhile(error: unknown): never {
  if (!(error instanceof NotFoundError)) throw error;
  throw new ContendedError('Somebody of those who are undone is gone.', { cause: error });
}

function kindOfActs(acts: readonly Act[]): Kind {
  const kinds = new Set(acts.flatMap((act) => kindOfAct(act) ?? []));
  const [kind = 'changed'] = kinds;
  return kinds.size === 1 ? kind : 'changed';
}

function mixedOf(acts: readonly Act[]): string | null {
  const kinds = new Set(acts.map((act) => act?.kind));
  if (!kinds.has('change')) return null;
  return kinds.has('delete') ? MIXED.delete : kinds.has('restore') ? MIXED.restore : null;
}

function kindOfAct(act: Act): Kind | undefined {
  if (act === undefined) return undefined;
  if (act.kind === 'delete') return 'deleted';
  if (act.kind === 'restore') return 'restored';
  const { is_active, ...others } = act.changes;
  if (is_active !== undefined) return is_active ? 'activated' : 'deactivated';
  return Object.keys(others).every((field) => field === 'role') ? 'access' : 'changed';
}
