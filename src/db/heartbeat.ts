/** Finds out whether anything can be written, by writing; no row stays, so nobody waits for another's. */
import type { Db } from './schema.ts';
import { transact } from './transact.ts';

/** @throws whatever a change would. */
export async function writeHeartbeat(db: Db): Promise<void> {
  await transact(db, async (trx) => {
    const { id } = await trx
      .insertInto('heartbeats')
      .defaultValues()
      .returning('id')
      .executeTakeFirstOrThrow();
    await trx.deleteFrom('heartbeats').where('id', '=', id).execute();
  });
}
