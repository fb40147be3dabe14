/** Long work on a stage, in steps between which the lease goes on; nobody in this thread is amid a transaction meanwhile, and holds up others. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { StageFile } from '../db/stage-file.ts';
import type { Mutex } from '../lib/mutex.ts';

const REPORT_EVERY_MS = 1_000;

/** What `report` throws ends it. */
export type StepOptions = { alone: Mutex; report: () => Promise<void> };

export async function inSteps(
  stage: StageFile,
  steps: Generator<void>,
  { alone, report }: StepOptions,
): Promise<void> {
  stage.requireRoom();
  while (!(await alone.run(() => steps.next().done))) {
    await report();
    stage.requireRoom();
  }
}

/** It may take long, and this thread has nothing to do meanwhile. */
export async function save(stage: StageFile, report: StepOptions['report']): Promise<void> {
  const saved = stage.save().then(() => true);
  // Of what is ended meanwhile nobody hears whether it was saved.
  saved.catch(() => {});
  const late = () => sleep(REPORT_EVERY_MS, false, { ref: false });
  while (!(await Promise.race([saved, late()]))) await report();
}
