/** Who may do what: the one place that says so. Routes and views ask it. */

/** What people may do here, each all that the ones before it may. A member is in the directory and cannot sign in. */
export const ROLES = ['member', 'viewer', 'editor', 'admin'] as const;
export type Role = (typeof ROLES)[number];

/** Who asks. Without an administrator nobody signs in, and whoever is there may do what an editor may. */
export type Actor = { role: Role };

/** Whether someone may do something. */
export type Rule = (actor: Actor) => boolean;

/** For what is asked for by those who are not signed in, too. */
export function anyone(): boolean {
  return true;
}

/** For what is refused whoever asks. */
export function nobody(): boolean {
  return false;
}

export function mayRead({ role }: Actor): boolean {
  return role !== 'member';
}

/** To make users, and to change and delete them: members; `mayChange` says about anyone in particular. */
export function mayEdit({ role }: Actor): boolean {
  return role === 'editor' || role === 'admin';
}

export function mayChange(actor: Actor, user: { role: Role }): boolean {
  return mayManage(actor) || (mayEdit(actor) && user.role === 'member');
}

/** To give roles, and access to those who have one. */
export function mayManage({ role }: Actor): boolean {
  return role === 'admin';
}

/** Whether someone with a role can sign in. */
export function maySignIn({ role, is_active }: { role: Role; is_active: boolean }): boolean {
  return is_active && mayRead({ role });
}

const NAMES: Record<Role, string> = {
  member: 'members',
  viewer: 'viewers',
  editor: 'editors',
  admin: 'administrators',
};
const either = new Intl.ListFormat('en', { type: 'conjunction' });

/** Who can do something, in a sentence: "editors and administrators". */
export function whoMay(may: Rule): string {
  return either.format(ROLES.filter((role) => may({ role })).map((role) => NAMES[role]));
}
