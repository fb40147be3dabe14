/** What whoever undoes something could not do themselves: it is known, and left, before anything is done. */
import type { Actor } from '../auth/actor.ts';
import { endsLastAdministrator } from '../auth/administrators.ts';
import { isOwnEmail, mayChange, mayChangeFields } from '../auth/policy.ts';
import type { Db, User } from '../db/schema.ts';
import type { KeptValues } from '../history/fields.ts';
import type { KeptField } from '../history/kinds.ts';
import type { BareStep, Left, Stays } from './steps.ts';

/** `ended`: who are administrators no more, as others of the same undo. */
type Asker = Pick<Actor, 'role' | 'user'> & { ended: readonly number[] };
type Subject = KeptValues & { id: number };

/** Of a change, without the fields that stay as they are. */
export async function withoutRefused(db: Db, actor: Asker, user: Subject, step: BareStep): Promise<BareStep> {
  if (step.kind === 'change') return changeWithoutRefused(db, actor, user, step);
  if (step.kind !== 'delete' && step.kind !== 'restore') return step;
  if (!mayChange(actor, user)) return { kind: 'left', why: 'not allowed' };
  const isLast = step.kind === 'delete' && (await endsLastAdministrator(db, user, undefined, actor.ended));
  return isLast ? { kind: 'left', why: 'last administrator' } : step;
}

type Change = Extract<BareStep, { kind: 'change' }>;

async function changeWithoutRefused(db: Db, actor: Asker, user: Subject, step: Change): Promise<BareStep> {
  const wanted = {
    ...step.back,
    ...Object.fromEntries(step.differences.map(({ field, was }) => [field, was])),
  };
  const stays: Stays[] = [];
  for (const [name, value] of Object.entries(wanted)) {
    const field = name as KeptField;
    const why = await refusalOf(db, actor, user, { field, value });
    if (why) stays.push({ field, why });
  }
  const [first] = stays;
  if (first && stays.length === Object.keys(wanted).length) return { kind: 'left', why: first.why };
  const isOpen = (name: string) => !stays.some(({ field }) => field === name);
  const back = Object.fromEntries(Object.entries(step.back).filter(([name]) => isOpen(name)));
  return { ...step, back, differences: step.differences.filter(({ field }) => isOpen(field)), stays };
}

async function refusalOf(
  db: Db,
  actor: Asker,
  user: Subject,
  { field, value }: { field: KeptField; value: User[KeptField] | undefined },
): Promise<Left | undefined> {
  if (isOwnEmail(actor, user.id, [field])) return 'own email';
  if (!mayChangeFields(actor, user, [field])) return 'not allowed';
  return (await endsLastAdministrator(db, user, { ...user, [field]: value }, actor.ended))
    ? 'last administrator'
    : undefined;
}

export function mayEndAdministrator({ role }: KeptValues, step: BareStep): boolean {
  if (role !== 'admin' || step.kind !== 'change') return role === 'admin' && step.kind === 'delete';
  const fields = [...Object.keys(step.back), ...step.differences.map(({ field }) => field)];
  return fields.includes('role') || fields.includes('is_active');
}
