/** Who is deleted, by usernames and emails they had, which are in no index. */
import type { Db } from '../db/schema.ts';
import { Deadline } from '../lib/deadline.ts';
import { emailKey } from '../lib/email.ts';
import { letTimersRun } from '../lib/progress.ts';
import { textKey } from '../lib/text.ts';
import { type DeletedUser, findDeletedAfter } from './deleted-queries.ts';
import { unpackValues } from './fields.ts';

const AT_ONCE = 1_000;

const FIELDS = ['username', 'email'] as const;
const KEYS = { username: textKey, email: emailKey };

type Names = Record<(typeof FIELDS)[number], readonly string[]>;
type Found = Record<(typeof FIELDS)[number], ReadonlyMap<string, DeletedUser>>;

/** @param names keys, as they are compared @returns by their keys, of several the one who was deleted last; `isCertain`: whether all were looked at within so many milliseconds */
export async function findDeletedCalled(
  db: Db,
  names: Names,
  patience: number,
): Promise<{ found: Found; isCertain: boolean }> {
  const deadline = Deadline.in(patience);
  const wanted = { username: new Set(names.username), email: new Set(names.email) };
  const found = { username: new Map<string, DeletedUser>(), email: new Map<string, DeletedUser>() };
  const fields = FIELDS.filter((field) => wanted[field].size > 0);
  let last = 0;
  do {
    const some = await findDeletedAfter(db, last, AT_ONCE);
    for (const one of some) {
      const values = unpackValues(one.fields);
      for (const field of fields) {
        const key = KEYS[field](values[field]);
        const isLast = one.set_id > (found[field].get(key)?.set_id ?? 0);
        if (wanted[field].has(key) && isLast) found[field].set(key, one);
      }
    }
    if (some.length < AT_ONCE) return { found, isCertain: true };
    last = some.at(-1)?.id ?? last;
    await letTimersRun();
  } while (!deadline.isPast);
  return { found, isCertain: false };
}
