/** Erasing someone who was deleted: for good, and from everywhere. */
import { type Actor, audit, authorize } from '../auth/actor.ts';
import { lockErasing } from '../auth/drafts.ts';
import { mayErase } from '../auth/policy.ts';
import type { Trx } from '../db/schema.ts';
import { NotFoundError } from '../errors.ts';
import { unpackValues } from '../history/fields.ts';
import { recordErasure, takeDeleted } from '../history/record.ts';
import { findTimesOf } from '../history/versions.ts';
import { insertErasures } from './queries.ts';
import { eraseEverywhere } from './tables.ts';

export type Erased = { kind: 'erased'; set: number };

/** What is left are their number, when they were created, and that they were erased. @throws ForbiddenError, NotFoundError for whoever is not deleted */
export async function eraseUser(trx: Trx, actor: Actor, id: number, now: number): Promise<Erased> {
  authorize(actor, mayErase);
  await lockErasing(trx);
  const deleted = await takeDeleted(trx, id);
  if (deleted === undefined) throw new NotFoundError(`There is no deleted user ${id}.`);
  const { created_at } = unpackValues(deleted.fields);
  const at = Math.max(now, ...(await findTimesOf(trx, id, [deleted.version])));
  const set = await recordErasure(trx, actor, deleted, at);
  await eraseEverywhere(trx, id);
  await insertErasures(trx, [{ user_id: id, created_at, set_id: set, gone_at: null }]);
  // Without the name, which would go into the log.
  audit(trx, actor, 'erased', { id, username: `user ${id}` });
  return { kind: 'erased', set };
}
