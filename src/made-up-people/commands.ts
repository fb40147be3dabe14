/** Made-up people to try Roster with: adding a hundred, and taking out again whom nobody has changed. */
import { type Actor, audit, authorize } from '../auth/actor.ts';
import { mayEdit } from '../auth/policy.ts';
import { derivedColumns } from '../db/derived-columns.ts';
import type { Trx } from '../db/schema.ts';
import { inOneSet } from '../history/record.ts';
import { createUser, deleteUsers } from '../users/commands.ts';
import { hasOnlyAdministrators, readCounts } from '../users/counts.ts';
import { person } from './people.ts';
import { countUnchanged, findMadeUp, lockUnchanged, MADE_UP, markMadeUp } from './queries.ts';

const COUNT = 100;

/** How many there are now; `there are others`: then none are added to them. */
export type Added = {
  kind: 'added' | 'there already' | 'there are others';
  count: number;
  set?: number | undefined;
};

/** Leaves out whose username or email is taken. @throws ForbiddenError, NotUniqueError (somebody else adds them just now) */
export async function addMadeUpPeople(trx: Trx, actor: Actor, now: number): Promise<Added> {
  authorize(actor, mayEdit);
  if (!hasOnlyAdministrators(await readCounts(trx))) {
    const count = await countUnchanged(trx);
    return { kind: count > 0 ? 'there already' : 'there are others', count };
  }
  const ids: number[] = [];
  const { set } = await inOneSet(
    trx,
    actor,
    { at: now, kind: 'created', detail: MADE_UP },
    async (acting) => {
      for (const one of await peopleWithFreeNames(trx)) {
        const { user } = await createUser(trx, acting, one, one.created_at);
        ids.push(user.id);
      }
    },
  );
  await markMadeUp(trx, ids);
  audit(trx, actor, 'made-up people added');
  return { kind: 'added', count: ids.length, set };
}

/** @returns how many are gone, and how many stay since somebody has changed them. @throws ForbiddenError */
export async function removeMadeUpPeople(
  trx: Trx,
  actor: Actor,
  now: number,
): Promise<{ removed: number; changed: number; set: number | undefined }> {
  authorize(actor, mayEdit);
  const unchanged = await lockUnchanged(trx);
  const { set } = await inOneSet(trx, actor, { at: now, kind: 'deleted', detail: MADE_UP }, (acting) =>
    deleteUsers(trx, acting, unchanged, now),
  );
  audit(trx, actor, 'made-up people taken out');
  return { removed: unchanged.length, changed: (await findMadeUp(trx)).length, set };
}

/** The administrators, who alone are there, may have such a name. */
async function peopleWithFreeNames(trx: Trx) {
  const users = await trx.selectFrom('users').select(['username_key', 'email_key']).execute();
  const taken = new Set(users.flatMap(({ username_key, email_key }) => [username_key, email_key]));
  return Array.from({ length: COUNT }, (_, number) => person(number)).filter((one) => {
    const { username_key, email_key } = derivedColumns(one);
    return !taken.has(username_key) && !taken.has(email_key);
  });
}
