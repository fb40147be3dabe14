/** Processes that write to one file are killed at any moment, and the power is cut: the file opens with all that was acknowledged. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import Sqlite from 'better-sqlite3';
import { sql } from 'kysely';
import { expect, inject, onTestFinished, test } from 'vitest';
import { openDatabase } from '../../src/db/database.ts';
import { addUser, temporaryFolder } from '../support.ts';

/** `npm run test:crash` asks for 560 and 300. */
const FEWER = inject('isLong') ? 60 : 3;
const KILLS = Number(process.env.KILLS ?? FEWER);
const POWER_CUTS = Number(process.env.POWER_CUTS ?? FEWER);
const timeout = 180_000 + Math.max(KILLS, POWER_CUTS) * 10_000;
const SECTOR = 512;

/** Whole numbers from 0 on, at random. */
function below(end: number): number {
  return Math.floor(Math.random() * end);
}

/** Opens a file as a start of Roster does: it is not refused, it is whole, and these are in it. */
async function expectAll(path: string, usernames: Iterable<string>): Promise<void> {
  const db = await openDatabase(`sqlite:${path}`);
  const { rows } = await sql<{ integrity_check: string }>`pragma integrity_check`.execute(db);
  expect(rows).toEqual([{ integrity_check: 'ok' }]);
  const stored = new Set(
    (await db.selectFrom('users').select('username').execute()).map(({ username }) => username),
  );
  expect([...usernames].filter((username) => !stored.has(username))).toEqual([]);
  const withHistory = await db.selectFrom('changes').select('user_id').where('version', '=', 1).execute();
  const sets = await db.selectFrom('change_sets').select('id').execute();
  expect([withHistory.length, sets.length]).toEqual([stored.size, stored.size]);
  await db.destroy();
}

/** Starts a writer that is killed once it has acknowledged some users, and adds those to `acknowledged`. */
async function killAfter(
  count: number,
  path: string,
  prefix: string,
  acknowledged: Set<string>,
): Promise<void> {
  const writer: ChildProcess & { stdout: NodeJS.ReadableStream; stderr: NodeJS.ReadableStream } = spawn(
    process.execPath,
    [join(import.meta.dirname, 'writer.ts'), `sqlite:${path}`, prefix],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  onTestFinished(() => void writer.kill('SIGKILL'));
  const [said, ended] = [text(writer.stderr), once(writer, 'exit')];
  let left = count;
  for await (const username of createInterface({ input: writer.stdout })) {
    acknowledged.add(username);
    if (--left <= 0) writer.kill('SIGKILL');
  }
  const [, signal] = await ended;
  expect({ signal, said: await said }).toEqual({ signal: 'SIGKILL', said: '' });
}

test('after kills of one process and of two, in the middle of whatever they do, nothing is refused or lost', {
  timeout,
}, async () => {
  const path = join(temporaryFolder(), 'roster.db');
  const acknowledged = new Set<string>();
  for (let round = 0; round < KILLS; round++) {
    const writers = 1 + (round % 2);
    await Promise.all(
      Array.from({ length: writers }, (_, writer) =>
        killAfter(1 + below(300), path, `r${round}w${writer}n`, acknowledged),
      ),
    );
    // At times what one leaves is opened by the next that is killed.
    if (round % 3 === 2) await expectAll(path, acknowledged);
  }
  await expectAll(path, acknowledged);
});

/** Of what was written since the last sync, from some byte on, a disk without power may have kept any sectors. */
function torn(before: Buffer, after: Buffer, from = 0): Buffer {
  const length = Math.random() < 0.5 ? before.length : after.length;
  const result = Buffer.alloc(length);
  for (let at = 0; at < length; at += SECTOR) {
    const source = at < from || Math.random() < 0.5 ? after : before;
    if (at < source.length) source.copy(result, at, at, at + SECTOR);
  }
  return result;
}

test('after a power cut in the middle of a commit, of a checkpoint and of the start of a log, nothing is refused or lost', {
  timeout,
}, async () => {
  const path = join(temporaryFolder(), 'roster.db');
  const crashed = join(temporaryFolder(), 'roster.db');
  const db = await openDatabase(`sqlite:${path}`);
  const acknowledged: string[] = [];
  let number = 0;
  const add = async (count: number) => {
    for (const end = number + count; number < end; ) {
      const { username } = await addUser(db, { username: `user${number++}` });
      acknowledged.push(username);
    }
  };
  const files = () => ({ file: readFileSync(path), log: readFileSync(`${path}-wal`) });
  const leave = async (file: Buffer, log: Buffer, usernames: readonly string[]) => {
    writeFileSync(crashed, file);
    writeFileSync(`${crashed}-wal`, log);
    await expectAll(crashed, usernames);
  };
  await add(20);
  const program = new Sqlite(path);
  onTestFinished(() => void program.close());
  for (let round = 0; round < POWER_CUTS; round++) {
    const earlier = files();
    const synced = [...acknowledged];
    await add(1 + below(20));
    const before = files();
    await leave(earlier.file, torn(earlier.log, before.log, earlier.log.length), synced);
    program.pragma('wal_checkpoint(passive)');
    const afterwards = files();
    await leave(torn(before.file, afterwards.file), before.log, acknowledged);
    const whole = [...acknowledged];
    await add(1 + below(3));
    // The header of a log is synced before anything else of it.
    await leave(afterwards.file, torn(afterwards.log, files().log, 32), whole);
  }
  await db.destroy();
});
