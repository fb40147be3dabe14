/** What is said of one user once a form is saved. */
import { maySignIn } from '../auth/policy.ts';
import type { User } from '../db/schema.ts';
import type { Fields } from '../lib/forms.ts';
import { named } from '../lib/text.ts';
import type { Merged } from './commands.ts';

export function sentenceOfCreated(user: User): string {
  const created = `User ${named(user.username)} created!`;
  return maySignIn(user) ? `${created} They cannot sign in yet: create an access link.` : created;
}

/** @param sent of a form, or of the button that sends nothing but the status */
export function sentenceOfChanged({ kind, user }: Merged, { version: _, ...sent }: Fields): string {
  const isAct = Object.keys(sent).join() === 'is_active';
  const name = named(user.username);
  if (kind === 'unchanged')
    return `Nothing to save: ${name} is ${isAct ? (user.is_active ? 'active' : 'inactive') : 'so'} already.`;
  if (!isAct) return `User ${name} updated!`;
  return user.is_active ? `User ${name} activated!` : `User ${name} deactivated!`;
}

/** How they could sign in: nothing where they could not. */
export function whatEnded(changed: Merged): string {
  if (changed.kind === 'unchanged' || !maySignIn(changed.before)) return '';
  const { before, user } = changed;
  if (user.role !== before.role || !user.is_active) return ' Sessions and access links have ended.';
  return user.email === before.email ? '' : ' Access links have ended.';
}
