/** What is there before a backup takes its place: looked at as it is, also where it is damaged. */
import { filePathOf } from '../database-url.ts';
import { nameOf, openAsItIs } from '../db/database.ts';
import type { KnownDatabase } from '../erasure/database-identity.ts';
import { readLedger } from '../erasure/ledger.ts';
import { StartError } from '../errors.ts';
import { isThere } from '../lib/make-file.ts';
import { type Summary, summarize, UNREADABLE } from './summary.ts';

/** Undefined where there is none. @param since the number of a change after which they are counted */
export async function summarizeReplaced(url: string, since = 0): Promise<Summary | undefined> {
  const path = filePathOf(url);
  if (path !== undefined && !isThere(path)) return undefined;
  try {
    const db = await openAsItIs(url);
    try {
      const summary = await summarize(db, since);
      return path === undefined && !summary.version ? undefined : summary;
    } finally {
      await db.destroy();
    }
  } catch (error) {
    if (path === undefined) throw error;
    return UNREADABLE;
  }
}

/** A server's, in which nothing can be put aside. @throws StartError */
export async function refuseUsed(url: string): Promise<void> {
  const former = await summarizeReplaced(url);
  const { active = 0, inactive = 0 } = former?.users ?? {};
  if (active + inactive > 0 || (former?.lastIds.change_sets ?? 0) > 0)
    throw new StartError(
      `${nameOf(url)} holds users already, or did: make another, empty database, and set DATABASE_URL to that. Nothing was changed.`,
    );
}

/** Who is there, or was, by name of the database. @param ledgers of which any may be another database's */
export function knownFrom(former: Summary | undefined, ledgers: readonly string[]): KnownDatabase[] {
  const lines = ledgers.flatMap(readLedger);
  if (former?.identity === undefined) return lines;
  const erased = (former.erased ?? []).flatMap(({ users }) => users);
  return [{ database: former.identity, users: [...former.people, ...erased] }, ...lines];
}
