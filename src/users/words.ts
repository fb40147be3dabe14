/** What is said of one user once a form is saved. */
import { maySignIn } from '../auth/policy.ts';
import type { User } from '../db/schema.ts';
import { and } from '../lib/formats.ts';
import type { Fields } from '../lib/forms.ts';
import { capital, named } from '../lib/text.ts';
import type { Merged } from './commands.ts';

export function sentenceOfCreated(user: User): string {
  const created = `User ${named(user.username)} created!`;
  return maySignIn(user) ? `${created} They cannot sign in yet: create an access link.` : created;
}

export function sentenceOfChanged({ kind, user }: Merged, { version: _, ...sent }: Fields): string {
  const isAct = Object.keys(sent).join() === 'is_active';
  const name = named(user.username);
  if (kind === 'unchanged')
    return `Nothing to save: ${name} is ${isAct ? (user.is_active ? 'active' : 'inactive') : 'so'} already.`;
  if (!isAct) return `User ${name} updated!`;
  return user.is_active ? `User ${name} activated!` : `User ${name} deactivated!`;
}

export type WaysIn = { sessions: number; hasLink: boolean };

export function whatEnded(changed: Merged, { sessions, hasLink }: WaysIn): string {
  if (changed.kind === 'unchanged') return '';
  const { before, user } = changed;
  const isOver = user.role !== before.role || !user.is_active;
  const isMoved = user.email !== before.email;
  const sessionsEnded =
    isOver && sessions > 0 ? [sessions === 1 ? 'their session' : 'all their sessions'] : [];
  const ended = [...sessionsEnded, ...(hasLink && (isOver || isMoved) ? ['their access link'] : [])];
  if (ended.length === 0) return '';
  const isOne = ended.length === 1 && ended[0] !== 'all their sessions';
  return ` ${capital(and.format(ended))} ${isOne ? 'has' : 'have'} ended.`;
}
