/** Why a code of a second factor is not taken, and what is said of those that were not, in a sentence. */
import { type CodeOutcome, MOST_FAILURES } from './second-factor.ts';
import { codeOf } from './totp.ts';

export type WrongCode = Exclude<CodeOutcome, { kind: 'right' }>;

export const CODE_REFUSALS: Readonly<Record<Exclude<WrongCode['kind'], 'wait'>, string>> = {
  wrong: 'That code is wrong, or it has been used. Wait for the next one.',
  'no code': 'That is not a code: enter six digits, or one of your recovery codes.',
  locked: `After ${MOST_FAILURES} wrong codes none is taken any more. Enter one of your recovery codes, or ask an administrator to remove your second factor.`,
  lost: 'Your second factor cannot be checked any more, since Roster’s key was lost. Ask an administrator to remove it. If you are the only one: npm run roster -- admin NAME, in Roster’s folder, lets you in.',
  removed: 'Your second factor has been removed meanwhile.',
};

export function warningOf(count: number): string {
  if (count === 0) return '';
  const wrong = count === 1 ? 'A wrong code was' : `${count} wrong codes were`;
  return `${wrong} sent with your password before. If that was not you, change your password.`;
}

export const WHY_AUDITED = {
  wrong: 'wrong code',
  locked: 'second factor locked',
  lost: 'key lost',
  removed: 'second factor removed meanwhile',
} as const;

export function isByTime({ kind }: WrongCode, typed: string): boolean {
  return kind === 'wrong' && codeOf(typed).kind === 'digits';
}
