/** Whether what was written is a whole database: it is opened, and gone through. */
import { readFingerprint } from '../auth/secret-key.ts';
import { findFaults } from '../check/run.ts';
import { openToRead } from '../db/database.ts';
import { readIdentity } from '../erasure/queries.ts';
import { countByStatus } from '../users/counts.ts';

export type Verified = {
  users: number;
  identity: string;
  /** Of the key that it needs. */
  fingerprint: string | undefined;
  /** What is wrong in it: a sentence each. */
  faults: string[];
};

/** @throws StartError where it cannot be opened */
export async function verify(file: string): Promise<Verified> {
  const db = await openToRead(`sqlite:${file}`);
  try {
    const faults: string[] = [];
    for await (const { what } of findFaults(db, {})) faults.push(what);
    const { active, inactive } = await countByStatus(db);
    const [identity, fingerprint] = [await readIdentity(db), await readFingerprint(db)];
    return { users: active + inactive, identity, fingerprint, faults };
  } finally {
    await db.destroy();
  }
}
