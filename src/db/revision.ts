/** A number that every change of users, or of how they sign in, moves. */
import type { QueryCreator } from 'kysely';
import { executeCached } from './cached-query.ts';
import { engineOf } from './engine.ts';
import type { Db, Schema, Trx } from './schema.ts';

/** For what is added to a change set that is there already. */
export async function moveRevision(trx: Trx): Promise<void> {
  await executeCached(trx, 'move revision', {}, () => moving(trx));
}

/** A new change set moves it: by its own number, or in the statement that makes it. */
export function movingRevision(trx: Trx): QueryCreator<Schema> {
  return engineOf(trx).numbersInOrder ? trx : trx.with('moved', () => moving(trx));
}

export async function readRevision(db: Db): Promise<number> {
  const { value } = await db
    .selectFrom('revisions')
    .select(({ fn }) => fn.sum<number | string>('value').as('value'))
    .executeTakeFirstOrThrow();
  const { numbersInOrder, readLastId } = engineOf(db);
  return Number(value) + (numbersInOrder ? await readLastId(db, 'change_sets') : 0);
}

/** In a database that takes over from another one, whose revisions nobody is to see again. */
export async function raiseRevision(trx: Trx, value: number): Promise<void> {
  await trx
    .updateTable('revisions')
    .set(({ eb }) => ({ value: eb('value', '+', value) }))
    .where('slot', '=', 0)
    .execute();
}

function moving(trx: Trx) {
  return trx
    .updateTable('revisions')
    .set(({ eb }) => ({ value: eb('value', '+', 1) }))
    .where(engineOf(trx).counterShard);
}
