/** The files of the database, and what searches go through. */
import { engineOf } from '../db/engine.ts';
import type { Db } from '../db/schema.ts';
import { type CheckOptions, DAMAGED, type Fault, REBUILD } from './finding.ts';

export async function* checkFiles(db: Db, { quick }: CheckOptions): AsyncIterable<Fault> {
  for await (const { what, isOfSearch } of engineOf(db).findDamage(db, quick))
    yield { kind: 'places that are damaged', what, todo: isOfSearch ? REBUILD : DAMAGED };
}

export async function* checkSearch(db: Db): AsyncIterable<Fault> {
  for await (const id of engineOf(db).findWronglyIndexed(db))
    yield {
      kind: 'numbers that searches find wrongly',
      what: `Searches do not find user ${id} by what they are called, or by something else.`,
      todo: REBUILD,
    };
}
