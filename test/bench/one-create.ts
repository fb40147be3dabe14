/** What creating one user takes beside the sync to disk, which the disk alone decides. */
import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { commandLine } from '../../src/auth/actor.ts';
import { openDatabase } from '../../src/db/database.ts';
import { transact } from '../../src/db/transact.ts';
import { createUser } from '../../src/users/commands.ts';
import { percentile } from './load.ts';

/** Medians, in milliseconds. */
export type OneCreate = { create: number; sync: number };

const WARM_UP = 100;
const TIMES = 400;
const BLOCK = Buffer.alloc(4096);

/** @param folder on the disk of the database. */
export async function measureOneCreate(url: string, folder: string): Promise<OneCreate> {
  const db = await openDatabase(url);
  const file = openSync(join(folder, 'synced'), 'a');
  const creates: number[] = [];
  const syncs: number[] = [];
  // In turns, so that a busy moment of the machine meets both.
  for (let number = 0; number < WARM_UP + TIMES; number++) {
    const username = `single.${number}`;
    const user = {
      username,
      email: `${username}@example.org`,
      full_name: 'Single Number',
      is_active: true,
      role: 'member' as const,
    };
    const started = performance.now();
    await transact(db, (trx) => createUser(trx, commandLine, user, Date.now()));
    const created = performance.now();
    writeSync(file, BLOCK);
    fsyncSync(file);
    const synced = performance.now();
    if (number < WARM_UP) continue;
    creates.push(created - started);
    syncs.push(synced - created);
  }
  closeSync(file);
  await db.destroy();
  return { create: percentile(creates, 0.5), sync: percentile(syncs, 0.5) };
}
