/** Whether what was written is a whole database: it is opened, read through, counted, and searched. */
import { readFingerprint } from '../auth/secret-key.ts';
import { findMendable } from '../check/run.ts';
import { openToRead } from '../db/database.ts';
import { engineOf } from '../db/engine.ts';
import type { Db, User } from '../db/schema.ts';
import { readIdentity } from '../erasure/queries.ts';
import { StartError } from '../errors.ts';
import { DAY, type Stopwatch } from '../lib/clock.ts';
import { Deadline } from '../lib/deadline.ts';
import { usersOf } from '../lib/formats.ts';
import { countByStatus } from '../users/counts.ts';
import { parseList } from '../users/list/address.ts';
import { resolveFilter } from '../users/list/filter-result.ts';
import { findUsersAfter } from '../users/queries.ts';

/** Who is searched for, at equal distances: all of a million would take minutes, which is what `check` is for. */
const SAMPLES = 50;

export type Verified = {
  users: number;
  identity: string;
  fingerprint: string | undefined;
  /** What is wrong in the database, and so in its backup: a sentence each. */
  faults: string[];
};

/** @throws StartError where it is damaged: a backup of a damaged file is none */
export async function verify(file: string, stopwatch?: Stopwatch): Promise<Verified> {
  const db = await openToRead(`sqlite:${file}`, stopwatch);
  try {
    const faults: string[] = [];
    for await (const { what } of findMendable(db, { isShort: true, refuse: damaged })) faults.push(what);
    const { active, inactive } = await countByStatus(db);
    // Nobody waits for a page: that a machine is slow says nothing of the backup.
    const lost = await countNotFound(db, Deadline.in(DAY, stopwatch));
    if (lost > 0) faults.push(`Searches do not find ${usersOf(lost)} of ${SAMPLES} by their own username.`);
    const [identity, fingerprint] = [await readIdentity(db), await readFingerprint(db)];
    return { users: active + inactive, identity, fingerprint, faults };
  } finally {
    await db.destroy();
  }
}

function damaged(what: string): StartError {
  return new StartError(
    `${what} So it is not kept as a backup, and earlier ones stay: most likely the database itself is damaged, as says: npm run roster -- check`,
  );
}

async function countNotFound(db: Db, deadline: Deadline): Promise<number> {
  const last = await engineOf(db).readLastId(db);
  let lost = 0;
  for (let sample = 0; sample < SAMPLES; sample++) {
    const [user] = await findUsersAfter(db, Math.floor((last * sample) / SAMPLES), 1);
    if (user && !(await isFound(db, user, deadline))) lost++;
  }
  return lost;
}

async function isFound(db: Db, { id, username }: User, deadline: Deadline): Promise<boolean> {
  const { list } = parseList({ q: `"${username}"` });
  const { ids } = await resolveFilter(db, list, { deadline });
  // Of more than are looked up, nobody knows who they are.
  return ids === undefined || ids.includes(id);
}
