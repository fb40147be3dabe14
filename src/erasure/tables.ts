/** Every table, and what in it is about one person: what is erased with them, and what they are given a copy of. */
import { forgetDrafts } from '../auth/drafts.ts';
import { forgetAnswers } from '../auth/idempotency-store.ts';
import { forgetFailures } from '../auth/throttle.ts';
import type { Db, Schema, Trx } from '../db/schema.ts';
import { forgetChanges } from '../history/record.ts';
import { forgetAll } from '../imports/queries.ts';
import { forgetParamsAbout, forgetSearches } from '../jobs/queries.ts';
import * as data from './data.ts';

type Table = {
  /** Not where everything goes with the deletion, before which nobody is erased, or where there are numbers alone. */
  erase?: (trx: Trx, id: number) => Promise<unknown>;
} & (
  | {
      /** What is given out of it, row by row: `isOwn`, to themselves. */
      read: (db: Db, id: number, isOwn: boolean) => AsyncIterable<object>;
    }
  | { why: string }
);

const NUMBERS: Table = {
  why: 'numbers and times, by which nobody is known who is not known from another place',
};
const OF_NOBODY: Table = { why: 'what is so of Roster, and not of anybody' };

export const TABLES: Readonly<Record<keyof Schema, Table>> = {
  users: { read: data.readUser },
  user_counts: OF_NOBODY,
  credentials: { read: data.readCredentials },
  recovery_codes: { read: data.readRecoveryCodes },
  // One's own go with the user: in those of others a form that names them may wait.
  sessions: { read: data.readSessions, erase: forgetDrafts },
  invitations: { read: data.readInvitations },
  guesses: { erase: forgetFailures, why: 'of a hash nobody knows whose it is' },
  role_rules: OF_NOBODY,
  secrets: OF_NOBODY,
  tickets: { read: data.readTickets },
  used_drafts: NUMBERS,
  heartbeats: OF_NOBODY,
  made_up_people: NUMBERS,
  change_sets: { read: data.readActs },
  changes: { read: data.readChanges, erase: forgetChanges },
  // Taken from there by whoever erases.
  deleted_users: { read: data.readDeleted },
  revisions: OF_NOBODY,
  jobs: {
    erase: forgetJobs,
    why: 'what was done to somebody by one is among their changes; what somebody searched for, and whom it names, nobody can tell',
  },
  last_sign_ins: { why: 'the same as in credentials' },
  // That a form was sent stays known, so that it does nothing twice.
  kept_answers: {
    erase: forgetAnswers,
    why: 'sealed with the form that was sent, so that nobody knows whom it names',
  },
  erasures: { why: 'of whoever is erased nothing is left to be given' },
  // Nobody knows whom a file names before it is read whole: all are brought anew, but for what is being done.
  imports: { read: data.readImports, erase: forgetAll },
  absent_users: NUMBERS,
  maintenance_runs: OF_NOBODY,
};

async function forgetJobs(trx: Trx, id: number): Promise<void> {
  await forgetParamsAbout(trx, id);
  await forgetSearches(trx);
}

export async function eraseEverywhere(trx: Trx, id: number): Promise<void> {
  for (const { erase } of Object.values(TABLES)) await erase?.(trx, id);
}
