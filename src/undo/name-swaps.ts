/** Names that users of one set have given each other: as all of it is undone, they are not taken. */
import type { KeptField } from '../history/kinds.ts';
import { type Difference, isConflict, type Step } from './steps.ts';

type Taken = { step: Step; difference: Difference };

export function resolveSwaps(steps: readonly Step[]): Step[] {
  const byId = new Map(steps.map((step) => [step.id, step]));
  let freed = steps.flatMap((step) => takenIn(step).map((difference) => ({ step, difference })));
  // Whoever keeps what somebody else waits for makes that one keep theirs.
  for (let before = -1; before !== freed.length; ) {
    before = freed.length;
    const hoped = freed;
    freed = hoped.filter(({ difference: { field, holder } }) =>
      isGivenUp(byId.get(holder?.id ?? 0), field, hoped),
    );
  }
  return steps.map((step) =>
    withoutTaken(
      step,
      freed.filter((one) => one.step === step).map(({ difference }) => difference),
    ),
  );
}

function takenIn(step: Step): Difference[] {
  if (step.kind !== 'change' && step.kind !== 'restore') return [];
  return step.differences.filter(
    ({ became, now, holder, isAnew }) => holder !== undefined && now === became && !isAnew,
  );
}

function isGivenUp(holder: Step | undefined, field: KeptField, hoped: readonly Taken[]): boolean {
  if (holder?.kind === 'delete') return !isConflict(holder);
  if (holder?.kind !== 'change') return false;
  return (
    field in holder.back ||
    hoped.some(({ step, difference }) => step === holder && difference.field === field)
  );
}

function withoutTaken(step: Step, freed: readonly Difference[]): Step {
  if (freed.length === 0 || (step.kind !== 'change' && step.kind !== 'restore')) return step;
  const differences = step.differences.filter((one) => !freed.includes(one));
  if (step.kind === 'restore') return { ...step, differences };
  const back = Object.fromEntries(freed.map(({ field, was }) => [field, was]));
  return { ...step, back: { ...step.back, ...back }, differences };
}
