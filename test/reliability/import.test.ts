/** A Roster is killed while it reads what was brought, does it or takes it back: the next one goes on, until all or nothing of what was shown is done. */
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { expect, inject, onTestFinished, test } from 'vitest';
import { commandLine } from '../../src/auth/actor.ts';
import { seedUsers } from '../../src/cli/seed.ts';
import { importFolderOf } from '../../src/database-url.ts';
import { openDatabase } from '../../src/db/database.ts';
import type { Db } from '../../src/db/schema.ts';
import { readSnapshot, transact } from '../../src/db/transact.ts';
import { findChangeSet } from '../../src/history/queries.ts';
import { beginImport, confirmImport, discardImport } from '../../src/imports/commands.ts';
import { filesOf, makeFolder, newName } from '../../src/imports/folder.ts';
import { findImport, type Import, saveImport } from '../../src/imports/queries.ts';
import { findTakingBack } from '../../src/imports/take-back.ts';
import { findJobOfSet, saveJob } from '../../src/jobs/queries.ts';
import { countByStatus } from '../../src/users/counts.ts';
import { startRoster } from '../roster.ts';
import { readyUrl, temporaryFolder } from '../support.ts';

const isLong = inject('isLong');
const KILLS = isLong ? 5 : 2;
/** Of those who are new. */
const NEW = isLong ? 20_000 : 8_000;
/** Whom the file changes. */
const USERS = 1_000;
const IMPORTED = 'Imported';

/** Some are in Roster, and get another name. */
async function people(db: Db): Promise<string> {
  const users = await db.selectFrom('users').select(['username', 'email']).execute();
  const rows = [
    ...users.map(({ username, email }) => `${username},${email}`),
    ...Array.from({ length: NEW }, (_, index) => `import${index},i${index}@example.net`),
  ];
  return `username,email,name\n${rows.map((row) => `${row},${IMPORTED}\n`).join('')}`;
}

async function importOf(db: Db, id: number): Promise<Import> {
  return (await findImport(db, id)) as Import;
}

/** As it is once the leases of whoever was killed are over. */
async function letGo(db: Db, imported: Import): Promise<void> {
  const { id, set_id } = imported;
  const jobs = [
    set_id === null ? undefined : await findJobOfSet(db, set_id),
    await findTakingBack(db, imported),
  ];
  await transact(db, async (trx) => {
    await saveImport(trx, id, { leased_until: 0, failures: 0 });
    for (const job of jobs) if (job) await saveJob(trx, job.id, { leased_until: 0 });
  });
}

/** What is there is what its job says, changed or created. @returns how many rows that are */
async function expectWhole(db: Db, { set_id }: Import): Promise<number> {
  // At one moment: what a killed Roster has sent last, PostgreSQL may still be doing.
  return readSnapshot(db, async (trx) => {
    const { active, inactive } = await countByStatus(trx);
    const done = Number((await findJobOfSet(trx, Number(set_id)))?.done);
    const created = active + inactive - USERS;
    expect(await countImported(trx)).toBe(done);
    // Those who are there come first.
    expect(created).toBe(Math.max(0, done - USERS));
    expect((await findChangeSet(trx, Number(set_id)))?.users).toBe(done);
    return done;
  });
}

async function countImported(db: Db): Promise<number> {
  const imported = db.selectFrom('users').select(({ fn }) => fn.countAll().as('count'));
  return Number((await imported.where('full_name', '=', IMPORTED).executeTakeFirstOrThrow()).count);
}

function rowsOf(totals: string | null): number {
  return JSON.parse(totals ?? '{"rows":0}').rows;
}

/** A file is brought, and nothing of it is read yet. */
async function start(engine: 'sqlite' | 'postgres') {
  const [url, parent] = [await readyUrl(engine), temporaryFolder()];
  const folder = makeFolder(importFolderOf(url, '', parent));
  const db = await openDatabase(url, { connections: 2 });
  onTestFinished(() => db.destroy());
  await seedUsers(db, USERS);
  const settings = { DATABASE_URL: url, IMPORT_FOLDER: parent, LOG_LEVEL: 'silent' };
  const file = newName();
  writeFileSync(filesOf(folder, file).upload, await people(db));
  const upload = { file, name: 'users.csv', size: 1 };
  const id = await transact(db, (trx) => beginImport(trx, commandLine, folder, upload, Date.now()));
  /** Starts a Roster, and kills it as soon as something is so. */
  const killOnce = async (isTime: (imported: Import) => unknown) => {
    const { child } = await startRoster(settings);
    await expect.poll(async () => Boolean(await isTime(await importOf(db, id))), { interval: 20 }).toBe(true);
    child.kill('SIGKILL');
    await once(child, 'exit');
    await letGo(db, await importOf(db, id));
  };
  const confirm = async () => {
    const { judged, totals } = await importOf(db, id);
    expect(JSON.parse(totals ?? '')).toMatchObject({ created: NEW, changed: USERS, refused: 0 });
    await transact(db, (trx) => confirmImport(trx, commandLine, id, judged, Date.now()));
  };
  /** @param rows of which more than so many are done */
  const isFurther = async ({ set_id }: Import, rows: number) =>
    set_id !== null && ((await findJobOfSet(db, set_id))?.done ?? 0) > rows;
  return { db, id, killOnce, confirm, isFurther };
}

const ENGINES = ['sqlite', 'postgres'] as const;

test.each(ENGINES)(
  'on %s, an import is done as it was shown, however often it is killed',
  { timeout: 300_000 },
  async (engine) => {
    const { db, id, killOnce, confirm, isFurther } = await start(engine);
    // Each a little further, as long as it is read.
    for (let kills = 1; kills <= KILLS; kills++)
      await killOnce(({ state, totals }) => state !== 'reading' || rowsOf(totals) >= kills * 1_000);
    await killOnce(({ state }) => state === 'checked');
    await confirm();
    let before = 0;
    for (let kills = 0; kills < KILLS; kills++) {
      await killOnce((imported) => isFurther(imported, before));
      before = await expectWhole(db, await importOf(db, id));
    }
    await killOnce(({ state }) => state === 'done');
    expect(await expectWhole(db, await importOf(db, id))).toBe(USERS + NEW);
  },
);

test.each(ENGINES)(
  'on %s, nothing stays of one that is taken back, however often that is killed',
  { timeout: 300_000 },
  async (engine) => {
    const { db, id, killOnce, confirm, isFurther } = await start(engine);
    await killOnce(({ state }) => state === 'checked');
    await confirm();
    await killOnce((imported) => isFurther(imported, 2 * USERS));
    await transact(db, (trx) => discardImport(trx, commandLine, id, Date.now()));
    const takenBack = async () => findTakingBack(db, await importOf(db, id));
    for (let kills = 0; kills < KILLS; kills++) {
      const before = (await takenBack())?.done ?? 0;
      await killOnce(async () => ((await takenBack())?.done ?? 0) > before);
      expect((await importOf(db, id)).state).toBe('taken back');
    }
    await killOnce(async () => (await takenBack())?.state === 'done');
    expect(await takenBack()).toMatchObject({ left_out: 0 });
    expect(await countImported(db)).toBe(0);
    const { active, inactive } = await countByStatus(db);
    expect(active + inactive).toBe(USERS);
  },
);
