/** A number that every change of users, of how they sign in, or of how a job stands, moves; not who is signed in, and when. */
import { randomInt } from 'node:crypto';
import type { CompiledQuery } from 'kysely';
import { cachedQuery, executeCached } from './cached-query.ts';
import { engineOf } from './engine.ts';
import type { Db, Trx } from './schema.ts';
import { writeLast } from './transact.ts';

/** So far at most it is moved at once: 2^38 times until numbers end. */
const FURTHEST = 2 ** 16;

/** For what is added to a change set that is there already. */
export function moveRevision(trx: Trx): void {
  writeLast(trx, move);
}

/** A new change set moves it, where its own number does not do that. */
export function moveRevisionBySet(trx: Trx): void {
  if (!engineOf(trx).numbersInOrder) moveRevision(trx);
}

function move(trx: Trx): CompiledQuery[] {
  // At random: where a standby without the last changes has become primary, others that are made there do not come to the same number.
  const moved = cachedQuery(trx, 'move revision', { by: randomInt(1, FURTHEST) }, ({ by }) =>
    trx
      .updateTable('revisions')
      .set(({ eb }) => ({ value: eb('value', '+', by) }))
      .where(engineOf(trx).counterShard),
  );
  return [moved];
}

export async function readRevision(db: Db): Promise<number> {
  const [moved] = await executeCached(db, 'revision', {}, () =>
    db.selectFrom('revisions').select(({ fn }) => fn.sum<number | string>('value').as('value')),
  );
  const { numbersInOrder, readLastId } = engineOf(db);
  return Number(moved?.value) + (numbersInOrder ? await readLastId(db, 'change_sets') : 0);
}

/** In a database that takes over from another one, whose revisions nobody is to see again. */
export async function raiseRevision(trx: Trx, value: number): Promise<void> {
  await trx
    .updateTable('revisions')
    .set(({ eb }) => ({ value: eb('value', '+', value) }))
    .where('slot', '=', 0)
    .execute();
}
