/** One in a hundred gets a role that may sign in, so that there is somebody to filter by it. */
import { commandLine } from '../../../src/auth/actor.ts';
import { doToAll } from '../../../src/bulk/commands.ts';
import { openDatabase } from '../../../src/db/database.ts';
import { engineOf } from '../../../src/db/engine.ts';
import { transact } from '../../../src/db/transact.ts';
import { chunksOf } from '../../../src/lib/chunks.ts';

const ONE_IN = 100;
const BATCH = 1_000;

/** @param users nobody has been changed whose number is a multiple of a hundred less 50. @returns how many */
export async function makeViewers(url: string, users: number): Promise<number> {
  const db = await openDatabase(url);
  try {
    const ids = Array.from({ length: Math.floor(users / ONE_IN) }, (_, index) => ONE_IN * index + 50);
    for (const some of chunksOf(ids, BATCH)) {
      const targets = some.map((id) => ({ id, version: 1 }));
      const act = { do: 'role', role: 'viewer' } as const;
      await transact(db, (trx) => doToAll(trx, commandLine, act, targets, Date.now()));
    }
    // As PostgreSQL does by itself, sooner or later: until then a jump looks at rows, too.
    await engineOf(db).finishBulkLoad(db);
    return ids.length;
  } finally {
    await db.destroy();
  }
}
