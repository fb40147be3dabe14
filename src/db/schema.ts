/** The tables, as Kysely sees them on every engine. Times are milliseconds since 1970, UTC. */
import type { Generated, Kysely, Selectable, Transaction } from 'kysely';

export type UsersTable = {
  id: Generated<number>;
  username: string;
  /** `textKey(username)`: what is unique, and what the list is ordered by. */
  username_key: string;
  email: string;
  email_key: string;
  full_name: string | null;
  /** `searchTextOf` the user: what searches go through. */
  search_text: string;
  is_active: boolean;
  created_at: number;
  updated_at: number;
  /** 1 when created, one more with every change: what a form was filled from. */
  version: number;
};

/** How many users there are of each status; kept by every transaction that changes users, so never counted. */
export type UserCountsTable = {
  is_active: boolean;
  count: number;
};

export type Schema = {
  users: UsersTable;
  user_counts: UserCountsTable;
};

export type User = Selectable<UsersTable>;

/** For reading: on SQLite a connection that cannot write, so a write outside a transaction does not pass. */
export type Db = Kysely<Schema>;

/** For writing: all of it is saved, or nothing. */
export type Trx = Transaction<Schema>;
