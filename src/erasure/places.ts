/** Every table, and what in it is about one person: what is erased with them, and what they are given a copy of. */
import { type Draft, forgetDrafts } from '../auth/drafts.ts';
import { forgetAnswers } from '../auth/kept-answers.ts';
import { forgetFailures } from '../auth/throttle.ts';
import type { Db, Schema, Trx } from '../db/schema.ts';
import { unpackFields, unpackValues } from '../history/fields.ts';
import { type DeletedUser, findFieldsFrom } from '../history/queries.ts';
import { forgetChanges } from '../history/record.ts';
import { discardAll } from '../imports/queries.ts';
import { forgetParamsAbout } from '../jobs/queries.ts';
import { textKey } from '../lib/text.ts';
import * as data from './data.ts';

/** `names`: the keys of all usernames and emails that they ever had. */
export type Person = { id: number; names: ReadonlySet<string> };

type Place = {
  /** Not where everything goes with the deletion, before which nobody is erased, or where there are numbers alone. */
  erase?: (trx: Trx, person: Person) => Promise<unknown>;
  /** What is given out of it, row by row: `isOwn`, to themselves. */
  read?: (db: Db, id: number, isOwn: boolean) => AsyncIterable<object>;
};

const NOTHING: Place = {};

export const PLACES: Readonly<Record<keyof Schema, Place>> = {
  users: { read: data.readUser },
  user_counts: NOTHING,
  credentials: { read: data.readCredentials },
  recovery_codes: { read: data.readRecoveryCodes },
  // One's own go with the user: in those of others a form about them may wait.
  sessions: {
    read: data.readSessions,
    erase: (trx, person) => forgetDrafts(trx, (draft) => isAbout(draft, person)),
  },
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
  changes: { read: data.readChanges, erase: (trx, { id }) => forgetChanges(trx, id) },
  // Taken from there by whoever erases.
  deleted_users: { read: data.readDeleted },
  revisions: NOTHING,
  // Also what was searched for to change many at once, until that ends: it was found with more than a hundred users.
  jobs: { erase: (trx, { id }) => forgetParamsAbout(trx, id) },
  last_sign_ins: NOTHING,
  // Sealed, so that nobody knows whom they name.
  kept_answers: { erase: forgetAnswers },
  erasures: NOTHING,
  // Nobody knows whom a file names before it is read whole: all are brought anew, but for what is being done.
  imports: { read: data.readImports, erase: discardAll },
  absent_users: NOTHING,
  maintenance_runs: NOTHING,
};

/** Before anything of them is erased. */
export async function findPerson(db: Db, { id, fields }: DeletedUser): Promise<Person> {
  const { username, email } = unpackValues(fields);
  const changes = (await findFieldsFrom(db, id, 1)).map((change) => unpackFields(change.fields));
  // Not by full names, which are others', too.
  const renamed = changes.flatMap((change) => [change.username ?? [], change.email ?? []].flat());
  const names = [username, email, ...renamed.flatMap(({ was, became }) => [was, became])];
  return { id, names: new Set(names.map(textKey)) };
}

export async function erasePerson(trx: Trx, person: Person): Promise<void> {
  for (const { erase } of Object.values(PLACES)) await erase?.(trx, person);
}

function isAbout({ form, fields }: Draft, { id, names }: Person): boolean {
  // A form that undoes what was done to several has fields named by their numbers.
  const isTheirs = [form, ...Object.keys(fields)].some((name) =>
    new RegExp(`^(?:/users/)?${id}(?![0-9])`).test(name),
  );
  return isTheirs || Object.values(fields).some((value) => names.has(textKey(value)));
}
