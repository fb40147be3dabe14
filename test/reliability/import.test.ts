/** A Roster is killed while it reads what was brought, or does it: the next one goes on, until all that was shown is done. */
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { expect, inject, test } from 'vitest';
import { commandLine } from '../../src/auth/actor.ts';
import { seedUsers } from '../../src/cli/seed.ts';
import { importFolderOf } from '../../src/database-url.ts';
import { openDatabase } from '../../src/db/database.ts';
import type { Db } from '../../src/db/schema.ts';
import { readSnapshot, transact } from '../../src/db/transact.ts';
import { findChangeSet } from '../../src/history/queries.ts';
import { beginImport, confirmImport } from '../../src/imports/commands.ts';
import { filesOf, makeFolder, newName } from '../../src/imports/folder.ts';
import { findImport, type Import, saveImport } from '../../src/imports/queries.ts';
import { findJobOfSet, saveJob } from '../../src/jobs/queries.ts';
import { countByStatus } from '../../src/users/counts.ts';
import { startRoster } from '../roster.ts';
import { readyUrl, temporaryFolder } from '../support.ts';

const KILLS = inject('isLong') ? 5 : 2;
const ROWS = 20_000;
/** Of whom the file changes each. */
const USERS = 100;

function people(): string {
  const rows = Array.from({ length: ROWS }, (_, index) => `import${index},i${index}@example.net,Imported`);
  return `username,email,name\n${rows.join('\n')}\n`;
}

async function importOf(db: Db, id: number): Promise<Import> {
  return (await findImport(db, id)) as Import;
}

/** As it is once the leases of whoever was killed are over. */
async function letGo(db: Db, { id, set_id }: Import): Promise<void> {
  const job = set_id === null ? undefined : await findJobOfSet(db, set_id);
  await transact(db, async (trx) => {
    await saveImport(trx, id, { leased_until: 0, failures: 0 });
    if (job) await saveJob(trx, job.id, { leased_until: 0 });
  });
}

/** What is there is what its job says. @returns how many that are */
async function expectWhole(db: Db, { set_id }: Import, before: number): Promise<number> {
  // At one moment: what a killed Roster has sent last, PostgreSQL may still be doing.
  return readSnapshot(db, async (trx) => {
    const { active, inactive } = await countByStatus(trx);
    const job = await findJobOfSet(trx, Number(set_id));
    expect(active + inactive).toBe(before + Number(job?.done));
    expect((await findChangeSet(trx, Number(set_id)))?.users).toBe(job?.done);
    return Number(job?.done);
  });
}

function rowsOf(totals: string | null): number {
  return JSON.parse(totals ?? '{"rows":0}').rows;
}

test.each(['sqlite', 'postgres'] as const)(
  'on %s, an import is done as it was shown, however often it is killed',
  { timeout: 180_000 },
  async (engine) => {
    const [url, parent] = [await readyUrl(engine), temporaryFolder()];
    const folder = makeFolder(importFolderOf(url, '', parent));
    const db = await openDatabase(url, { connections: 2 });
    await seedUsers(db, USERS);
    const settings = { DATABASE_URL: url, IMPORT_FOLDER: parent, LOG_LEVEL: 'silent' };
    const file = newName();
    writeFileSync(filesOf(folder, file).upload, people());
    const upload = { file, name: 'users.csv', size: 1 };
    const id = await transact(db, (trx) => beginImport(trx, commandLine, folder, upload, Date.now()));
    /** Starts a Roster, and kills it as soon as something is so. */
    const killOnce = async (isTime: (imported: Import) => unknown) => {
      const { child } = await startRoster(settings);
      await expect
        .poll(async () => Boolean(await isTime(await importOf(db, id))), { interval: 1, timeout: 30_000 })
        .toBe(true);
      child.kill('SIGKILL');
      await once(child, 'exit');
      await letGo(db, await importOf(db, id));
    };
    // Each a little further, as long as it is read.
    for (let kills = 1; kills <= KILLS; kills++)
      await killOnce(({ state, totals }) => state !== 'reading' || rowsOf(totals) >= kills * 1_000);
    await killOnce(({ state }) => state === 'checked');
    const { judged, totals } = await importOf(db, id);
    expect(JSON.parse(totals ?? '')).toMatchObject({ created: ROWS, rows: ROWS, refused: 0 });
    await transact(db, (trx) => confirmImport(trx, commandLine, id, judged, Date.now()));
    let before = -1;
    for (let kills = 0; kills < KILLS; kills++) {
      const isFurther = async ({ set_id }: Import) =>
        set_id !== null && ((await findJobOfSet(db, set_id))?.done ?? 0) > Math.max(before, 0);
      await killOnce(isFurther);
      before = await expectWhole(db, await importOf(db, id), USERS);
    }
    await killOnce(({ state }) => state === 'done');
    expect(await expectWhole(db, await importOf(db, id), USERS)).toBe(ROWS);
    await db.destroy();
  },
);
