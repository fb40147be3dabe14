/** The tables, as Kysely sees them on every engine. Times are milliseconds since 1970, UTC. */
import type { Generated, Insertable, Kysely, Selectable, Transaction } from 'kysely';

/** Each may all that the ones before it may; a member cannot sign in. */
export const ROLES = ['member', 'viewer', 'editor', 'admin'] as const;
export type Role = (typeof ROLES)[number];

/** What searches look through, in the order of the search text. */
export const SEARCHED_FIELDS = ['username', 'email', 'full_name'] as const;

/** What history keeps of a user, by numbers of which none is given twice; those below 1000 are Roster's own. */
export const KEPT_FIELDS = {
  username: 1,
  email: 2,
  full_name: 3,
  is_active: 4,
  role: 5,
  created_at: 6,
} as const;

export type UsersTable = {
  id: Generated<number>;
  username: string;
  username_key: string; // unique; this and the keys and text below are made by `derivedColumns`
  email: string;
  email_key: string;
  full_name: string | null;
  username_sort: string;
  name_sort: string;
  search_text: string;
  is_active: boolean;
  role: Role;
  created_at: number;
  updated_at: number;
  version: number; // 1 when created, one more with every change: what a form was filled from
};

export type UserCountsTable = {
  is_active: boolean;
  role: Role;
  count: number;
};

/** What someone signs in with; who has none has not been given access. */
export type CredentialsTable = {
  user_id: number;
  password_hash: string;
  changed_at: number;
  code_secret: string | null; // of the second factor, sealed; null without one
  code_step: Generated<number>; // of the last code that was accepted: none up to it is any more
  code_failures: Generated<number>;
  code_failed_at: Generated<number>;
  last_sign_in_at: Generated<number | null>; // null for never; 0 where it was before it was noted, if ever
};

/** Those who may sign in, and nobody else; `at` is what their credentials say, -1 for never. */
export type LastSignInsTable = { user_id: number; at: number };

export type RecoveryCodesTable = { code_hash: string; user_id: number };

/** Browsers that are signed in, and those whose time is over, until they are forgotten; who signed out is not here. */
export type SessionsTable = {
  id: Generated<number>;
  token_hash: string;
  user_id: number;
  created_at: number;
  seen_at: number; // to the minute
  address: string;
  browser: string;
  draft: string | null; // JSON of `Draft`s: forms that were sent after an earlier session had ended
};

/** Links by which someone chooses a password, one for each user at most; one that has been used was created at 0. */
export type InvitationsTable = { user_id: number; token_hash: string; created_at: number };

/** Wrong passwords, by a hash of what was guessed at and from where, or in which browser. */
export type GuessesTable = { key_hash: string; failures: number; failed_at: number };

export type RoleRulesTable = { role: Role; is_code_required: boolean };

export type SecretsTable = { name: string; value: string };

/** Who has given the right password and still owes a code; `credentials_hash` is one of the hash it was right for. */
export type TicketsTable = {
  token_hash: string;
  user_id: number;
  credentials_hash: string;
  created_at: number;
};

/** Sealed drafts that have been opened, and the session in which each waits, or has waited. */
export type UsedDraftsTable = { draft_hash: string; session_id: number; used_at: number };

/** Users who were made up to try Roster with; who of them has been changed since has another version than the one they came, or came back, with. */
export type MadeUpPeopleTable = { user_id: number };

export type HeartbeatsTable = { id: Generated<number> };

/** What one act did, and to how many users. Kinds are numbers of `history/kinds.ts`. */
export type ChangeSetsTable = {
  id: Generated<number>;
  at: number;
  actor_id: number | null; // null where nobody was signed in
  subject_id: Generated<number | null>; // whose access it is about alone: a session that was ended, a role
  undoes: Generated<number | null>;
  first_id: Generated<number | null>; // of those who were loaded together, and have no change each
  last_id: Generated<number | null>;
  users: number;
  kind: number;
  via: number;
  actor_kind: number;
  event: Generated<string | null>;
  detail: Generated<string | null>;
};

export type ChangesTable = {
  user_id: number;
  version: number; // the user's from then on, without a gap, also through deletion and restoring
  set_id: number;
  at: number | null; // where it is not the time of the set
  fields: string | null; // as `history/fields.ts` packs them; null for a creation and for restoring
};

export type DeletedUsersTable = {
  id: number;
  version: number;
  set_id: number;
  fields: string;
};

/** By a hash of the form and of who has sent it; `answer` is sealed: where they were sent, and what they were told. */
export type KeptAnswersTable = { hash: string; at: number; answer: string };

/** Work that takes longer than a page, and fills a change set. */
export type JobsTable = {
  id: Generated<number>;
  kind: string;
  state: 'running' | 'done' | 'stopped';
  set_id: number;
  actor_id: number | null;
  params: string; // JSON, as its kind needs it
  cursor: number; // the last user who is done; of an import the place of the last row
  total: number;
  done: number;
  left_out: number;
  notes: string; // JSON: the numbers of those who were left out, as far as they are noted
  lease_owner: string | null;
  leased_until: number;
  failures: Generated<number>; // in a row, as `jobs/failures.ts` counts them; 0 once something was done
};

export type RevisionsTable = { slot: number; value: number };

export type ErasuresTable = {
  user_id: number;
  created_at: number; // the user's: a number alone may be somebody else's in a database that was put back
  set_id: number;
  gone_at: Generated<number | null>; // when they left the last byte of its files; null until then
};

/** A file of users that somebody has brought: it, and the rows read from it, lie in a folder of one machine. */
export type ImportsTable = {
  id: Generated<number>;
  created_at: number;
  touched_at: number;
  actor_id: number | null; // null where nobody was signed in
  is_by_command: boolean;
  folder: string; // its identity
  host: string; // the machine that had the folder then
  file: string; // what its files are called there, without an ending
  file_name: string;
  size: number;
  state:
    | 'reading'
    | 'checked'
    | 'unreadable'
    | 'confirmed'
    | 'applying'
    | 'done'
    | 'taken back'
    | 'discarded';
  choices: string; // JSON of `KeptChoices`
  reading: string | null; // JSON of `HowRead`, once that is known
  totals: string | null; // JSON of `Totals`, of the rows that have been looked at so far
  problem: string | null; // why it cannot be read, or was taken back: a sentence
  judged: number; // how often all of it was: what is confirmed is what was shown
  revision: number | null; // the directory's, as it was judged
  set_id: number | null;
  lease_owner: string | null;
  leased_until: number;
  failures: number; // in a row: how often it was begun to be read, or to be judged again
};

/** Who was there when a file was looked at, and not in it: all who still are, from one number to another. */
export type AbsentUsersTable = { import_id: number; first_id: number; last_id: number };

/** A backup that was made, or a check of what is in the database. */
export type MaintenanceRunsTable = {
  id: Generated<number>;
  kind: 'backup' | 'check';
  begun_at: number;
  ended_at: number | null; // null while it is under way, and of one that was killed
  outcome: 'good' | 'bad' | null; // `bad`: something was found; null with an end: it could not look
  host: string;
  file: string | null;
  size: number | null;
  users: number | null;
  problem: string | null; // why it is bad, or could not be done: a sentence
  is_quick: Generated<boolean>;
};

export type Schema = {
  users: UsersTable;
  user_counts: UserCountsTable;
  credentials: CredentialsTable;
  last_sign_ins: LastSignInsTable;
  recovery_codes: RecoveryCodesTable;
  sessions: SessionsTable;
  invitations: InvitationsTable;
  guesses: GuessesTable;
  role_rules: RoleRulesTable;
  secrets: SecretsTable;
  tickets: TicketsTable;
  used_drafts: UsedDraftsTable;
  heartbeats: HeartbeatsTable;
  made_up_people: MadeUpPeopleTable;
  change_sets: ChangeSetsTable;
  changes: ChangesTable;
  deleted_users: DeletedUsersTable;
  revisions: RevisionsTable;
  jobs: JobsTable;
  kept_answers: KeptAnswersTable;
  erasures: ErasuresTable;
  imports: ImportsTable;
  absent_users: AbsentUsersTable;
  maintenance_runs: MaintenanceRunsTable;
};

export type User = Selectable<UsersTable>;
export type ChangeSet = Selectable<ChangeSetsTable>;
export type UserRow = Insertable<UsersTable>;

/** For reading: on SQLite a connection that cannot write, so a write outside a transaction does not pass. */
export type Db = Kysely<Schema>;

export type Trx = Transaction<Schema>;
