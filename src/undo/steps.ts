/** What it takes to undo a change set, user by user: what is put back, and what has been changed since, which is asked about. */
import type { Actor } from '../auth/actor.ts';
import { isLastAdministrator } from '../auth/administrators.ts';
import { findCredentials } from '../auth/credentials.ts';
import { mayChange, mayChangeOwn, mayManage, mayRead } from '../auth/policy.ts';
import type { Db, User } from '../db/schema.ts';
import { usersByIds } from '../db/users-by-ids.ts';
import type { KeptField } from '../history/codes.ts';
import {
  type FieldChanges,
  isDeletion,
  type KeptValues,
  mergeFields,
  unpackFields,
  unpackValues,
} from '../history/fields.ts';
import { type ChangeOfSet, type DeletedUser, findDeletedByIds, findFieldsSince } from '../history/queries.ts';
import { findHolders } from '../users/queries.ts';
import type { UserChanges } from '../users/validation.ts';

/** What is not put back unasked: it has been changed since, or somebody else has it by now. */
export type Difference = {
  field: KeptField;
  was: User[KeptField];
  became: User[KeptField];
  now: User[KeptField];
  holder?: Pick<User, 'id' | 'username'> | undefined;
};

export type Left = 'deleted since' | 'not allowed' | 'own email' | 'last administrator';

/** `version`: of the user as they are, or the last that a deleted one had. */
export type Step = { id: number; username: string; version: number } & (
  | { kind: 'change'; back: UserChanges; differences: Difference[] }
  /** `hasAccess`: by now they have a password. */
  | { kind: 'delete'; differences: Difference[]; hasAccess: boolean }
  /** `isAgain`: they were brought back since, changed, and deleted again. */
  | { kind: 'restore'; differences: Difference[]; isAgain: boolean }
  | { kind: 'as before' }
  | { kind: 'left'; why: Left }
);

type Effect = { kind: 'change' | 'delete' | 'restore' | 'none'; fields: FieldChanges; last: ChangeOfSet };

/** @param changes all that a set did to some users, in their order. */
export async function planSteps(
  db: Db,
  actor: Pick<Actor, 'role' | 'user'>,
  changes: readonly ChangeOfSet[],
): Promise<Step[]> {
  const byUser = Map.groupBy(changes, ({ user_id }) => user_id);
  const ids = [...byUser.keys()];
  if (ids.length === 0) return [];
  const users = new Map((await usersByIds(db, ids).selectAll().execute()).map((user) => [user.id, user]));
  const gone = new Map((await findDeletedByIds(db, ids)).map((deleted) => [deleted.id, deleted]));
  const steps: Step[] = [];
  for (const [id, ofUser] of byUser) {
    const [user, deleted] = [users.get(id), gone.get(id)];
    const values = user ?? (deleted && unpackValues(deleted.fields));
    if (values === undefined) {
      steps.push({ id, username: `user ${id}`, version: 0, kind: 'left', why: 'deleted since' });
      continue;
    }
    const planned = await stepFor(db, effectOf(ofUser), values, user, deleted);
    const why = await refusalOf(db, actor, { ...values, id }, planned);
    const step = why === undefined ? planned : { kind: 'left' as const, why };
    const version = user?.version ?? (deleted ? deleted.version - 1 : 0);
    steps.push({ id, username: values.username, version, ...step });
  }
  return steps;
}

/** What has to be decided by whoever undoes it. */
export function isAsked(step: Step): boolean {
  if (step.kind === 'left' || step.kind === 'as before') return false;
  const isOther = (step.kind === 'delete' && step.hasAccess) || (step.kind === 'restore' && step.isAgain);
  return step.differences.length > 0 || isOther;
}

/** What nobody, or not whoever undoes it, can do anything about. */
export function isRefused(step: Step): boolean {
  return step.kind === 'left';
}

/** What all that a set did to one user comes to, and what undoes it. */
function effectOf(changes: readonly ChangeOfSet[]): Effect {
  const [first, last] = [changes[0], changes.at(-1)] as [ChangeOfSet, ChangeOfSet];
  // Nothing is kept of a creation, nor of bringing back.
  const wasThere = first.fields !== null;
  const isThere = last.fields === null || !isDeletion(last.fields);
  const fields = mergeFields(changes.map((change) => unpackFields(change.fields)));
  const undoing = wasThere ? (isThere ? 'change' : 'restore') : isThere ? 'delete' : 'none';
  return { kind: undoing, fields, last };
}

type Bare<S> = S extends Step ? Omit<S, 'id' | 'username' | 'version'> : never;

async function stepFor(
  db: Db,
  { kind, fields, last }: Effect,
  values: KeptValues,
  user: User | undefined,
  deleted: DeletedUser | undefined,
): Promise<Bare<Step>> {
  if (kind === 'change') {
    if (user === undefined) return { kind: 'left', why: 'deleted since' };
    return changeStep(db, fields, user);
  }
  if (kind === 'delete' && user !== undefined) {
    const since = user.version > last.version ? await findFieldsSince(db, user.id, last.version) : {};
    const hasAccess = mayRead(user) && (await findCredentials(db, user.id)) !== undefined;
    return { kind, hasAccess, differences: differencesOf(since, user) };
  }
  if (kind === 'restore' && deleted !== undefined) {
    const holders = await findHolders(db, values, deleted.id);
    const taken = (['username', 'email'] as const).filter((field) => holders[field]);
    const differences = taken.map((field) => {
      const value = values[field];
      return { field, was: value, became: value, now: value, holder: nameOf(holders[field]) };
    });
    return { kind, isAgain: deleted.fields !== last.fields, differences };
  }
  return { kind: 'as before' };
}

async function changeStep(db: Db, fields: FieldChanges, user: User): Promise<Bare<Step>> {
  const open = differencesOf(fields, user).filter(({ field, was }) => user[field] !== was);
  if (open.length === 0) return { kind: 'as before' };
  const back: UserChanges = Object.fromEntries(open.map(({ field, was }) => [field, was]));
  const holders: Partial<Record<KeptField, User>> = await findHolders(db, back, user.id);
  const differences = open
    .map((one) => ({ ...one, holder: nameOf(holders[one.field]) }))
    .filter(({ became, now, holder }) => now !== became || holder);
  for (const { field } of differences) delete back[field as keyof UserChanges];
  return { kind: 'change', back, differences };
}

function nameOf(user: User | undefined): Difference['holder'] {
  return user && { id: user.id, username: user.username };
}

function differencesOf(fields: FieldChanges, now: User): Difference[] {
  return Object.entries(fields).map(([name, { was, became }]) => {
    const field = name as KeptField;
    return { field, was, became, now: now[field] };
  });
}

/** As the commands judge it: what cannot be done is known, and left, before anything is. */
async function refusalOf(
  db: Db,
  actor: Pick<Actor, 'role' | 'user'>,
  user: KeptValues & { id: number },
  step: Bare<Step>,
): Promise<Left | undefined> {
  if (step.kind === 'as before' || step.kind === 'left') return undefined;
  const names = step.kind === 'change' ? fieldsOf(step) : [];
  // That takes the password, in one's account.
  if (names.includes('email') && user.id === actor.user?.id) return 'own email';
  const isOwn = step.kind === 'change' && mayChangeOwn(actor, user.id, names);
  if (!isOwn && !mayChange(actor, user)) return 'not allowed';
  if (names.includes('role') && !mayManage(actor)) return 'not allowed';
  const endsAccess = step.kind === 'delete' || names.includes('role') || names.includes('is_active');
  if (user.role !== 'admin' || !endsAccess) return undefined;
  return (await isLastAdministrator(db, user.id)) ? 'last administrator' : undefined;
}

function fieldsOf({ back, differences }: Extract<Bare<Step>, { kind: 'change' }>): string[] {
  return [...Object.keys(back), ...differences.map(({ field }) => field)];
}
