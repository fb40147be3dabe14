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
  /** Unique. Like the email's key, the keys to sort by and the search text it is made by `derivedColumns`. */
  username_key: string;
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
  /** 1 when created, one more with every change: what a form was filled from. */
  version: number;
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
  /** The secret of the second factor, sealed with the key that is not in the database; null without one. */
  code_secret: string | null;
  /** The time step of the last code that was accepted; none up to it is any more. */
  code_step: Generated<number>;
  /** Wrong codes since the last right one. */
  code_failures: Generated<number>;
  code_failed_at: Generated<number>;
  /** null for never; 0 where that was before it was noted, if ever. */
  last_sign_in_at: Generated<number | null>;
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
  /** The last use, to the minute. */
  seen_at: number;
  address: string;
  browser: string;
  /** JSON of `Draft`s: forms that were sent after an earlier session had ended. */
  draft: string | null;
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

/** What one act did, and to how many users. Kinds are numbers of `history/codes.ts`. */
export type ChangeSetsTable = {
  id: Generated<number>;
  at: number;
  /** Null where nobody was signed in: on the command line, or while there was no administrator. */
  actor_id: number | null;
  /** Whose access it is about alone: a session that was ended, a role. */
  subject_id: Generated<number | null>;
  undoes: Generated<number | null>;
  /** Of those who were loaded together, and have no change each. */
  first_id: Generated<number | null>;
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
  /** The user's from then on, without a gap, also through deletion and restoring. */
  version: number;
  set_id: number;
  /** Where it is not the time of the set. */
  at: number | null;
  /** As `history/fields.ts` packs them; null for a creation and for restoring. */
  fields: string | null;
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
  /** JSON, as its kind needs it. */
  params: string;
  /** The last user who is done. */
  cursor: number;
  total: number;
  done: number;
  left_out: number;
  /** JSON: the numbers of those who were left out, as far as they are noted. */
  notes: string;
  lease_owner: string | null;
  leased_until: number;
  /** In a row, as `jobs/failures.ts` counts them; 0 once something was done. */
  failures: Generated<number>;
};

export type RevisionsTable = { slot: number; value: number };

export type ErasuresTable = {
  user_id: number;
  /** When the user was: a number alone may be somebody else's in a database that was put back. */
  created_at: number;
  set_id: number;
  /** Since when their values are in no byte of the database's files; null while they may be. */
  gone_at: Generated<number | null>;
};

/** A file of users that somebody has brought: it, and the rows read from it, lie in a folder of one machine. */
export type ImportsTable = {
  id: Generated<number>;
  created_at: number;
  touched_at: number;
  /** Null where nobody signs in yet, and on the command line. */
  actor_id: number | null;
  is_by_command: boolean;
  /** The identity of the folder, and the name of the machine that had it then. */
  folder: string;
  host: string;
  /** What its files are called there, without an ending. */
  file: string;
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
  /** JSON of `KeptChoices`. */
  choices: string;
  /** JSON of `HowRead`: once that is known. */
  reading: string | null;
  /** JSON of `Totals`: of the rows that have been looked at so far. */
  totals: string | null;
  /** Why it cannot be read, or was taken back: a sentence. */
  problem: string | null;
  /** How often all of it has been judged; what is confirmed is what was shown. */
  judged: number;
  /** The directory's, as it was judged. */
  revision: number | null;
  set_id: number | null;
  lease_owner: string | null;
  leased_until: number;
  /** In a row: how often it was begun to be read, or to be judged again. */
  failures: number;
};

/** Who was there when a file was looked at, and not in it: all who still are, from one number to another. */
export type AbsentUsersTable = { import_id: number; first_id: number; last_id: number };

/** A backup that was made, or a check of what is in the database. */
export type MaintenanceRunsTable = {
  id: Generated<number>;
  kind: 'backup' | 'check';
  begun_at: number;
  /** Null while it is under way, and of one that was killed. */
  ended_at: number | null;
  /** A check is `bad` that has found something; one that could not look has an end, and none of these. */
  outcome: 'good' | 'bad' | null;
  host: string;
  file: string | null;
  size: number | null;
  users: number | null;
  /** Why it is bad, or could not be done: a sentence. */
  problem: string | null;
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
