/** What is said once something is undone. */
import { maySignIn } from '../auth/policy.ts';
import type { User } from '../db/schema.ts';
import { FIELD_NAMES } from '../history/words.ts';
import { number } from '../lib/formats.ts';
import { named } from '../lib/text.ts';
import type { Undone } from './commands.ts';
import type { Left, Step } from './steps.ts';

type Answer = { to: string; sentence: string; set?: number | undefined };

export const NO_ACCESS = 'The password and the sessions do not come back: create an access link.';

export const WHY_LEFT: Readonly<Record<Left, string>> = {
  'deleted since': 'is deleted by now: bring them back first.',
  'not allowed': 'can be changed by administrators alone.',
  'last administrator': 'is the last administrator.',
};

const and = new Intl.ListFormat('en');

export function answerOf(undone: Exclude<Undone, { kind: 'asks' }>): Answer {
  const [step, second] = undone.steps;
  const to = undone.kind === 'undone' ? `/history/${undone.set}` : '/history';
  if (undone.kind === 'nothing') {
    const isAsBefore = undone.steps.every(({ kind }) => kind === 'as before');
    const why = isAsBefore ? 'everything is as it was before already' : 'you left everything as it is';
    return { to, sentence: `Nothing was undone: ${why}.` };
  }
  const { set, user, left } = undone;
  if (step === undefined || second !== undefined)
    return { to, set, sentence: sentenceOfMany(undone.steps, left) };
  if (user === undefined) return { to: '/users', set, sentence: `User ${named(step.username)} deleted!` };
  const mended = `User ${named(user.username)} is ${step.kind === 'restore' ? 'back' : 'as before'}`;
  const but = left.length > 0 ? `, but for the ${fieldsLeft(step, user)}` : '';
  const access = step.kind === 'restore' && maySignIn(user) ? ` ${NO_ACCESS}` : '';
  return { to: `/users/${user.id}`, set, sentence: `${mended}${but}!${access}` };
}

function sentenceOfMany(steps: readonly Step[], left: readonly Step[]): string {
  if (left.length === 0) return `Undone for ${number.format(steps.length)} users!`;
  const done = number.format(steps.length - left.length);
  const rest = left.length === 1 ? '1 is' : `${number.format(left.length)} are`;
  return `Undone for ${done} of ${number.format(steps.length)} users; ${rest} left as they are, or in part.`;
}

function fieldsLeft(step: Step, user: User): string {
  const differences = 'differences' in step ? step.differences : [];
  const names = differences
    .filter(({ field, now }) => user[field] === now)
    .map(({ field }) => FIELD_NAMES[field].toLowerCase());
  return and.format(names);
}
