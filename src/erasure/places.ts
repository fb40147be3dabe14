/** Every table, and what in it is about one person: what is erased with them, and what they are given a copy of. */
import { forgetDrafts } from '../auth/drafts.ts';
import { forgetAnswers } from '../auth/kept-answers.ts';
import { forgetFailures } from '../auth/throttle.ts';
import type { Db, Schema, Trx } from '../db/schema.ts';
import { forgetChanges } from '../history/record.ts';
import { forgetAll } from '../imports/queries.ts';
import { forgetParamsAbout, forgetSearches } from '../jobs/queries.ts';
import * as data from './data.ts';

type Place = {
  /** Not where everything goes with the deletion, before which nobody is erased, or where there are numbers alone. */
  erase?: (trx: Trx, id: number) => Promise<unknown>;
  /** What is given out of it, row by row: `isOwn`, to themselves. */
  read?: (db: Db, id: number, isOwn: boolean) => AsyncIterable<object>;
};

const NOTHING: Place = {};

export const PLACES: Readonly<Record<keyof Schema, Place>> = {
  users: { read: data.readUser },
  user_counts: NOTHING,
  credentials: { read: data.readCredentials },
  recovery_codes: { read: data.readRecoveryCodes },
  // One's own go with the user: in those of others a form that names them may wait.
  sessions: { read: data.readSessions, erase: forgetDrafts },
  invitations: { read: data.readInvitations },
  // Of a hash nobody knows whose it is: all start anew.
  guesses: { erase: forgetFailures },
  role_rules: NOTHING,
  secrets: NOTHING,
  tickets: { read: data.readTickets },
  used_drafts: NOTHING,
  heartbeats: NOTHING,
  made_up_people: NOTHING,
  change_sets: { read: data.readActs },
  changes: { read: data.readChanges, erase: forgetChanges },
  // Taken from there by whoever erases.
  deleted_users: { read: data.readDeleted },
  revisions: NOTHING,
  jobs: { erase: forgetJobs },
  last_sign_ins: NOTHING,
  // Sealed, so that nobody knows whom they name.
  kept_answers: { erase: forgetAnswers },
  erasures: NOTHING,
  // Nobody knows whom a file names before it is read whole: all are brought anew, but for what is being done.
  imports: { read: data.readImports, erase: forgetAll },
  absent_users: NOTHING,
  maintenance_runs: NOTHING,
};

async function forgetJobs(trx: Trx, id: number): Promise<void> {
  await forgetParamsAbout(trx, id);
  await forgetSearches(trx);
}

export async function eraseEverywhere(trx: Trx, id: number): Promise<void> {
  for (const { erase } of Object.values(PLACES)) await erase?.(trx, id);
}
