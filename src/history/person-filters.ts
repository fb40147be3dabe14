/** Whom the history is asked about, as it is typed: by a number, or a username. */
import type { Db } from '../db/schema.ts';
import { Deadline } from '../lib/deadline.ts';
import { letTimersRun } from '../lib/progress.ts';
import { named, quotable, textKey } from '../lib/text.ts';
import { findUserByUsername } from '../users/queries.ts';
import type { HistoryState } from './address.ts';
import { unpackValues } from './fields.ts';
import { type DeletedUser, findDeletedAfter } from './queries.ts';

const AT_ONCE = 1_000;
/** For some tens of thousands: names of those who are deleted are in no index. */
const PATIENCE_MS = 200;

export async function resolvePersonFilters(db: Db, { user, by }: HistoryState, seesDeleted: boolean) {
  const unknown = new Map<string, string>();
  const find = async (typed: string | undefined) => {
    if (typed === undefined) return undefined;
    if (/^\d{1,15}$/.test(typed)) return Number(typed);
    const there = await findUserByUsername(db, typed);
    if (there) return there.id;
    const { id, isCertain } = seesDeleted ? await findDeletedCalled(db, typed) : { id: 0, isCertain: false };
    const otherwise = isCertain ? '' : ' Whoever is deleted is found by their number.';
    if (id === 0) unknown.set(typed, `Nobody has the username ${named(quotable(typed))}.${otherwise}`);
    return id;
  };
  const found = { user: await find(user), by: await find(by) };
  return { ...found, unknown: [...unknown.keys()], notices: [...unknown.values()] };
}

/** Of several the one who was deleted last; 0 for nobody, who may be there all the same where there were too many to look at. */
async function findDeletedCalled(db: Db, username: string): Promise<{ id: number; isCertain: boolean }> {
  const deadline = Deadline.in(PATIENCE_MS);
  const key = textKey(username);
  let found: DeletedUser | undefined;
  let last = 0;
  do {
    const some = await findDeletedAfter(db, last, AT_ONCE);
    for (const one of some) {
      const isCalled = textKey(unpackValues(one.fields).username) === key;
      if (isCalled && one.set_id > (found?.set_id ?? 0)) found = one;
    }
    if (some.length < AT_ONCE) return { id: found?.id ?? 0, isCertain: true };
    last = some.at(-1)?.id ?? last;
    await letTimersRun();
  } while (!deadline.isPast);
  return { id: found?.id ?? 0, isCertain: false };
}
