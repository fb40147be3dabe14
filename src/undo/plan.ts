/** Finding out what it takes to undo a change set, user by user. */
import type { Actor } from '../auth/actor.ts';
import { findCredentials } from '../auth/credentials.ts';
import { mayRead, maySignIn } from '../auth/policy.ts';
import type { Db, User } from '../db/schema.ts';
import { type DeletedUser, findDeletedByIds } from '../history/deleted-queries.ts';
import {
  type FieldChanges,
  isDeletion,
  type KeptValues,
  mergeFields,
  unpackFields,
  unpackValues,
} from '../history/fields.ts';
import type { KeptField } from '../history/kinds.ts';
import type { ChangeOfSet } from '../history/queries.ts';
import { findHolders } from '../users/queries.ts';
import type { UserChanges } from '../users/validation.ts';
import { findLaterChanges } from './later-changes.ts';
import { resolveSwaps } from './name-swaps.ts';
import { mayEndAdministrator, withoutRefused } from './refusals.ts';
import type { BareStep, Difference, Step } from './steps.ts';

type Effect = { kind: 'change' | 'delete' | 'restore' | 'none'; fields: FieldChanges; last: ChangeOfSet };

/** Of users who are undone in one transaction: names that they have given each other are not taken. */
export async function planTogether(
  db: Db,
  actor: Pick<Actor, 'role' | 'user'>,
  changes: readonly ChangeOfSet[],
  there: readonly User[],
): Promise<Step[]> {
  return resolveSwaps(await planSteps(db, actor, changes, there));
}

/** @param changes all that a set did to some users, in their order. @param there those of them who are there */
export async function planSteps(
  db: Db,
  actor: Pick<Actor, 'role' | 'user'>,
  changes: readonly ChangeOfSet[],
  there: readonly User[],
): Promise<Step[]> {
  const byUser = Map.groupBy(changes, ({ user_id }) => user_id);
  const users = new Map(there.map((user) => [user.id, user]));
  const missing = [...byUser.keys()].filter((id) => !users.has(id));
  const gone = new Map((await findDeletedByIds(db, missing)).map((deleted) => [deleted.id, deleted]));
  const steps: Step[] = [];
  const ended: number[] = [];
  for (const [id, ofUser] of byUser) {
    const [user, deleted] = [users.get(id), gone.get(id)];
    const values = user ?? (deleted && unpackValues(deleted.fields));
    if (values === undefined) {
      steps.push({ id, username: `user ${id}`, version: 0, kind: 'left', why: 'erased' });
      continue;
    }
    const planned = await stepFor(db, effectOf(ofUser), values, user, deleted);
    const step = await withoutRefused(db, { ...actor, ended }, { ...values, id }, planned);
    if (mayEndAdministrator(values, step)) ended.push(id);
    const version = user?.version ?? (deleted ? deleted.version - 1 : 0);
    steps.push({ id, username: values.username, version, ...step });
  }
  return steps;
}

function effectOf(changes: readonly ChangeOfSet[]): Effect {
  const [first, last] = [changes[0], changes.at(-1)] as [ChangeOfSet, ChangeOfSet];
  const wasThere = first.fields !== null;
  const isThere = last.fields === null || !isDeletion(last.fields);
  const fields = mergeFields(changes.map((change) => unpackFields(change.fields)));
  const undoing = wasThere ? (isThere ? 'change' : 'restore') : isThere ? 'delete' : 'none';
  return { kind: undoing, fields, last };
}

async function stepFor(
  db: Db,
  { kind, fields, last }: Effect,
  values: KeptValues,
  user: User | undefined,
  deleted: DeletedUser | undefined,
): Promise<BareStep> {
  if (kind === 'change') {
    if (user === undefined) return { kind: 'left', why: 'deleted since' };
    return changeStep(db, fields, user, last);
  }
  if (kind === 'delete' && user !== undefined) {
    const since = await findLaterChanges(db, last, user.version);
    const hasAccess = mayRead(user) && (await findCredentials(db, user.id)) !== undefined;
    const isAgain = since === undefined || since.anew.size > 0;
    return { kind, hasAccess, isAgain, differences: differencesOf(since?.fields ?? {}, user) };
  }
  if (kind === 'restore' && deleted !== undefined) {
    const holders = await findHolders(db, values, deleted.id);
    const taken = (['username', 'email'] as const).filter((field) => holders[field]);
    const differences = taken.map((field) => {
      const value = values[field];
      return { field, was: value, became: value, now: value, holder: nameOf(holders[field]) };
    });
    const since = await findLaterChanges(db, last, deleted.version);
    const isAgain = deleted.fields !== last.fields || !since || since.anew.has('there');
    return { kind, isAgain, differences, hadAccess: maySignIn(values) };
  }
  return { kind: 'as before' };
}

async function changeStep(db: Db, fields: FieldChanges, user: User, last: ChangeOfSet): Promise<BareStep> {
  const open = differencesOf(fields, user).filter(({ field, was }) => user[field] !== was);
  if (open.length === 0) return { kind: 'as before' };
  const back: UserChanges = Object.fromEntries(open.map(({ field, was }) => [field, was]));
  const holders: Partial<Record<KeptField, User>> = await findHolders(db, back, user.id);
  const since = await findLaterChanges(db, last, user.version);
  const differences = open
    .map((one) => ({
      ...one,
      holder: nameOf(holders[one.field]),
      isAnew: one.now === one.became && (since === undefined || since.anew.has(one.field)),
    }))
    .filter(({ became, now, holder, isAnew }) => now !== became || holder || isAnew);
  for (const { field } of differences) delete back[field as keyof UserChanges];
  const { role = user.role, is_active = user.is_active } = back;
  const hadAccess = ('role' in back || 'is_active' in back) && maySignIn({ role, is_active });
  return { kind: 'change', back, differences, stays: [], hadAccess };
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
