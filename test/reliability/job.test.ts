/** A Roster is killed while a job is under way: what is done is whole, and the next one goes on until all is. */
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { expect, inject, test } from 'vitest';
import { commandLine } from '../../src/auth/actor.ts';
import { readHistorySnapshot } from '../../src/bulk/history-snapshot.ts';
import { beginBulk } from '../../src/bulk/job.ts';
import { seedUsers } from '../../src/cli/seed.ts';
import { openDatabase } from '../../src/db/database.ts';
import type { Db } from '../../src/db/schema.ts';
import { readSnapshot, transact } from '../../src/db/transact.ts';
import { findChangeSet } from '../../src/history/queries.ts';
import { findJobOfSet, type Job, saveJob } from '../../src/jobs/queries.ts';
import { countByStatus } from '../../src/users/counts.ts';
import { parseFrom } from '../../src/users/list/address.ts';
import { begin, changeMany, countAsBefore, NOW } from '../jobs/many.ts';
import { run, startRoster } from '../roster.ts';
import { readyUrl } from '../support.ts';
import { below } from './acts.ts';
import { killInJob } from './kill-at.ts';

const KILLS = inject('isLong') ? 10 : 3;
/** Of the thread of jobs, before it is killed: those of a few batches. */
const MOST_STATEMENTS = 40;
/** So many that none of the kills comes too late. */
const USERS = 500 * (KILLS + 1);

/** As it is once the lease of whoever was killed is over. Five who end in the same batch would stop it, until somebody has it go on. */
async function letGo(db: Db, job: Job): Promise<void> {
  await transact(db, (trx) => saveJob(trx, job.id, { leased_until: 0, failures: 0 }));
}

async function jobOf(db: Db, set: number): Promise<Job> {
  const job = await findJobOfSet(db, set);
  if (job === undefined) throw new Error('There is no such job.');
  return job;
}

type Begun = {
  set: number;
  total: number;
  /** To how many it is done, as users are. */
  count: (db: Db) => Promise<number>;
};

const JOBS: Record<string, (db: Db) => Promise<Begun>> = {
  async 'an undo'(db) {
    const set = await begin(db, await changeMany(db, USERS));
    return { set, total: USERS, count: async (now) => (await countAsBefore(now)).before };
  },
  async 'a bulk change'(db) {
    await seedUsers(db, USERS);
    const before = await countByStatus(db);
    const list = parseFrom({ from: 'status=active' }, NOW);
    const many = { list, total: before.active, since: await readHistorySnapshot(db) };
    const set = await transact(db, (trx) => beginBulk(trx, commandLine, { do: 'deactivate' }, many, NOW));
    return {
      set,
      total: before.active,
      async count(now) {
        const { active, inactive } = await countByStatus(now);
        const users = now.selectFrom('users').select('id').where('is_active', '=', false);
        expect((await users.execute()).length).toBe(inactive);
        expect(active + inactive).toBe(USERS);
        return inactive - before.inactive;
      },
    };
  },
};

const ALL = (['sqlite', 'postgres'] as const).flatMap((engine) =>
  Object.keys(JOBS).map((what) => [engine, what] as const),
);

test.each(ALL)(
  'on %s, %s is done once for each user, however often it is killed',
  { timeout: 300_000 },
  async (engine, what) => {
    const url = await readyUrl(engine);
    const db = await openDatabase(url, { connections: 2 });
    const { set, total, count } = await (JOBS[what] as (db: Db) => Promise<Begun>)(db);
    const underWay = new RegExp(`^Under way: [\\d,]+ of .* users are done, .* at /history/${set}$`, 'm');
    for (let kills = 0; kills < KILLS; kills++) {
      await letGo(db, await jobOf(db, set));
      const settings = { DATABASE_URL: url, PORT: '0', LOG_LEVEL: 'silent' };
      const child = run([], { ...settings, ...killInJob(1 + below(MOST_STATEMENTS)) });
      child.stdout.resume();
      const [said, [, signal]] = await Promise.all([text(child.stderr), once(child, 'exit')]);
      expect([signal, said]).toEqual(['SIGKILL', expect.stringMatching(underWay)]);
      // At one moment: what a killed Roster has sent last, PostgreSQL may still be doing.
      const { done, state, changed, users } = await readSnapshot(db, async (trx) => ({
        ...(await jobOf(trx, set)),
        changed: await count(trx),
        users: (await findChangeSet(trx, set))?.users,
      }));
      expect(users).toBe(changed);
      expect(done).toBe(changed);
      // Each has met a job that was under way, amid a batch or between two.
      expect(state).toBe('running');
    }
    await letGo(db, await jobOf(db, set));
    const { child } = await startRoster({ DATABASE_URL: url, LOG_LEVEL: 'silent' });
    await expect.poll(async () => (await jobOf(db, set)).state, { interval: 50 }).toBe('done');
    child.kill('SIGTERM');
    await once(child, 'exit');
    expect(await count(db)).toBe(total);
    const sets = await db.selectFrom('change_sets').select('id').where('id', '>=', set).execute();
    expect(sets).toEqual([{ id: set }]);
    await db.destroy();
  },
);
