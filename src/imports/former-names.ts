/** Of those whom an import would create, who shares a username or email with somebody who is deleted: to be brought back first. */
import type { Actor } from '../auth/actor.ts';
import { maySeeDeleted } from '../auth/policy.ts';
import type { Db } from '../db/schema.ts';
import type { JudgedRow } from '../db/stage-rows.ts';
import { findDeletedCalled } from '../history/deleted-names.ts';
import { unpackValues } from '../history/fields.ts';
import type { Former } from '../users/former-names.ts';

const PATIENCE_MS = 50;

type Keys = Pick<JudgedRow, 'username_key' | 'email_key'>;

export async function findFormerOfRows(
  db: Db,
  actor: Actor | undefined,
  created: readonly Keys[],
): Promise<Former[]> {
  if (created.length === 0 || !actor || !maySeeDeleted(actor)) return [];
  const names = {
    username: created.flatMap(({ username_key }) => username_key ?? []),
    email: created.flatMap(({ email_key }) => email_key ?? []),
  };
  const { found } = await findDeletedCalled(db, names, PATIENCE_MS);
  const deleted = [...found.username.values(), ...found.email.values()];
  const former = new Map(deleted.map(({ id, fields }) => [id, unpackValues(fields).username]));
  return [...former].map(([id, username]) => ({ id, username }));
}
