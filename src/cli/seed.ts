/** `npm run seed -- 100000`: adds that many made-up users. */

import { commandLine } from '../auth/actor.ts';
import { bulkLoadUsers, findLastId, type UserLoader } from '../db/bulk-load.ts';
import { engineOf } from '../db/engine.ts';
import type { Db } from '../db/schema.ts';
import { StartError } from '../errors.ts';
import { recordLoad } from '../history/record.ts';
import { letTimersRun, type Progress, reportProgress } from '../lib/progress.ts';
import { person } from '../made-up-people/people.ts';
import { countByStatus } from '../users/counts.ts';
import { readArguments } from './arguments.ts';
import { isFirstUse, openNamed } from './named-database.ts';

const MOST = 100_000_000;
const ROWS_PER_STATEMENT = 1000;
/** Rows in one transaction once there are users: a Roster in use beside it waits only for that long. */
const BATCH = 10_000;
const REPORT_EVERY = 50_000;

export async function seed(env: NodeJS.ProcessEnv, args: readonly string[]): Promise<void> {
  const {
    values,
    positionals: [amount, ...rest],
  } = readArguments(args, [], ['new-database']);
  const count = Number(amount);
  if (!/^\d+$/.test(amount ?? '') || count < 1 || count > MOST || rest.length > 0) {
    throw new StartError('Say how many users to add: npm run seed -- 100000');
  }
  const db = await openNamed(env, {
    // The first thing that many do: to make the database is a part of it.
    mayMake: values['new-database'] || isFirstUse(env),
    byCommand: `npm run seed -- ${count} --new-database`,
  });
  try {
    await seedUsers(db, count, reportProgress('added', count));
  } finally {
    await db.destroy();
  }
}

/** Starts with the first person that an earlier seeding has not added, and leaves out whose name or email is taken. */
export async function seedUsers(db: Db, count: number, progress: Progress = () => {}): Promise<void> {
  const { active, inactive } = await countByStatus(db);
  const isEmpty = active + inactive === 0;
  const last = await findLastId(db);
  let number = active + inactive;
  let done = 0;
  let set: number | undefined;
  while (done < count) {
    const end = isEmpty ? count : Math.min(count, done + BATCH);
    const [firstNumber, before, earlier] = [number, done, set];
    // From the same numbers again, should the database want it done again.
    [number, done, set] = await bulkLoadUsers(db, async (loader) => {
      const [next, after] = await addPeople(loader, firstNumber, before, end, progress);
      const ids = { first_id: loader.lastIdBefore + 1, last_id: await findLastId(loader.trx) };
      const load = { at: Date.now(), kind: 'loaded', users: after - before, ...ids } as const;
      return [next, after, await recordLoad(loader.trx, commandLine, load, earlier)];
    });
    if (done % REPORT_EVERY === 0 || done === count) progress(done);
  }
  // Everything is saved by now: this only helps later searches.
  await engineOf(db)
    .mergeIndexesAfter(db, last)
    .catch(() => {});
}

async function addPeople(
  loader: UserLoader,
  firstNumber: number,
  before: number,
  end: number,
  progress: Progress,
): Promise<[number: number, done: number]> {
  let number = firstNumber;
  let done = before;
  while (done < end) {
    await letTimersRun();
    const people = Array.from({ length: Math.min(ROWS_PER_STATEMENT, end - done) }, () => person(number++));
    done += await loader.insertNew(people);
    if (done % REPORT_EVERY === 0 && done < end) progress(done);
  }
  return [number, done];
}
