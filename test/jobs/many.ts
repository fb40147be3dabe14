/** Very many users whom one act has changed, and undoing that. */
import { commandLine } from '../../src/auth/actor.ts';
import { seedUsers } from '../../src/cli/seed.ts';
import { engineOf } from '../../src/db/engine.ts';
import type { Db } from '../../src/db/schema.ts';
import { transact } from '../../src/db/transact.ts';
import { findChangeSet } from '../../src/history/queries.ts';
import { beginSet, countInSet, insertHistory } from '../../src/history/record.ts';
import { Mutex } from '../../src/lib/mutex.ts';
import { beginUndo, undoBatch } from '../../src/undo/job.ts';
import { movableClock } from '../people.ts';

export const NOW = Date.UTC(2100, 0, 31);

/** With which few users make many batches. */
export const SMALL_BATCHES = { batch: 10, most: 100, fewest: 1, pause: 0 };

/** What does the jobs of a database. */
export const runnerOf = (db: Db, clock = movableClock(NOW), work = undoBatch) => ({
  db,
  alone: new Mutex(),
  kinds: { undo: { via: 'undo' as const, work } },
  pace: SMALL_BATCHES,
  clock,
  stopwatch: () => 0,
  note: () => {},
  warn: () => {},
});

/** So many users, of whom one set has changed the full name; before, they were all called the same. @returns the set */
export async function changeMany(db: Db, count: number): Promise<number> {
  await seedUsers(db, count);
  return transact(db, async (trx) => {
    const set = await beginSet(trx, commandLine, { at: NOW, kind: 'changed' });
    const users = await trx.selectFrom('users').selectAll().where('role', '=', 'member').execute();
    const changes = users.map(({ id: user_id, full_name }) => {
      const fields = JSON.stringify({ '3': ['Before', full_name] });
      return { user_id, version: 2, set_id: set, at: null, fields };
    });
    for (let start = 0; start < changes.length; start += 500) {
      const some = changes.slice(start, start + 500);
      await insertHistory(trx, { changes: some });
      // Not all at once: for a statement there are three seconds, however busy the machine is.
      const ids = some.map(({ user_id }) => user_id);
      const changed = trx.updateTable('users').where(engineOf(trx).isOneOf('id', ids));
      await changed.set({ version: 2 }).execute();
    }
    await countInSet(trx, set, users.length);
    return set;
  });
}

/** @returns the set that undoes it, batch by batch. */
export async function begin(db: Db, undone: number, actor = commandLine): Promise<number> {
  const set = await findChangeSet(db, undone);
  if (set === undefined) throw new Error('There is no such set.');
  return transact(db, (trx) => beginUndo(trx, actor, set, NOW));
}

/** Who is as they were before, by one change, and who is not. */
export async function countAsBefore(db: Db): Promise<{ before: number; others: number }> {
  const users = await db.selectFrom('users').select(['full_name', 'version']).execute();
  const before = users.filter(({ full_name, version }) => full_name === 'Before' && version === 3).length;
  return { before, others: users.length - before };
}
