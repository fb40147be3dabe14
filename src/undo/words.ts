/** What is said once something is undone. */
import { maySignIn } from '../auth/policy.ts';
import type { User } from '../db/schema.ts';
import { type ImportCounts, importCountsOf } from '../history/import-counts.ts';
import { KINDS } from '../history/kinds.ts';
import type { ChangeSet } from '../history/queries.ts';
import { MIXED, undoDetailOf, undoKindOf } from '../history/undo-kind.ts';
import { fieldName, namesOf } from '../history/words.ts';
import { and, number, usersOf } from '../lib/formats.ts';
import { named } from '../lib/text.ts';
import type { Decided } from './commands.ts';
import { isConflict, type Left, type Stays, type Step } from './steps.ts';

export const NO_ACCESS =
  'The password, the second factor and the sessions do not come back: create an access link.';

const NO_ACCESS_OF_SOME =
  'Passwords, second factors and sessions of those who are back do not come back: create access links.';

const NO_SESSIONS = 'Sessions and access links that were ended do not come back.';

export const TOO_OFTEN = 'It was undone and done again a hundred times already: change it by hand.';

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
  return `The ${fieldName(field).toLowerCase()} stays as it is: ${reason}`;
}

type Options = readonly [['leave', string, string], ['back', string, string]];

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

export function sentenceOfUndone(undone: Decided): string {
  if (undone.kind === 'nothing') return sentenceOfNothing(undone.steps);
  const { steps, user, left } = undone;
  const [step] = steps;
  if (step === undefined || steps.length > 1) return sentenceOfMany(steps, left);
  if (user === undefined) return `User ${named(step.username)} deleted!`;
  return sentenceOfOne(step, user, left.length > 0);
}

export function sentenceOfPart(undone: Decided): string {
  return undone.kind === 'nothing'
    ? sentenceOfNothing(undone.steps)
    : sentenceOfMany(undone.steps, undone.left);
}

function sentenceOfNothing(steps: readonly Step[]): string {
  const isAsBefore = !steps.some(isConflict);
  return `Nothing was undone: ${isAsBefore ? 'everything is as it was before already' : LEFT_ALL}.`;
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
  const access = sentencesOfAccess(steps.filter((step) => !left.includes(step)));
  return [countsOf(steps, left), ...access].join(' ');
}

function sentencesOfAccess(steps: readonly Step[]): string[] {
  const kinds = steps.flatMap((step) => ('hadAccess' in step && step.hadAccess ? step.kind : []));
  return whatStaysEnded(kinds.includes('restore'), kinds.includes('change'));
}

/** Of very many it is not known who may sign in then. @param undoing what is done to them, as its change set says it */
export function whatStaysEndedOfAll({ kind, detail }: Pick<ChangeSet, 'kind' | 'detail'>): string[] {
  const { restored, activated, changed, access } = KINDS;
  const isBack = kind === restored || detail === MIXED.restore;
  return whatStaysEnded(
    isBack,
    [activated, changed, access].some((one) => one === kind),
  );
}

function whatStaysEnded(isAnyoneBack: boolean, isAnyoneChanged: boolean): string[] {
  return [...(isAnyoneBack ? [NO_ACCESS_OF_SOME] : []), ...(isAnyoneChanged ? [NO_SESSIONS] : [])];
}

export function whatBecomesOf(steps: readonly Step[]): string[] {
  const kinds = ['delete', 'restore', 'change'] as const;
  const counts = kinds.map((kind) => ({ kind, count: steps.filter((step) => step.kind === kind).length }));
  const sentences = counts.flatMap(({ kind, count }) => (count > 0 ? whatIsDone(kind, count) : []));
  return [...sentences, ...sentencesOfAccess(steps)];
}

export function whatBecomesOfAll(set: ChangeSet, untouched: ImportCounts | undefined): string[] {
  const undoing = { kind: KINDS[undoKindOf(set)], detail: undoDetailOf(set) };
  const sentences = untouched ? whatBecomesOfUntouched(untouched, set.users) : whatMayBecomeOf(set);
  return [...sentences, ...whatStaysEndedOfAll(undoing)];
}

function whatMayBecomeOf(set: ChangeSet): string[] {
  const imported = importCountsOf(set);
  const undoing = undoKindOf(set);
  const kind = undoing === 'deleted' ? 'delete' : undoing === 'restored' ? 'restore' : 'change';
  const sentences = imported ? whatBecomesOfImported(imported) : [whatIsDone(kind, set.users)];
  return sentences.map((sentence) => `Up to ${sentence}`);
}

function whatBecomesOfUntouched(untouched: ImportCounts, users: number): string[] {
  const since = users - untouched.created - untouched.changed;
  const stay =
    since === 1
      ? '1 was changed or deleted since, and stays so.'
      : `${number.format(since)} were changed or deleted since, and stay so.`;
  return [...whatBecomesOfImported(untouched), ...(since > 0 ? [stay] : [])];
}

function whatBecomesOfImported({ created, changed }: ImportCounts): string[] {
  const [users, are] = created === 1 ? ['user', 'is'] : ['users', 'are'];
  return [
    ...(created > 0 ? [`${number.format(created)} ${users} whom this import created ${are} deleted.`] : []),
    ...(changed > 0 ? [whatIsDone('change', changed)] : []),
  ];
}

function whatIsDone(kind: 'delete' | 'restore' | 'change', count: number): string {
  const users = usersOf(count);
  const [is, becomes] = count === 1 ? ['is', 'becomes'] : ['are', 'become'];
  if (kind === 'delete') return `${users} ${is} deleted.`;
  if (kind === 'change') return `${users} ${becomes} what they were before.`;
  return `${users} ${is} brought back, with the same number and values.`;
}

function countsOf(steps: readonly Step[], left: readonly Step[]): string {
  if (left.length === 0) return `Undone for ${usersOf(steps.length)}!`;
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
