/** Adds users to a database until it is killed, several at once, and says who is there for good: a line for each. */
import { setTimeout } from 'node:timers/promises';
import { commandLine } from '../../src/auth/actor.ts';
import { openDatabase } from '../../src/db/database.ts';
import { transact } from '../../src/db/transact.ts';
import { DatabaseLostError, UnavailableError } from '../../src/errors.ts';
import { createUser } from '../../src/users/commands.ts';

const WRITERS = 4;

/** `pause`: of each after each, in milliseconds. */
const [url = '', prefix = '', pause = '0'] = process.argv.slice(2);
const db = await openDatabase(url);
let number = 0;

async function write(): Promise<never> {
  for (;;) {
    const username = `${prefix}${number++}`;
    const user = {
      username,
      email: `${username}@example.org`,
      full_name: null,
      is_active: true,
      role: 'member',
    } as const;
    try {
      await transact(db, (trx) => createUser(trx, commandLine, user, Date.now()));
      process.stdout.write(`${username}\n`);
      if (pause !== '0') await setTimeout(Number(pause));
    } catch (error) {
      // The other process had the file for too long.
      if (error instanceof DatabaseLostError || !(error instanceof UnavailableError)) throw error;
    }
  }
}

await Promise.all(Array.from({ length: WRITERS }, write));
