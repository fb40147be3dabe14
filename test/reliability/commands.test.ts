/** Commands are killed at any moment: all of what they do is there, or nothing; what is half, the next Roster says and ends. */
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, inject, test } from 'vitest';
import { seedUsers } from '../../src/cli/seed.ts';
import { openDatabase } from '../../src/db/database.ts';
import { engineOf } from '../../src/db/engine.ts';
import type { Db } from '../../src/db/schema.ts';
import { transact } from '../../src/db/transact.ts';
import { findImport, type Import } from '../../src/imports/queries.ts';
import { findJobOfSet } from '../../src/jobs/queries.ts';
import { readCounts, sumByStatus } from '../../src/users/counts.ts';
import { ask } from '../postgres/ask.ts';
import { run, startRoster } from '../roster.ts';
import { readyUrl, temporaryFolder, temporaryUrl } from '../support.ts';
import { bytesInAll, killAt } from './moments.ts';

const isLong = inject('isLong');
const ENGINES = ['sqlite', 'postgres'] as const;
const timeout = 300_000;

async function countAll(db: Db): Promise<number> {
  const { active, inactive } = sumByStatus(await readCounts(db));
  const { count } = await db
    .selectFrom('users')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow();
  expect(active + inactive).toBe(count);
  return count;
}

/** What a killed process has sent last, PostgreSQL may still be doing. */
async function letGo(url: string): Promise<void> {
  if (url.startsWith('sqlite:')) return;
  const others = `from pg_stat_activity where datname = current_database() and application_name = 'roster'`;
  await ask(
    url,
    `do $$ begin for look in 1..500 loop exit when not exists (select ${others});
      perform pg_sleep(0.02); perform pg_stat_clear_snapshot(); end loop; end $$`,
  );
}

const COPIED = isLong ? 30_000 : 10_000;
const COPIES = isLong ? 10 : 3;

test.skipIf(process.platform !== 'linux').each(ENGINES)(
  'a copy to %s that is killed has brought everything or nothing, and can be run again',
  { timeout },
  async (engine) => {
    const from = await readyUrl('sqlite');
    const source = await openDatabase(from);
    await seedUsers(source, COPIED);
    await source.destroy();
    const copyTo = (to: string) => {
      const child = run(['copy', '--from', from, '--to', to], { SECRET_KEY_FILE: key });
      child.stdout.resume();
      child.stderr.resume();
      return child;
    };
    const key = join(temporaryFolder(), 'secret.key');
    const all = await bytesInAll(copyTo(await temporaryUrl(engine)));
    let to = await temporaryUrl(engine);
    const outcomes = new Set<number>();
    for (let kill = 1; kill <= COPIES; kill++) {
      await killAt(copyTo(to), (all * kill) / (COPIES + 0.5));
      await letGo(to);
      const target = await openDatabase(to);
      const count = await countAll(target);
      const sets = await target.selectFrom('change_sets').select('kind').execute();
      // Besides what was in the source, that it was copied.
      expect([
        [0, 0],
        [COPIED, 2],
      ]).toContainEqual([count, sets.length]);
      await target.destroy();
      outcomes.add(count);
      if (count > 0) to = await temporaryUrl(engine);
    }
    expect(outcomes).toContain(0);
    const again = copyTo(to);
    expect(await once(again, 'exit')).toEqual([0, null]);
    const target = await openDatabase(to);
    expect(await countAll(target)).toBe(COPIED);
    expect(await engineOf(target).readLastId(target)).toBe(COPIED);
    await target.destroy();
  },
);

const ROWS = isLong ? 10_000 : 4_000;

/** What a start says of a job that somebody who was killed was at. */
const underWay = (set: number | null) =>
  new RegExp(
    `^Under way: [\\d,]+ of [\\d,]+ users are done, and it goes on by itself; how far it is stands at /history/${set}$`,
    'm',
  );

/** How far it is: read, checked, confirmed, applied. */
const MOMENTS: readonly ((imported: Import, done: number) => boolean)[] = [
  () => true,
  (imported) => rowsOf(imported) >= ROWS / 10,
  (imported) => rowsOf(imported) >= ROWS / 2,
  (imported) => rowsOf(imported) >= ROWS * 0.9,
  ({ state }) => state !== 'reading',
  ({ state }) => !['reading', 'checked'].includes(state),
  (_, done) => done > 0,
  (_, done) => done > ROWS / 3,
  (_, done) => done > (ROWS * 2) / 3,
  ({ state }) => state === 'done',
];

function rowsOf({ state, totals }: Import): number {
  return state === 'reading' ? JSON.parse(totals ?? '{"rows":0}').rows : ROWS;
}

test.each(ENGINES)(
  'an import by the command, on %s, that is killed is done by the next Roster, or nothing of it is',
  { timeout },
  async (engine) => {
    const [folder, url] = [temporaryFolder(), await readyUrl(engine)];
    const settings = { DATABASE_URL: url, IMPORT_FOLDER: folder, LOG_LEVEL: 'silent' };
    const db = await openDatabase(url, { connections: 2 });
    let before = 0;
    const states: string[] = [];
    let halfDone = 0;
    for (const [moment, isTime] of MOMENTS.entries()) {
      if (!isLong && moment % 4 !== 2) continue;
      const file = join(temporaryFolder(), 'users.csv');
      const row = (_: unknown, index: number) => `m${moment}n${index},m${moment}n${index}@example.net\n`;
      writeFileSync(file, `username,email\n${Array.from({ length: ROWS }, row).join('')}`);
      const child = run(['import', file, '--yes'], settings);
      const ended = once(child, 'close');
      const last = async () => {
        const ids = db.selectFrom('imports').select(({ fn }) => fn.max('id').as('id'));
        const { id } = await ids.where('file_name', '=', 'users.csv').executeTakeFirstOrThrow();
        return id === null ? undefined : findImport(db, Number(id));
      };
      const known = (await last())?.id;
      const hasCome = async () => {
        const imported = await last();
        if (imported === undefined || imported.id === known) return false;
        const job = imported.set_id === null ? undefined : await findJobOfSet(db, imported.set_id);
        return isTime(imported, job?.done ?? 0);
      };
      await expect.poll(hasCome, { interval: 1 }).toBe(true);
      child.kill('SIGKILL');
      await ended;
      // What it has sent last the server may still be doing.
      if (engine === 'postgres') await ask(url, 'begin', 'lock table imports, jobs in share mode', 'commit');
      const { id, state, set_id } = (await last()) as Import;
      states.push(state);
      const isHalf = set_id !== null && (await findJobOfSet(db, set_id))?.state === 'running';
      if (isHalf) halfDone++;
      // As it is once the leases of whoever was killed are over.
      await transact(db, async (trx) => {
        await trx.updateTable('jobs').set({ leased_until: 0 }).execute();
        await trx.updateTable('imports').set({ leased_until: 0 }).execute();
      });
      const roster = await startRoster(settings);
      const isOver = async () => ['checked', 'done'].includes(`${(await findImport(db, id))?.state}`);
      await expect.poll(isOver, { interval: 20 }).toBe(true);
      const isDone = (await findImport(db, id))?.state === 'done';
      if (isDone) before += ROWS;
      expect(await countAll(db)).toBe(before);
      // What nobody has confirmed, nobody does. On a busy machine a kill may come later than it was meant to.
      expect(isDone, state).toBe(!['reading', 'checked'].includes(state));
      roster.child.kill('SIGTERM');
      await once(roster.child, 'exit');
      expect(underWay(set_id).test(await roster.stderr), state).toBe(isHalf);
    }
    if (isLong) {
      expect(
        states.some((state) => ['reading', 'checked'].includes(state)),
        `${states}`,
      ).toBe(true);
      expect(states).toContain('applying');
      expect(halfDone).toBeGreaterThan(0);
    }
    await db.destroy();
  },
);
