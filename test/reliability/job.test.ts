/** A Roster is killed while a job is under way: what is done is whole, and the next one goes on until all is. */
import { once } from 'node:events';
import { expect, inject, test } from 'vitest';
import { openDatabase } from '../../src/db/database.ts';
import type { Db } from '../../src/db/schema.ts';
import { readSnapshot, transact } from '../../src/db/transact.ts';
import { findChangeSet } from '../../src/history/queries.ts';
import { findJobOfSet, type Job, saveJob } from '../../src/jobs/queries.ts';
import { begin, changeMany, countAsBefore } from '../jobs/many.ts';
import { startRoster } from '../roster.ts';
import { readyUrl } from '../support.ts';

const KILLS = inject('isLong') ? 10 : 3;
const USERS = 1_500;

/** As it is once the lease of whoever was killed is over. */
async function letGo(db: Db, job: Job): Promise<void> {
  await transact(db, (trx) => saveJob(trx, job.id, { leased_until: 0 }));
}

async function jobOf(db: Db, set: number): Promise<Job> {
  const job = await findJobOfSet(db, set);
  if (job === undefined) throw new Error('There is no such job.');
  return job;
}

test.each(['sqlite', 'postgres'] as const)(
  'on %s, a job is done once for each user, however often it is killed',
  { timeout: 180_000 },
  async (engine) => {
    const url = await readyUrl(engine);
    const db = await openDatabase(url, { connections: 2 });
    const set = await begin(db, await changeMany(db, USERS));
    for (let kills = 0; kills < KILLS; kills++) {
      const before = await jobOf(db, set);
      await letGo(db, before);
      const { child } = await startRoster({ DATABASE_URL: url, LOG_LEVEL: 'silent' });
      // In the middle of what it does, wherever that is.
      await expect
        .poll(async () => (await jobOf(db, set)).done, { interval: 1, timeout: 15_000 })
        .not.toBe(before.done);
      child.kill('SIGKILL');
      await once(child, 'exit');
      // At one moment: what a killed Roster has sent last, PostgreSQL may still be doing.
      const { done, state, changed, users } = await readSnapshot(db, async (trx) => ({
        ...(await jobOf(trx, set)),
        changed: (await countAsBefore(trx)).before,
        users: (await findChangeSet(trx, set))?.users,
      }));
      expect(users).toBe(changed);
      expect(done).toBe(changed);
      expect(state).toBe(changed === USERS ? 'done' : 'running');
    }
    await letGo(db, await jobOf(db, set));
    const { child } = await startRoster({ DATABASE_URL: url, LOG_LEVEL: 'silent' });
    await expect
      .poll(async () => (await jobOf(db, set)).state, { interval: 50, timeout: 60_000 })
      .toBe('done');
    child.kill('SIGTERM');
    await once(child, 'exit');
    expect(await countAsBefore(db)).toEqual({ before: USERS, others: 0 });
    await db.destroy();
  },
);
