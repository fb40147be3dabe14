/** Whom the history is asked about, as it is typed: by a number, or a username. */
import type { Db } from '../db/schema.ts';
import { named, quotable, textKey } from '../lib/text.ts';
import { findUserByUsername } from '../users/queries.ts';
import type { HistoryState } from './address.ts';
import { findDeletedCalled } from './deleted-names.ts';

/** For some tens of thousands. */
const PATIENCE_MS = 200;

export async function resolvePersonFilters(db: Db, { user, by }: HistoryState, seesDeleted: boolean) {
  const unknown = new Map<string, string>();
  const find = async (typed: string | undefined) => {
    if (typed === undefined) return undefined;
    if (/^\d{1,15}$/.test(typed)) return Number(typed);
    const there = await findUserByUsername(db, typed);
    if (there) return there.id;
    const { id, isCertain } = seesDeleted ? await findDeleted(db, typed) : { id: 0, isCertain: false };
    const otherwise = isCertain ? '' : ' Whoever is deleted is found by their number.';
    if (id === 0) unknown.set(typed, `Nobody has the username ${named(quotable(typed))}.${otherwise}`);
    return id;
  };
  const found = { user: await find(user), by: await find(by) };
  return { ...found, unknown: [...unknown.keys()], notices: [...unknown.values()] };
}

/** 0 for nobody, who may be there all the same where there were too many to look at. */
async function findDeleted(db: Db, username: string): Promise<{ id: number; isCertain: boolean }> {
  const key = textKey(username);
  const { found, isCertain } = await findDeletedCalled(db, { username: [key], email: [] }, PATIENCE_MS);
  return { id: found.username.get(key)?.id ?? 0, isCertain };
}
