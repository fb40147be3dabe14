/** What is said once something is undone. */
import { type Answer, done, nothingDone } from '../auth/kept-answers.ts';
import { maySignIn } from '../auth/policy.ts';
import type { User } from '../db/schema.ts';
import { FIELD_NAMES } from '../history/words.ts';
import { number } from '../lib/formats.ts';
import { named } from '../lib/text.ts';
import type { Undone } from './commands.ts';
import type { Left, Step } from './steps.ts';

const NO_ACCESS = 'The password and the sessions do not come back: create an access link.';

const NO_SESSIONS = 'Sessions and access links that were ended do not come back.';

export const BEGUN = 'It has begun: this page says how far it is.';

export const WHY_LEFT: Readonly<Record<Left, string>> = {
  'deleted since': 'is deleted by now: bring them back first.',
  'not allowed': 'can be changed by administrators alone.',
  'own email': 'is you: your email is changed in your account, with your password.',
  'last administrator': 'is the last administrator.',
};

type Options = readonly [['leave', string, string], ['back', string, string]];

/** What can be decided about a whole user. */
export const OPTIONS: Readonly<Record<'change' | 'delete' | 'restore', Options>> = {
  change: [
    ['leave', 'Leave', 'They stay as they are now.'],
    ['back', 'Put back', 'What was changed since is lost, except in the history.'],
  ],
  delete: [
    ['leave', 'Keep', 'They stay in the directory, as they are now.'],
    ['back', 'Delete all the same', 'They can be brought back from the history.'],
  ],
  restore: [
    ['leave', 'Leave deleted', 'They stay in the history.'],
    ['back', 'Bring back', 'With the same number, and with what you type here for whatever is taken.'],
  ],
};

const and = new Intl.ListFormat('en');

export function answerOf(undone: Exclude<Undone, { kind: 'asks' }>): Answer {
  const { kind, steps } = undone;
  if (kind === 'nothing') {
    const isAsBefore = steps.every((step) => step.kind === 'as before');
    const why = isAsBefore ? 'everything is as it was before already' : 'you left everything as it is';
    return nothingDone('/history', `Nothing was undone: ${why}.`);
  }
  const { set, user, left } = undone;
  const [step] = steps;
  if (step === undefined || steps.length > 1)
    return done(`/history/${set}`, sentenceOfMany(steps, left), set);
  if (user === undefined) return done('/users', `User ${named(step.username)} deleted!`, set);
  return done(`/users/${user.id}`, sentenceOfOne(step, user, left.length > 0), set);
}

function sentenceOfOne(step: Step, user: User, isPart: boolean): string {
  const isBack = step.kind === 'restore';
  const but = isPart ? `, but for the ${fieldsLeft(step, user)}` : '';
  const sentence = `User ${named(user.username)} is ${isBack ? 'back' : 'as before'}${but}!`;
  if (!maySignIn(user)) return sentence;
  if (isBack) return `${sentence} ${NO_ACCESS}`;
  const wasOut = step.kind === 'change' && ('role' in step.back || 'is_active' in step.back);
  return wasOut ? `${sentence} ${NO_SESSIONS}` : sentence;
}

function sentenceOfMany(steps: readonly Step[], left: readonly Step[]): string {
  if (left.length === 0) return `Undone for ${number.format(steps.length)} users!`;
  const done = number.format(steps.length - left.length);
  const rest = left.length === 1 ? '1 was' : `${number.format(left.length)} were`;
  return `Undone for ${done} of ${number.format(steps.length)} users; ${rest} left, or done in part.`;
}

function fieldsLeft(step: Step, user: User): string {
  const differences = 'differences' in step ? step.differences : [];
  const names = differences
    .filter(({ field, now }) => user[field] === now)
    .map(({ field }) => FIELD_NAMES[field].toLowerCase());
  return and.format(names);
}
