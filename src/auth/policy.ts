/** Who may do what: the one place that says so. Routes and views ask it. */
import { ROLES, type Role } from '../db/schema.ts';
import { and } from '../lib/formats.ts';

export const ROLE_NAMES: Readonly<Record<Role, { one: string; many: string }>> = {
  member: { one: 'Member', many: 'members' },
  viewer: { one: 'Viewer', many: 'viewers' },
  editor: { one: 'Editor', many: 'editors' },
  admin: { one: 'Administrator', many: 'administrators' },
};

export const ROLE_MAY: Readonly<Record<Role, string>> = {
  member: 'Is listed, and cannot sign in.',
  viewer: 'Sees everyone in the directory.',
  editor: 'Also manages members, who cannot sign in.',
  admin: 'Does everything; also gives roles and access.',
};

export type Rule = (actor: { role: Role }) => boolean;

type Someone = { role: Role; user?: { id: number } | undefined };

function isOwn(actor: Someone, userId: number): boolean {
  return mayRead(actor) && actor.user?.id === userId;
}

export function anyone(): boolean {
  return true;
}

export function nobody(): boolean {
  return false;
}

export function mayRead({ role }: { role: Role }): boolean {
  return role !== 'member';
}

export function mayEdit({ role }: { role: Role }): boolean {
  return role === 'editor' || role === 'admin';
}

export function mayCreate({ role }: { role: Role }): Rule {
  return role === 'member' ? mayEdit : mayManage;
}

export function mayChange(actor: { role: Role }, user: { role: Role }): boolean {
  return mayManage(actor) || (mayEdit(actor) && user.role === 'member');
}

const OWN_FIELDS = ['full_name', 'email'];

export function mayChangeOwn(actor: Someone, userId: number, fields: readonly string[]): boolean {
  const areOwn = fields.every((field) => OWN_FIELDS.includes(field));
  return isOwn(actor, userId) && areOwn;
}

/** Also of whoever is deleted, to bring them back with other values. @param fields what becomes other than it is */
export function mayChangeFields(
  actor: Someone,
  user: { id: number; role: Role },
  fields: readonly string[],
): boolean {
  if (fields.includes('role') && !mayManage(actor)) return false;
  return mayChange(actor, user) || mayChangeOwn(actor, user.id, fields);
}

/** Their own email is changed in their account alone, which asks for the password. */
export function isOwnEmail(actor: Someone, userId: number, fields: readonly string[]): boolean {
  return actor.user?.id === userId && fields.includes('email');
}

export function mayManage({ role }: { role: Role }): boolean {
  return role === 'admin';
}

export function maySignIn({ role, is_active }: { role: Role; is_active: boolean }): boolean {
  return is_active && mayRead({ role });
}

export function owesSecondFactor(someone: {
  is_code_required: boolean;
  has_second_factor: boolean;
}): boolean {
  return someone.is_code_required && !someone.has_second_factor;
}

/** Nobody sees when anyone comes and goes: only those who give access know it to the minute. */
export function maySeeMinutes(actor: { role: Role }): boolean {
  return mayManage(actor);
}

export function mayEndSessions(actor: Someone, userId: number) {
  return mayManage(actor) || isOwn(actor, userId);
}

/** What was done to how someone signs in, and to their role. */
export function maySeeAccess(actor: Someone, userId: number) {
  return mayManage(actor) || isOwn(actor, userId);
}

export function maySeeDeleted(actor: { role: Role }): boolean {
  return mayEdit(actor);
}

export function mayErase(actor: { role: Role }): boolean {
  return mayManage(actor);
}

/** What it would do, and to do it: whoever has brought the file, and administrators. @param broughtBy null for nobody who signs in */
export function mayImport(actor: Someone, broughtBy: number | null): boolean {
  return mayManage(actor) || (mayEdit(actor) && broughtBy === (actor.user?.id ?? null));
}

export function mayTakeData(actor: Someone, userId: number) {
  return mayManage(actor) || isOwn(actor, userId);
}

/** Of whom it was done to, where it was one; of each it is then judged what may be done. @param fields what it changed */
export function mayUndo(actor: Someone, userId: number | undefined, fields: object): boolean {
  const names = Object.keys(fields);
  return mayEdit(actor) || (userId !== undefined && names.length > 0 && mayChangeOwn(actor, userId, names));
}

/** Nobody knows a link by then but whoever it was given to, so that any administrator may withdraw it. */
export function mayWithdrawLinks(actor: { role: Role }): boolean {
  return mayManage(actor);
}

export const SIGNING_IN: readonly Role[] = ROLES.filter((role) => mayRead({ role }));

/** "editors and administrators" */
export function whoMay(may: Rule): string {
  return and.format(ROLES.filter((role) => may({ role })).map((role) => ROLE_NAMES[role].many));
}
