/** What is said once something is undone. */
import { type Answer, done, nothingDone } from '../auth/kept-answers.ts';
import { maySignIn } from '../auth/policy.ts';
import type { User } from '../db/schema.ts';
import { FIELD_NAMES, namesOf } from '../history/words.ts';
import { number } from '../lib/formats.ts';
import { named } from '../lib/text.ts';
import type { Undone } from './commands.ts';
import type { Left, Stays, Step } from './steps.ts';

/** Of whoever is brought back. */
export const NO_ACCESS =
  'The password, the second factor and the sessions do not come back: create an access link.';

const NO_SESSIONS = 'Sessions and access links that were ended do not come back.';

export const BEGUN = 'It has begun: this page says how far it is.';

export const WHY_LEFT: Readonly<Record<Left, string>> = {
  erased: 'was erased.',
  'deleted since': 'is deleted by now: bring them back first.',
  'not allowed': 'can be changed by administrators alone.',
  'own email': 'is you: your email is changed in your account, with your password.',
  'last administrator': 'is the last administrator.',
};

/** Of a field of somebody the rest of whom is put back. What it is that one may not change may be what one may not know. */
export function whyStays({ field, why }: Stays): string {
  if (why === 'not allowed') return 'What administrators alone can change stays as it is.';
  const reason =
    why === 'own email'
      ? 'your email is changed in your account, with your password.'
      : 'this is the last administrator.';
  return `The ${FIELD_NAMES[field].toLowerCase()} stays as it is: ${reason}`;
}

type Options = readonly [['leave', string, string], ['back', string, string]];

/** What can be decided about a whole user. */
export const OPTIONS: Readonly<Record<'delete' | 'restore', Options>> = {
  delete: [
    ['leave', 'Keep', 'They stay in the directory, as they are now.'],
    ['back', 'Delete all the same', 'They can be brought back from the history.'],
  ],
  restore: [
    ['leave', 'Leave deleted', 'They stay in the history.'],
    ['back', 'Bring back', 'With the same number, and with what you type here for whatever is taken.'],
  ],
};

const LEFT_ALL = 'you left everything as it is';

const and = new Intl.ListFormat('en');

export function answerOf(undone: Exclude<Undone, { kind: 'asks' }>): Answer {
  const { kind, steps } = undone;
  if (kind === 'nothing') {
    const isAsBefore = steps.every((step) => step.kind === 'as before');
    const why = isAsBefore ? 'everything is as it was before already' : LEFT_ALL;
    return nothingDone('/history', `Nothing was undone: ${why}.`);
  }
  const { set, user, left } = undone;
  const [step] = steps;
  if (step === undefined || steps.length > 1)
    return done(`/history/${set}`, sentenceOfMany(steps, left), set);
  if (user === undefined) return done('/users', `User ${named(step.username)} deleted!`, set);
  return done(`/users/${user.id}`, sentenceOfOne(step, user, left.length > 0), set);
}

/** Of some about whom it was decided; the next are shown then. */
export function answerOfPart(undone: Exclude<Undone, { kind: 'asks' }>, set: number, cursor: number): Answer {
  const next = `/history/${set}/undo?after=${cursor}`;
  if (undone.kind === 'nothing') return nothingDone(next, `Nothing was undone: ${LEFT_ALL}.`);
  return done(next, sentenceOfMany(undone.steps, undone.left), undone.set);
}

function sentenceOfOne(step: Step, user: User, isPart: boolean): string {
  const isBack = step.kind === 'restore';
  const but = isPart ? `, but for ${whatIsLeft(step, user)}` : '';
  const sentence = `User ${named(user.username)} is ${isBack ? 'back' : 'as before'}${but}!`;
  if (!maySignIn(user)) return sentence;
  if (isBack) return `${sentence} ${NO_ACCESS}`;
  const wasOut = step.kind === 'change' && ('role' in step.back || 'is_active' in step.back);
  return wasOut ? `${sentence} ${NO_SESSIONS}` : sentence;
}

function sentenceOfMany(steps: readonly Step[], left: readonly Step[]): string {
  if (left.length === 0)
    return `Undone for ${number.format(steps.length)} ${steps.length === 1 ? 'user' : 'users'}!`;
  const done = number.format(steps.length - left.length);
  const rest = left.length === 1 ? '1 was' : `${number.format(left.length)} were`;
  return `Undone for ${done} of ${number.format(steps.length)} users; ${rest} left, or done in part.`;
}

function whatIsLeft(step: Step, user: User): string {
  const differences = 'differences' in step ? step.differences : [];
  const stays = step.kind === 'change' ? step.stays : [];
  const named = [
    ...differences.filter(({ field, now }) => user[field] === now),
    ...stays.filter(({ why }) => why !== 'not allowed'),
  ];
  const parts = named.length > 0 ? [namesOf(named.map(({ field }) => field))] : [];
  if (stays.some(({ why }) => why === 'not allowed')) parts.push('what administrators alone can change');
  return and.format(parts);
}
