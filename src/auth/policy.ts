/** Who may do what: the one place that says so. Routes and views ask it. */
import { ROLES, type Role } from '../db/schema.ts';

export const ROLE_NAMES: Readonly<Record<Role, { one: string; many: string }>> = {
  member: { one: 'Member', many: 'members' },
  viewer: { one: 'Viewer', many: 'viewers' },
  editor: { one: 'Editor', many: 'editors' },
  admin: { one: 'Administrator', many: 'administrators' },
};

export type Rule = (actor: { role: Role }) => boolean;

export function anyone(): boolean {
  return true;
}

export function nobody(): boolean {
  return false;
}

export function mayRead({ role }: { role: Role }): boolean {
  return role !== 'member';
}

/** To make, change and delete members; `mayChange` says about anyone in particular. */
export function mayEdit({ role }: { role: Role }): boolean {
  return role === 'editor' || role === 'admin';
}

export function mayChange(actor: { role: Role }, user: { role: Role }): boolean {
  return mayManage(actor) || (mayEdit(actor) && user.role === 'member');
}

export function mayManage({ role }: { role: Role }): boolean {
  return role === 'admin';
}

export function maySignIn({ role, is_active }: { role: Role; is_active: boolean }): boolean {
  return is_active && mayRead({ role });
}

const either = new Intl.ListFormat('en', { type: 'conjunction' });

/** "editors and administrators" */
export function whoMay(may: Rule): string {
  return either.format(ROLES.filter((role) => may({ role })).map((role) => ROLE_NAMES[role].many));
}
